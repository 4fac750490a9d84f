"""Real values to codes and back: the file's own first steps, on the host, in `Project` and in the project's host.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq import hw
from crq.hw.ir.graph import Network
from crq.hw.ir.host import clipped, to_codes, to_values
from crq.hw.read import read_qonnx
from crq.hw.verify.float64.evaluate import Float64File
from crq.hw.verify.live import verify
from tests.support.qonnx_files import CONV, base, graph_of, node, quant

# 2·x − 1 and a scale per channel before the first Quant; a last bias that is no whole number of output units.
NODES = [
    node("Mul", "x two", "x1"), node("Sub", "x1 one", "x2"), node("Div", "x2 std", "x3"),
    quant("x3", "xq", "qi", signed=1), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"),
    node("GlobalAveragePool", "q", "p", "gap"), quant("p", "pq", "q2"), node("Flatten", "pq", "fl"),
    node("Gemm", "fl f bias", "y", "fc"),
]  # fmt: skip
CONSTANTS = base() | {
    "q2_s": np.float32(0.31), "two": np.float32(2), "one": np.float32(1),
    "std": np.array([0.25, 0.75], np.float32).reshape(1, 2, 1, 1), "bias": np.array([5, -7, 3.3], np.float32),
}  # fmt: skip
PROTO = graph_of(NODES, CONSTANTS)
NETWORK = Network(read_qonnx(PROTO))


@given(st.integers(0, 2**32 - 1))
def test_codes_survive_the_way_to_the_file_and_back(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(-8, 8, (3, 2, 6, 6))
    assert np.array_equal(to_codes(NETWORK, to_values(NETWORK, codes)), codes)


@given(st.integers(0, 2**32 - 1))
def test_any_value_gives_the_code_of_the_files_first_quantizer(seed: int) -> None:
    values = np.random.default_rng(seed).normal(0.5, 2, (1, 2, 6, 6))
    quantized = Float64File(PROTO).run(values)["xq"] / np.float64(np.float32(0.07))
    assert np.array_equal(to_codes(NETWORK, values), np.rint(quantized))


def test_what_lies_beyond_the_codes_is_counted() -> None:
    values = to_values(NETWORK, np.random.default_rng(2).integers(-8, 8, (2, 2, 6, 6)))
    assert clipped(NETWORK, values, to_codes(NETWORK, values)).tolist() == [0, 0]
    values[0, 1] = 1e6
    values[1, 0, 0, 0] = -1e6
    assert clipped(NETWORK, values, to_codes(NETWORK, values)).tolist() == [1 / 72, 36 / 72]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> hw.Project:
    return hw.build(PROTO, tmp_path_factory.mktemp("preprocessing") / "p", project_name="net")


def test_the_host_snippet_does_what_the_project_does(project: hw.Project) -> None:
    host: dict = {}
    exec((project.directory / "host.py").read_text(), host)
    values = np.random.default_rng(1).normal(0.5, 1, (20, 2, 6, 6))
    codes = host["quantize"](values)
    assert np.array_equal(codes, to_codes(project.network, values))
    logits = project.simulate(values, quantize=True)
    assert np.array_equal(host["logits"](project.integers(codes)), logits)
    expected = np.concatenate([Float64File(PROTO).run(x)["y"] for x in values])
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)


def test_accuracy_is_that_of_the_logits_with_their_offset(project: hw.Project) -> None:
    codes = np.random.default_rng(2).integers(-8, 8, (50, 2, 6, 6))
    labels = project.simulate(codes).argmax(1)
    assert len(set(labels)) > 1 or project.network.scores[0].offset.any()

    def share(logits: np.ndarray) -> dict[str, float]:
        return {"accuracy": float((logits.argmax(1) == labels).mean())}

    assert verify(project, codes, score=share).figures == {"accuracy": 1.0}


def test_images_of_a_data_set_run_on_a_file_with_another_input(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from crq.hw.cli.check import check

    nodes = [node("Sub", "x half", "x0"), quant("x0", "xq", "qi", signed=1), CONV, node("Relu", "c", "r")]
    constants = base() | {"half": np.float32(0.5), "w": base()["w"][:, :1]}
    onnx.save(graph_of([*nodes, quant("r", "y", "q1")], constants, shape=(1, 1, 8, 8)), tmp_path / "digits.onnx")
    done = CliRunner().invoke(check, [str(tmp_path / "digits.onnx"), "--data", "digits:test", "--limit", "20"])
    assert done.exit_code == 0, done.output
    assert done.output.count("equal ") == 4
