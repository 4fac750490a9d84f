"""What stock hls4ml 1.3.0 refuses, crashes on or gets wrong on ternary QONNX; here each is exact (design §9)."""

from __future__ import annotations

import numpy as np
import pytest

from crq import export, hw
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import Mac
from tests.support.nets import Plain, frozen
from tests.support.qonnx_files import CONV, assert_equal_to_file, base, conv, graph_of, node, quant

RNG = np.random.default_rng(7)
ACT = [node("Relu", "c", "r"), quant("r", "q", "q1")]
HEAD = [quant("x", "xq", "qi"), CONV, *ACT]
FLAT = [node("Flatten", "a", "fl"), node("MatMul", "fl d", "y", "fc")]


def dense(inputs: int) -> dict[str, np.ndarray]:
    return {"d": RNG.integers(-1, 2, (inputs, 3)).astype(np.float32)}


CASES = {
    # α not a power of two, and batch norm: 1.9% of its outputs were exact
    "general alpha and batch norm": (
        [
            quant("x", "xq", "qi"),
            CONV,
            node("Mul", "c alpha", "m"),
            node("BatchNormalization", "m s t b1 v1", "c2"),
            node("Relu", "c2", "r"),
            quant("r", "a", "q1"),
            *FLAT,
        ],
        {
            "alpha": np.float32(0.137),
            **{k: RNG.uniform(0.5, 1.5, 5).astype("f4") for k in ("s", "t", "b1", "v1")},
            **dense(180),
        },
    ),
    "average pool": (
        [*HEAD, node("AveragePool", "q", "p", kernel_shape=[2, 2], strides=[2, 2]), quant("p", "a", "q1"), *FLAT],
        dense(45),
    ),
    "global average pool": ([*HEAD, node("GlobalAveragePool", "q", "p"), quant("p", "a", "q1"), *FLAT], dense(5)),
    "fan-out to a quantizer and an addition": (
        [*HEAD, quant("q", "q2", "q1", "two"), node("Add", "q q2", "z"), quant("z", "a", "q1"), *FLAT],
        {"two": np.float32(2), **dense(180)},
    ),
    "depthwise with general alpha": (
        [
            *HEAD,
            conv("q dw", "e", "dw", pad=1, group=5),
            node("Mul", "e alpha", "e2"),
            node("Relu", "e2", "e3"),
            quant("e3", "a", "q1"),
            *FLAT,
        ],
        {"dw": RNG.integers(-1, 2, (5, 1, 3, 3)).astype("f4"), "alpha": np.float32(0.71), **dense(180)},
    ),
    "per-channel alpha in the weights": (
        [
            quant("x", "xq", "qi"),
            conv("xq wc", "c", "conv", pad=1),
            node("Relu", "c", "r"),
            quant("r", "a", "q1"),
            *FLAT,
        ],
        {"wc": (RNG.integers(-1, 2, (5, 2, 3, 3)) * RNG.uniform(0.1, 1, (5, 1, 1, 1))).astype("f4"), **dense(180)},
    ),
    "convolution bias": (
        [
            quant("x", "xq", "qi"),
            conv("xq w cb", "c", "conv", pad=1),
            node("Relu", "c", "r"),
            quant("r", "a", "q1"),
            *FLAT,
        ],
        {"cb": RNG.normal(size=5).astype("f4"), **dense(180)},
    ),
    "dense bias": (
        [
            *HEAD,
            node("Flatten", "q", "fl"),
            node("Gemm", "fl d db", "h", "hidden"),
            node("Relu", "h", "h2"),
            quant("h2", "h3", "q1"),
            node("MatMul", "h3 f3", "y", "fc"),
        ],
        {"db": RNG.normal(size=3).astype("f4"), "f3": RNG.integers(-1, 2, (3, 2)).astype("f4"), **dense(180)},
    ),
    "general activation scales": ([*HEAD, quant("q", "a", "qi"), *FLAT], dense(180)),
    "residual": (
        [
            *HEAD,
            conv("q w5", "e", "conv2", pad=1),
            quant("e", "e2", "q1", signed=1),
            node("Add", "q e2", "z"),
            node("Relu", "z", "z2"),
            quant("z2", "a", "q1"),
            *FLAT,
        ],
        {"w5": RNG.integers(-1, 2, (5, 5, 3, 3)).astype("f4"), **dense(180)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_exact_here(case: str, tmp_path) -> None:
    nodes, constants = CASES[case]
    assert_equal_to_file(graph_of(nodes, base() | constants), tmp_path)


@pytest.mark.parametrize("case", ["global average pool", "average pool"])
def test_exact_here_in_parallel(case: str, tmp_path) -> None:
    nodes, constants = CASES[case]
    assert_equal_to_file(graph_of(nodes, base() | constants), tmp_path, io_type="io_parallel")


def test_distributed_arithmetic_is_an_adder_graph(tmp_path) -> None:
    """hls4ml's own name for it, for the model: every layer with weights is unrolled, and exact."""
    import hls4ml

    model = frozen(Plain)
    export.to_qonnx(model, tmp_path / "m.onnx")
    config = {"Model": {"Strategy": "distributed_arithmetic"}}
    hls4ml.converters.convert_from_onnx_model(
        str(tmp_path / "m.onnx"), hls_config=config, backend="crq", output_dir=str(tmp_path / "p")
    ).write()
    project = hw.open_project(tmp_path / "p")
    layers = [p for p in project.plan.processes if p.unit and isinstance(p.unit.layer, Mac)]
    assert layers
    for process in layers:
        assert process.unit is not None
        assert process.unit.is_unrolled(process.fold)
        assert f"struct {process.name}_adders" in (tmp_path / f"p/firmware/layers/{process.name}.h").read_text()
    fmt = project.network.inputs[0].format
    low = -(1 << (fmt.bits - 1)) if fmt.signed else 0
    images = np.random.default_rng(0).integers(low, low + (1 << fmt.bits), (8, *project.network.inputs[0].shape))
    expected = evaluate(project.network, images).reshape(8, -1)
    assert np.array_equal(project.integers(images, layout="NCHW").reshape(8, -1), expected)
