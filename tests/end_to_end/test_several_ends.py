"""Files with several inputs and outputs: file = integer graph = C simulation = Verilog simulation = host.py."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from crq import hw
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_values
from crq.hw.ir.images import input_codes
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.read import read_qonnx
from crq.hw.verify.chain import layer_values
from crq.hw.verify.float32 import float_execution
from crq.hw.verify.float64.evaluate import float64_link
from tests.support.qonnx_files import assert_graph_equals_file
from tests.support.several_ends import images, vectors

FILES = {"images": images, "vectors": vectors}


@pytest.mark.parametrize("name", FILES)
def test_the_graph_is_the_file(name: str, tmp_path: Path) -> None:
    proto = FILES[name]()
    network = Network(assert_graph_equals_file(proto, count=8))
    onnx.save(proto, tmp_path / "m.onnx")
    codes = all_vectors(network, 8, bounding_limit=4)
    values = layer_values(network, codes)
    link = float64_link(tmp_path / "m.onnx", network, codes, values)
    assert link.equal, str(link)
    assert float_execution(tmp_path / "m.onnx", network, codes[:4], {k: v[:4] for k, v in values.items()}).images == 4


def test_old_files_split_by_an_attribute() -> None:
    assert_graph_equals_file(images(opset=11), count=3)


@pytest.mark.parametrize(("name", "target"), [
    ("images", "hls"), ("vectors", "hls"),
    pytest.param("images", "rtl", marks=pytest.mark.skipif(shutil.which("verilator") is None, reason="no Verilator")),
])  # fmt: skip
def test_simulations_take_and_give_a_tuple(name: str, target: str, tmp_path: Path) -> None:
    proto = FILES[name]()
    network = Network(read_qonnx(proto))
    codes = all_vectors(network, 6, bounding_limit=4)
    project = hw.build(proto, tmp_path, target=target)
    expected = evaluate(network, codes)
    np.testing.assert_array_equal(project.integers(codes).reshape(expected.shape), expected)
    cut = dict(network.metadata.inputs[0].names)["x"]
    shaped = codes if network.inputs[0].shape.pixels > 1 else codes[:, :, 0, 0]
    parts = shaped[:, :cut], shaped[:, cut:]
    given = project.simulate(parts)
    named = project.simulate(dict(zip([n for n, _ in network.metadata.inputs[0].names], parts, strict=True)))
    host = runpy.run_path(str(tmp_path / "host.py"))
    values = to_values(network, codes).reshape(shaped.shape)
    halves = values[:, :cut], values[:, cut:]
    np.testing.assert_array_equal(host["quantize"](halves), codes)
    by_name = dict(zip([n for n, _ in network.metadata.inputs[0].names], halves, strict=True))
    np.testing.assert_array_equal(host["quantize"](by_name), codes)
    told = host["results"](expected)
    for output, (_, channels) in enumerate(network.metadata.outputs[0].names):
        assert given[output].shape[1] == channels
        np.testing.assert_array_equal(given[output], named[output])
        np.testing.assert_array_equal(given[output], told[output])


@pytest.mark.parametrize(("change", "message"), [
    (lambda a, b: (a,), r"takes 'x' \(N, 2, …\), 'z' \(N, 1, …\)"), (lambda a, b: {"x": a, "w": b}, "inputs .*'w'"),
    (lambda a, b: (b, a), "the network takes"), (lambda a, b: (a, b[:1]), "as many images of each"),
    (lambda a, b: (a, b.astype(float)), "all integers or all floats"),
])  # fmt: skip
def test_other_inputs_than_the_files_are_refused(change, message: str) -> None:
    network = Network(read_qonnx(images()))
    with pytest.raises(HwError, match=message):
        input_codes(network, change(np.zeros((3, 2, 6, 6), int), np.zeros((3, 1, 6, 6), int)))


def test_parts_with_other_zero_points_are_refused() -> None:
    proto = images()
    right = next(n for n in proto.graph.node if n.output[0] == "zq")
    right.input[2] = "three"
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(3), "three"))
    with pytest.raises(HwError, match=r"zero points \[0, 3\]; expected one for all.*\[input-quantizer\]"):
        read_qonnx(proto)


def test_names_of_tensors_stay_data_in_host_py(tmp_path: Path) -> None:
    """A file may come from anyone, and host.py is run."""
    proto, hostile = vectors(), 'u"""\nraise SystemExit("run")\n"""'
    for holder in (*proto.graph.input, *proto.graph.output):
        holder.name = hostile if holder.name == "u" else holder.name.replace("other", 'o\'\n"""')
    for operation in proto.graph.node:
        operation.input[:] = [hostile if name == "u" else name for name in operation.input]
        operation.output[:] = ['o\'\n"""' if name == "other" else name for name in operation.output]
    hw.build(proto, tmp_path / "p", target="rtl")
    host = runpy.run_path(str(tmp_path / "p" / "host.py"))
    assert host["INPUTS"] == (("x", 6), (hostile, 3))
    assert host["OUTPUTS"] == (("y", 3), ('o\'\n"""', 2))


def test_values_off_the_grids_of_several_inputs_are_refused() -> None:
    network = Network(read_qonnx(vectors()))
    codes = all_vectors(network, 2)[:2]
    values = to_values(network, codes)
    np.testing.assert_array_equal(input_codes(network, values), codes)
    off = values.copy()
    off[1, 2] += 0.01
    with pytest.raises(HwError, match=r"not on the input grid: .* is no multiple of the scale of its input"):
        input_codes(network, off)
    assert np.array_equal(input_codes(network, off, quantize=True), codes)
