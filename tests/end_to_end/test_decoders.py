"""Networks that grow again, as ONNX files: file = integer graph = C simulation = Verilog simulation."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from crq import hw
from tests.support.qonnx_files import assert_graph_equals_file, base, codes, conv, graph_of, node, quant, run

RNG = np.random.default_rng(5)
UP = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def ternary(*shape: int) -> np.ndarray:
    return (RNG.integers(-1, 2, shape) * 0.25).astype(np.float32)


def autoencoder() -> ModelProto:
    """Down by a stride, up by a transposed convolution and by PixelShuffle."""
    constants = base() | {"w1": ternary(4, 2, 3, 3), "w2": ternary(4, 4, 4, 4), "w3": ternary(8, 4, 3, 3),
                          "w4": ternary(1, 2, 1, 1)}  # fmt: skip
    nodes = [
        quant("x", "xq", "qi"), conv("xq w1", "c1", "down", pad=1, strides=[2, 2]), node("Relu", "c1", "r1"),
        quant("r1", "q1", "q1"), node("ConvTranspose", "q1 w2", "c2", "up", strides=[2, 2], pads=[1] * 4),
        node("Relu", "c2", "r2"), quant("r2", "q2", "q1"), conv("q2 w3", "c3", "more", pad=1),
        quant("c3", "q3", "q1", signed=1), node("DepthToSpace", "q3", "q4", "shuffle", blocksize=2, mode="CRD"),
        conv("q4 w4", "y", "last", size=1),
    ]  # fmt: skip
    return graph_of(nodes, constants)


def u_net() -> ModelProto:
    """Two pixels in place of each beside a skip, which waits meanwhile."""
    constants = base() | {"w1": ternary(3, 2, 3, 3), "w2": ternary(4, 3, 3, 3), "w3": ternary(4, 7, 3, 3),
                          "none": np.zeros(0, np.float32), "twice": np.array([1, 1, 2, 2], np.float32),
                          "w4": ternary(2, 4, 1, 1)}  # fmt: skip
    nodes = [
        quant("x", "xq", "qi"), conv("xq w1", "c1", "first", pad=1), quant("c1", "skip", "q1", signed=1),
        node("MaxPool", "skip", "p", "pool", kernel_shape=[2, 2], strides=[2, 2]), conv("p w2", "c2", "deep", pad=1),
        quant("c2", "q2", "q1", signed=1), node("Resize", "q2 none twice", "up", "up", **UP),
        node("Concat", "up skip", "both", "both", axis=1), conv("both w3", "c3", "third", pad=1),
        node("Relu", "c3", "r3"), quant("r3", "q3", "q1"), conv("q3 w4", "y", "last", size=1),
    ]  # fmt: skip
    return graph_of(nodes, constants)


NETWORKS = {"autoencoder": autoencoder, "u-net": u_net}


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("name", NETWORKS)
def test_c_simulation(name: str, io_type: str, tmp_path: Path) -> None:
    proto = NETWORKS[name]()
    graph = assert_graph_equals_file(proto, count=4)
    x = codes(graph, 20)
    project = hw.build(proto, tmp_path, io_type=io_type)
    wanted = run(graph, x).reshape(len(x), -1)
    np.testing.assert_array_equal(project.integers(x).reshape(len(x), -1), wanted)
    np.testing.assert_array_equal(project.integers(x[:6], mode="ap").reshape(6, -1), wanted[:6])


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
@pytest.mark.parametrize(("name", "options"), [
    ("autoencoder", {"target_fps": 1}), pytest.param("autoencoder", {"target_fps": 1e6}, marks=pytest.mark.slow),
    pytest.param("autoencoder", {"io_type": "io_parallel"}, marks=pytest.mark.slow),
    ("u-net", {"target_fps": 300_000}), pytest.param("u-net", {"target_fps": 1}, marks=pytest.mark.slow),
    pytest.param("u-net", {"io_type": "io_parallel"}, marks=pytest.mark.slow),
])  # fmt: skip
def test_verilog_simulation(name: str, options: dict, tmp_path: Path) -> None:
    """Folded to the least, fast, and unrolled."""
    proto = NETWORKS[name]()
    graph = assert_graph_equals_file(proto, count=1)
    x = codes(graph, 6)
    project = hw.build(proto, tmp_path, target="rtl", fit_check=False, **options)
    np.testing.assert_array_equal(project.integers(x).reshape(len(x), -1), run(graph, x).reshape(len(x), -1))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["hls", "rtl"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_proof_holds(name: str, target: str, tmp_path: Path) -> None:
    proofs = hw.build(NETWORKS[name](), tmp_path, target=target).check()
    assert [str(p) for p in proofs if not p.ok and not p.skipped] == []
