"""The class in hardware: NumPy's argmax of the scores in every form, of ties and of the ends of their range."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from crq import hw
from crq.hw.dataflow.units import divisors, units
from crq.hw.ir.layers import ArgMax
from tests.support.scores import scores_of

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")


def codes(model: ModelProto, signed: int) -> np.ndarray:
    """All equal, two that are equal and the greatest, each alone at an end, and random ones of few values."""
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
    low, high = (-16, 15) if signed else (0, 31)
    rng = np.random.default_rng(7)
    same = [np.full(shape, value) for value in (low, 0, high)]
    few = rng.integers(high - 2, high + 1, (20, *shape))
    lowest = np.where(rng.random((10, *shape)) < 0.2, low + 1, low)
    return np.concatenate([same, few, lowest, rng.integers(low, high + 1, (20, *shape))])


def scores(model: ModelProto, x: np.ndarray) -> np.ndarray:
    """By NumPy from the file's own weights."""
    from onnx import numpy_helper

    [weights] = [numpy_helper.to_array(i) for i in model.graph.initializer if i.name == "w"]
    if x.ndim == 2:
        return x @ weights.astype(np.int64)
    return np.einsum("oi,nihw->nohw", weights[:, :, 0, 0].astype(np.int64), x)


QUICK = [(10, 0, 1), (6, 1, 3)]
"""Classes, whether they have a sign, and pixels in a row."""
MORE = [(2, 1, 1), (7, 1, 1), (9, 0, 2)]
CASES = [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE)]


@pytest.mark.parametrize("target", ["hls", pytest.param("rtl", marks=needs_verilator)])
@pytest.mark.parametrize(("classes", "signed", "size"), CASES)
def test_the_class_is_numpys(classes: int, signed: int, size: int, target: str, tmp_path: Path) -> None:
    model = scores_of(classes, signed, size)
    x = codes(model, signed)
    lanes = divisors(classes)[len(divisors(classes)) // 2]
    project = hw.build(model, tmp_path / "p", target=target, argmax=True, folding={"argmax": (1, lanes)})
    found, expected = project.simulate(x), scores(model, x).argmax(1)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)
    assert project.folds["argmax"][:2] == (1, lanes)
    assert project.network.outputs[0].format.bits == (classes - 1).bit_length()


@pytest.mark.parametrize("target", ["hls", pytest.param("rtl", marks=needs_verilator)])
def test_unrolled_networks_give_classes_too(target: str, tmp_path: Path) -> None:
    model = scores_of(6, 1, 2)
    x = codes(model, 1)
    project = hw.build(model, tmp_path / "p", target=target, argmax=True, io_type="io_parallel")
    np.testing.assert_array_equal(project.simulate(x), scores(model, x).argmax(1))


@pytest.mark.slow
def test_synthesis_branch_and_ap_types_agree(tmp_path: Path) -> None:
    model = scores_of(10, 1)
    x = codes(model, 1)
    project = hw.build(model, tmp_path / "p", argmax=True, folding={"argmax": (1, 5)})
    for mode in ("ap", "hls"):
        np.testing.assert_array_equal(project.simulate(x, mode=mode), scores(model, x).argmax(1))


def test_a_files_own_argmax_keeps_its_shape_and_its_host_module_agrees(tmp_path: Path) -> None:
    """The result of a project with argmax is that of one whose host applies the file's."""
    model = scores_of(6, 1, 3, head=True)
    x = codes(model, 1)
    by_host = hw.build(model, tmp_path / "host")
    project = hw.build(model, tmp_path / "hardware", argmax=True)
    np.testing.assert_array_equal(project.simulate(x), by_host.simulate(x))
    text = (tmp_path / "hardware" / "host.py").read_text()
    module: dict = {}
    exec(compile(text, "host.py", "exec"), module)
    np.testing.assert_array_equal(module["results"](project.integers(x)), by_host.simulate(x))


@pytest.mark.slow
@needs_verilator
def test_the_cycle_model_holds_and_back_pressure_does_no_harm(tmp_path: Path) -> None:
    project = hw.build(scores_of(6, 1, 3), tmp_path / "p", target="rtl", argmax=True, folding={"argmax": (1, 2)})
    proofs = {proof.name: proof for proof in project.check()}
    for name in ("lint", "cycles", "back-pressure", "resets"):
        assert proofs[name].ok, proofs[name]


def test_the_report_has_the_unit(tmp_path: Path) -> None:
    project = hw.build(scores_of(10, 1), tmp_path / "p", target="rtl", argmax=True)
    [unit] = [unit for unit in units(project.network) if isinstance(unit.layer, ArgMax)]
    report = project.report()
    [cost] = [found for found in report.estimate.units if found.name == unit.name]
    assert cost.total.lut > 0
    assert "ArgMax" in report.trust
