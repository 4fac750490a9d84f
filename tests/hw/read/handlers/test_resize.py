"""Resize and Upsample to the nearest pixel, in files: the file in float64, and onnxruntime, or a refusal."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read.handlers.resize import COORDINATES, NEAREST, _is_regular
from tests.support.qonnx_files import ACT, CONV, IN, assert_graph_equals_file, base, graph_of, node

EMPTY = np.zeros(0, np.float32)


def file(op: str = "Resize", scales=(1, 1, 2, 3), inputs: str = "q none scales", opset: int = 13, **attributes):
    nodes = [IN, CONV, *ACT, node(op, inputs, "y", "up", **attributes)]
    return graph_of(nodes, base() | {"none": EMPTY, "scales": np.array(scales, np.float32)}, opset=opset)


FLOOR = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


@pytest.mark.parametrize("attributes", [FLOOR, {}, {"coordinate_transformation_mode": "pytorch_half_pixel"}])
def test_whole_factors_are_copies(attributes: dict) -> None:
    network = Network(assert_graph_equals_file(file(**attributes), count=3))
    last = network.layers[-1]
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "Enlarge"]
    assert (last.factor, last.parts, last.output.shape) == ((2, 3), 1, (5, 12, 18))


def test_upsample_of_old_files() -> None:
    network = Network(assert_graph_equals_file(file("Upsample", inputs="q scales", opset=9), count=3))
    assert network.layers[-1].kind == "Enlarge"


def test_sizes_in_place_of_scales() -> None:
    nodes = [IN, CONV, *ACT, node("Resize", "q none none sizes", "y", "up", **FLOOR)]
    proto = graph_of(nodes, base() | {"none": EMPTY, "sizes": np.array([1, 5, 6, 12])})
    assert Network(assert_graph_equals_file(proto, count=3)).layers[-1].factor == (1, 2)


def test_a_smaller_image_of_regular_pixels_is_a_choice_of_them() -> None:
    network = Network(assert_graph_equals_file(file(scales=(1, 1, 0.5, 1), **FLOOR), count=3))
    assert network.layers[-1].kind == "Conv"
    assert network.outputs[0].shape == (5, 3, 6)


@pytest.mark.parametrize(("scales", "attributes"), [
    ((1, 1, 2, 2), {"mode": "linear"}), ((1, 1, 2, 2), {"mode": "cubic"}), ((1, 1, 1.5, 1.5), FLOOR),
    ((1, 2, 1, 1), FLOOR), ((1, 1, 2, 2), FLOOR | {"coordinate_transformation_mode": "align_corners"}),
    ((1, 1, 2, 2), FLOOR | {"nearest_mode": "ceil"}),
    ((1, 1, 2, 2), FLOOR | {"coordinate_transformation_mode": "tf_crop_and_resize"}),
])  # fmt: skip
def test_everything_else_is_refused_by_name(scales: tuple, attributes: dict) -> None:
    with pytest.raises(HwError, match=r"'up' \(Resize\).*whole factors.*\[resize\]"):
        assert_graph_equals_file(file(scales=scales, **attributes))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(COORDINATES)), st.sampled_from(sorted(NEAREST)), st.integers(1, 6), st.integers(1, 12))
def test_the_pixels_are_those_of_onnxruntime(place: str, nearest: str, size: int, out: int) -> None:
    """Of every pair of modes, where the result is regular: others are refused, and may be rounded otherwise."""
    scale = Fraction(out, size)
    index = np.array([NEAREST[nearest](COORDINATES[place](x, scale, size, out)) for x in range(out)])
    index = np.clip(index, 0, size - 1)
    if not _is_regular(index, size):
        return
    attributes = {"mode": "nearest", "coordinate_transformation_mode": place, "nearest_mode": nearest}
    nodes = [helper.make_node("Resize", ["x", "none", "none", "sizes"], ["y"], **attributes)]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, s, 1]) for n, s in (("x", size), ("y", out))]
    sizes = onnx.numpy_helper.from_array(np.array([1, 1, out, 1]), "sizes")
    opset = helper.make_opsetid("", 11 if place == "tf_half_pixel_for_nn" else 13)
    constants = [sizes, onnx.numpy_helper.from_array(EMPTY, "none")]
    proto = helper.make_model(
        helper.make_graph(nodes, "g", *[[e] for e in ends], constants),
        opset_imports=[opset],
    )
    proto.ir_version = 8
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"x": np.arange(size, dtype=np.float32).reshape(1, 1, size, 1)})[0]
    np.testing.assert_array_equal(found.ravel(), index)
