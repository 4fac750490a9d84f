"""ConvTranspose in files: the file in float64, whatever its strides, pads and groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv
from tests.support.qonnx_files import (
    ACT,
    CONV,
    IN,
    assert_equal_to_file,
    assert_graph_equals_file,
    base,
    graph_of,
    node,
    quant,
)


def file(kernel: list[int], group: int = 1, outputs: int = 3, seed: int = 0, signs: bool = False, **attributes):
    """A transposed convolution of 4 channels with a bias, its quantizer behind it."""
    rng = np.random.default_rng(seed)
    codes = rng.choice([-1, 1], (4, outputs // group, *kernel)) if signs else rng.integers(
        -1, 2, (4, outputs // group, *kernel))  # fmt: skip
    constants = base(seed) | {
        "w": rng.integers(-1, 2, (4, 2, 3, 3)).astype(np.float32), "k": (codes * 0.5).astype(np.float32),
        "bias": rng.normal(size=outputs).astype(np.float32)}  # fmt: skip
    up = node("ConvTranspose", "q k bias", "t", "up", group=group, **attributes)
    return graph_of([IN, CONV, *ACT, up, quant("t", "y", "q1", signed=1)], constants, shape=(1, 2, 4, 3))


@st.composite
def cases(draw: st.DrawFn) -> dict:
    kernel = draw(st.lists(st.integers(1, 4), min_size=2, max_size=2))
    strides = draw(st.lists(st.integers(1, 3), min_size=2, max_size=2))
    return {
        "kernel": kernel, "strides": strides, "group": draw(st.sampled_from([1, 2, 4])), "outputs": 4,
        "pads": draw(st.lists(st.integers(0, 2), min_size=4, max_size=4)),
        "dilations": draw(st.lists(st.integers(1, 2), min_size=2, max_size=2)),
        "output_padding": [draw(st.integers(0, s - 1)) for s in strides], "seed": draw(st.integers(0, 99)),
        "signs": draw(st.booleans()),
    }  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(cases())
def test_any_geometry_is_the_file(case: dict) -> None:
    sizes = [
        (n - 1) * s + (k - 1) * d + 1 + m - a - b
        for n, s, k, d, m, a, b in zip((4, 3), case["strides"], case["kernel"], case["dilations"],
                                       case["output_padding"], case["pads"][:2], case["pads"][2:], strict=True)
    ]  # fmt: skip
    if min(sizes) < 1:
        return
    network = Network(assert_graph_equals_file(file(**case), count=2))
    assert network.outputs[0].shape == (4, *sizes)


def test_no_product_is_with_a_zero_between_pixels_and_thresholds_stand_behind_their_sums(tmp_path: Path) -> None:
    """Kernels of 4 by strides of 2: 2 x 2 taps for each of four pixels of a block."""
    network = Network(assert_equal_to_file(file([4, 4], strides=[2, 2], pads=[1] * 4), tmp_path, count=5))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "Conv", "Threshold", "Enlarge"]
    conv = network.layers[2]
    assert isinstance(conv, Conv)
    assert conv.weights.shape == (12, 4, 3, 3)
    assert (np.abs(conv.weights).sum((1, 2, 3)) <= 4 * 4).all()
    assert (network.layers[-1].factor, network.layers[-1].parts) == ((2, 2), 4)


def test_the_same_size_as_torch_has() -> None:
    module = torch.nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1)
    same = file([3, 3], strides=[2, 2], pads=[1] * 4, output_padding=[1, 1])
    [output] = Network(assert_graph_equals_file(same, count=2)).outputs
    assert output.shape == module(torch.zeros(1, 4, 4, 3)).shape[1:]


@pytest.mark.parametrize("auto", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_pads_may_follow_from_the_size(auto: str) -> None:
    network = Network(assert_graph_equals_file(file([3, 3], strides=[2, 2], auto_pad=auto), count=2))
    found = network.outputs[0].shape
    assert found == ((3, 9, 7) if auto == "VALID" else (3, 8, 6))


def test_signals() -> None:
    rng = np.random.default_rng(0)
    constants = base() | {"w1": rng.integers(-1, 2, (4, 2, 3)).astype(np.float32),
                          "k": rng.integers(-1, 2, (4, 2, 4)).astype(np.float32)}  # fmt: skip
    nodes = [
        IN,
        node("Conv", "xq w1", "c", "conv", pads=[1, 1], kernel_shape=[3]),
        *ACT,
        node("ConvTranspose", "q k", "t", "up", strides=[2], pads=[1, 1]),
        quant("t", "y", "q1", signed=1),
    ]
    network = Network(assert_graph_equals_file(graph_of(nodes, constants, shape=(1, 2, 9)), count=3))
    assert network.layers[-1].factor == (1, 2)
    assert network.outputs[0].shape == (2, 1, 18)


@pytest.mark.parametrize(("change", "message"), [
    ({"group": 3}, "group=3"), ({"strides": [0, 2]}, "strides"), ({"strides": [2]}, "strides"),
    ({"pads": [4] * 4}, "become -"), ({"auto_pad": "SOME"}, "auto_pad 'SOME'"),
])  # fmt: skip
def test_what_contradicts_itself_is_refused(change: dict, message: str) -> None:
    with pytest.raises(HwError, match=rf"'up' \(ConvTranspose\).*{message}.*\[malformed\]"):
        assert_graph_equals_file(file([3, 3], **change))
