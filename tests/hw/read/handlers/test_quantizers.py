"""The input's own Quant: its range and zero point reach the hardware's widths, the host's codes and the checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, helper

from crq import hw
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_codes, to_values
from crq.hw.ir.images import input_codes
from crq.hw.ir.vectors import all_vectors, bounding, extremes
from crq.hw.read import read_qonnx
from crq.hw.verify.chain import layer_values
from crq.hw.verify.float64.evaluate import Float64File, float64_link
from tests.support.qonnx_files import (
    ACT,
    CONV,
    IN,
    TAIL,
    assert_equal_to_file,
    assert_graph_equals_file,
    base,
    conv,
    graph_of,
    node,
    quant,
)

STEP = np.float32(0.5)


def file(zero: int = 0, **attributes: object) -> ModelProto:
    """A network whose input has 4 bits in steps of `STEP`."""
    first = node("Quant", "x qi_s z bits", "xq", "qi", **attributes)
    return graph_of([first, CONV, *ACT, *TAIL], base() | {"qi_s": STEP, "z": np.float32(zero)})


RANGES = {
    "narrow": (file(signed=1, narrow=1), (-7, 7)),
    "unsigned, narrow": (file(signed=0, narrow=1), (0, 14)),
    "zero point": (file(3, signed=0, narrow=0), (-3, 12)),
    "zero point, narrow": (file(-5, signed=1, narrow=1), (-2, 12)),
    "zero point beyond all codes": (file(21, signed=0, narrow=0), (-21, -6)),
}


@pytest.mark.parametrize("case", RANGES)
def test_codes_are_those_of_the_files_quantizer(case: str, tmp_path: Path) -> None:
    """Between steps, at ties, and far outside."""
    proto, ends = RANGES[case]
    network = Network(read_qonnx(proto))
    assert (network.inputs[0].lo.min(), network.inputs[0].hi.max()) == ends
    values = np.random.default_rng(0).integers(-60, 60, (5, 2, 6, 6)) / 4
    expected = np.concatenate([Float64File(proto).run(x)["xq"] for x in values]) / STEP
    assert (expected.min(), expected.max()) == ends
    assert np.array_equal(to_codes(network, values), expected)
    assert np.array_equal(input_codes(network, values, quantize=True), expected)
    host: dict = {}
    exec((hw.build(proto, tmp_path / "p").directory / "host.py").read_text(), host)
    assert np.array_equal(host["quantize"](values), expected)
    every = np.arange(ends[0], ends[1] + 1)[:, None, None, None] * np.ones((1, 2, 6, 6), np.int64)
    assert np.array_equal(to_codes(network, to_values(network, every)), every)


@pytest.mark.parametrize("case", RANGES)
def test_no_check_feeds_a_code_that_cannot_occur(case: str, tmp_path: Path) -> None:
    proto, ends = RANGES[case]
    network = Network(assert_equal_to_file(proto, tmp_path))
    codes = all_vectors(network, 20)
    assert (codes.min(), codes.max()) == (extremes(network).min(), extremes(network).max()) == ends
    onnx.save(proto, tmp_path / "m.onnx")
    link = float64_link(tmp_path / "m.onnx", network, codes, layer_values(network, codes))
    assert link.integers
    assert not link.differing


@pytest.mark.parametrize("case", ["narrow", "zero point"])
def test_accumulators_are_as_wide_as_the_range_asks(case: str, tmp_path: Path) -> None:
    proto, (lo, hi) = RANGES[case]
    project = hw.build(proto, tmp_path / "p")
    codes = base()["w"].reshape(5, -1)
    sums = project.network["conv"].output
    assert sums.hi.tolist() == (np.maximum(codes, 0) * hi + np.minimum(codes, 0) * lo).sum(1).tolist()
    values = layer_values(project.network, bounding(project.network)[0])["conv"]
    assert np.array_equal(values.max(axis=(0, 2, 3)), sums.hi)
    assert np.array_equal(values.min(axis=(0, 2, 3)), sums.lo)
    assert all(check.ok for check in project.check())


@pytest.mark.parametrize("mode", ["FLOOR", "CEIL", "ROUND_TO_ZERO"])
def test_the_host_rounds_half_to_even_only(mode: str) -> None:
    with pytest.raises(hw.HwError, match=rf"'qi'.*{mode}.*network's input.*use ROUND.*\[rounding-mode\]"):
        read_qonnx(file(signed=1, narrow=0, rounding_mode=mode))


@pytest.mark.parametrize("behind", [False, True], ids=["image", "features"])
def test_an_image_scaled_by_channel_and_flattened(behind: bool, tmp_path: Path) -> None:
    """Its constants belong to channels of the image, one behind Flatten to each feature."""
    nodes = [node("Mul", "x k", "x0"), node("Flatten", "x0", "x1")]
    nodes += [node("Add", "x1 shift", "x2")] if behind else [node("Identity", "x1", "x2")]
    nodes += [quant("x2", "xq", "qi", signed=1), node("MatMul", "xq ff", "y", "fc")]
    rng = np.random.default_rng(0)
    constants = {
        "k": np.array([0.5, 2], np.float32).reshape(1, 2, 1, 1), "shift": np.arange(18, dtype=np.float32)[None] / 8,
        "ff": rng.integers(-1, 2, (18, 3)).astype(np.float32),
    }  # fmt: skip
    proto = graph_of(nodes, base() | constants, shape=(1, 2, 3, 3))
    project = hw.build(proto, tmp_path / "p")
    values = rng.normal(0, 0.3, (20, 2, 3, 3))
    runs = [Float64File(proto).run(x) for x in values]
    expected = np.concatenate([found["xq"] for found in runs]) / np.float64(np.float32(0.07))
    assert np.array_equal(to_codes(project.network, values).reshape(20, -1), np.rint(expected))
    host: dict = {}
    exec((project.directory / "host.py").read_text(), host)
    assert np.array_equal(host["quantize"](values), to_codes(project.network, values))
    logits = project.simulate(values, quantize=True)
    assert np.array_equal(project.simulate(values.reshape(20, -1), quantize=True), logits)
    with pytest.raises(hw.HwError, match=r"expected \(N, 2, 3, 3\): channels, height, width, as the file takes them"):
        project.simulate(values.transpose(0, 2, 3, 1), quantize=True)
    np.testing.assert_allclose(logits, np.concatenate([found["y"] for found in runs]), rtol=1e-5, atol=1e-6)
    codes = all_vectors(project.network, 20)
    onnx.save(proto, tmp_path / "m.onnx")
    link = float64_link(tmp_path / "m.onnx", project.network, codes, layer_values(project.network, codes))
    assert not link.differing


def test_a_brevitas_input_of_narrow_range(tmp_path: Path) -> None:
    qnn = pytest.importorskip("brevitas.nn", reason="Brevitas is a test dependency: pip install .[test]")
    import torch
    from brevitas.quant.ternary import SignedTernaryWeightPerTensorConst

    from tests.end_to_end.test_brevitas_files import exported

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=4, narrow_range=True, return_quant_tensor=True),
        qnn.QuantConv2d(2, 3, 3, bias=False, weight_quant=SignedTernaryWeightPerTensorConst, weight_bit_width=2),
    )
    graph = assert_equal_to_file(exported(net, (2, 6, 6), tmp_path / "b.onnx"), tmp_path)
    network = Network(graph)
    assert (network.inputs[0].lo.min(), network.inputs[0].hi.max()) == (-7, 7)


@pytest.mark.parametrize("equal", [True, False])
def test_one_scale_per_channel_that_is_the_same_in_all_is_one(equal: bool) -> None:
    scales = np.array([0.25, 0.25 if equal else 0.5], np.float32).reshape(1, 2, 1, 1)
    proto = graph_of([quant("x", "xq", "qp"), conv("xq w", "y")], base() | {"qp_s": scales})
    if equal:
        assert Network(assert_graph_equals_file(proto, count=3)).metadata.inputs[0].scale == 0.25
    else:
        with pytest.raises(HwError, match=r"\[per-channel-activation\]"):
            read_qonnx(proto)


def test_three_dimensions_without_a_layout_are_refused(tmp_path: Path) -> None:
    """qonnx takes such a MultiThreshold as NWC, a convolution writes NCW."""
    rng = np.random.default_rng(3)
    constants = base() | {
        "w1": rng.integers(-1, 2, (5, 2, 3)).astype(np.float32),
        "table": np.sort(rng.normal(size=(5, 3)), axis=1).astype(np.float32),
    }
    nodes = [IN, node("Conv", "xq w1", "c", "conv", pads=[1, 1]), node("MultiThreshold", "c table", "y", "levels")]
    nodes[-1].attribute.append(helper.make_attribute("out_dtype", "UINT2"))
    with pytest.raises(HwError, match=r"'levels'.*no data_layout.*\[channels-last\]"):
        read_qonnx(graph_of(nodes, constants, shape=(1, 2, 5)))
    nodes[-1].attribute.append(helper.make_attribute("data_layout", "NCW"))
    assert_equal_to_file(graph_of(nodes, constants, shape=(1, 2, 5)), tmp_path)


def test_an_input_quantized_twice_alike_is_one_input(tmp_path: Path) -> None:
    branches = [quant("x", "xq2", "qi"), CONV, conv("xq2 w", "d", "other", pad=1)]
    codes = [quant("c", "a", "q1", signed=1), quant("d", "b1", "q1", signed=1), node("Add", "a b1", "s", "add")]
    nodes = [IN, *branches, *codes, node("Relu", "s", "r"), ACT[1], *TAIL]
    assert_equal_to_file(graph_of(nodes, base()), tmp_path)
    nodes[1] = quant("x", "xq2", "qi", signed=1)
    with pytest.raises(HwError, match=r"second time, and differently.*\[input-quantizer\]"):
        read_qonnx(graph_of(nodes, base()))


def test_multi_threshold_bipolar_and_bipolar_weights(tmp_path) -> None:
    rng = np.random.default_rng(5)
    constants = base() | {
        "t": np.sort(rng.normal(size=(5, 3)), axis=1).astype(np.float32),
        "w2": rng.choice([-1.0, 1.0], (4, 5, 3, 3)).astype(np.float32),
        "one": np.float32(1),
        "t1": np.zeros((1, 1), np.float32),
    }
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("MultiThreshold", "c t", "q", "mt", out_dtype="UINT2"),
        conv("q w2", "c2", "conv2"),
        node("MultiThreshold", "c2 t1", "b1", "sign", out_dtype="BIPOLAR", out_scale=2.0, out_bias=-1.0),
        conv("b1 w3", "c3", "conv3", size=4),
        node("BipolarQuant", "c3 one", "y", "out"),
    ]
    constants["w3"] = rng.integers(-1, 2, (3, 4, 4, 4)).astype(np.float32)
    graph = assert_equal_to_file(graph_of(nodes, constants), tmp_path)
    assert Network(graph)["conv2"].weight_type == "BIPOLAR"


def steps(count: int, **attributes: object) -> ModelProto:
    table = np.sort(np.random.default_rng(0).normal(0, 2, (5, count)).astype(np.float32), axis=1)
    made = node("MultiThreshold", "c t", "q", "mt", out_dtype="UINT16", data_layout="NCHW", **attributes)
    big = np.random.default_rng(1).integers(-1, 2, (180, 3)).astype(np.float32)
    nodes = [IN, CONV, made, node("Flatten", "q", "fl"), node("MatMul", "fl big", "y", "fc")]
    return graph_of(nodes, base() | {"t": table, "big": big})


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_more_than_255_steps_are_read_and_built(io_type: str, tmp_path: Path) -> None:
    network = Network(assert_equal_to_file(steps(300), tmp_path, io_type, count=10))
    assert network["mt"].output.format.bits == 9


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (steps(4096), r"'mt'.*4,096 steps; quantize to at most 12 bits \[too-many-steps\]"),
        (steps(1400, out_bias=1.0, out_scale=3.0), r"'mt'.*4,200 steps.*\[too-many-steps\]"),
        (steps(0), r"'mt'.*thresholds of shape \(5, 0\) that are not ascending, or none"),
        (steps(3, out_scale=0.0), r"'mt'.*its out_scale is 0; expected a positive number"),
        (steps(3, out_bias=1e30), r"'mt'.*out_bias 1e\+30 is no simple multiple.*\[zero-point\]"),
    ],
)
def test_steps_that_cannot_be_read_have_their_reason(proto: ModelProto, message: str) -> None:
    with pytest.raises(HwError, match=message):
        read_qonnx(proto)


@pytest.mark.parametrize("zero", [2.0**24, 2.0**62])
def test_a_zero_point_beyond_exact_integers_is_refused(zero: float) -> None:
    constants = base() | {"z": np.float32(zero), "big": np.ones((180, 3), np.float32)}
    made = node("Quant", "c q1_s z bits", "q", "act", signed=0, narrow=0)
    nodes = [IN, CONV, made, node("Flatten", "q", "fl"), node("MatMul", "fl big", "y", "fc")]
    with pytest.raises(HwError, match=r"'act'.*zero point 1?[.\d]+e\+\d+.*\[zero-point\]"):
        read_qonnx(graph_of(nodes, constants))


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL"])
@pytest.mark.parametrize("version", [1, 2])
def test_the_lowest_bits_of_a_pool_are_dropped(version: int, mode: str) -> None:
    """Against qonnx's own functions, in its float64."""
    inputs = ["p", "step", "zero", "wide", *(["coarse"] if version == 2 else []), "bits"]
    attributes = {"rounding_mode": mode} | ({"signed": 0, "narrow": 0} if version == 2 else {})
    trunc = helper.make_node("Trunc", inputs, ["y"], "trunc", domain="qonnx.custom_op.general", **attributes)
    pool = node("AveragePool", "q", "p", "pool", kernel_shape=[4, 4], strides=[2, 2])
    constants = base() | {"step": np.float32(0.31 / 16), "coarse": np.float32(0.31), "wide": np.float32(8)}
    graph = assert_graph_equals_file(graph_of([IN, CONV, *ACT, pool, trunc], constants), count=20)
    assert [layer.kind for layer in Network(graph)] == ["Conv", "Threshold", "Conv", "Threshold"]


def test_a_trunc_of_version_1_behind_what_turns_is_refused() -> None:
    trunc = helper.make_node(
        "Trunc", ["p", "step", "zero", "wide", "bits"], ["y"], "t", domain="qonnx.custom_op.general"
    )
    constants = base() | {"step": np.float32(0.1), "wide": np.float32(8)}
    with pytest.raises(HwError, match=r"whose range is not told.*\[turning\]"):
        hw.read_qonnx(graph_of([IN, CONV, node("Mul", "c c", "p"), trunc], constants))
