"""The RTL form against the golden model and the cycle model: every kind of unit, both forms; whole networks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from crq.hw.dataflow.schedule import cycles
from crq.hw.dataflow.streams import fifo_depths, pipeline
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.rtl.generate import generate, generate_unit
from crq.hw.rtl.verilator import beats, lint, run, run_network
from tests.support import random_graphs
from tests.support.random_graphs import GraphBuilder
from tests.support.rtl_cases import STREAMS, WINDOWS, built
from tests.support.rtl_units import Outcome, simulate, stimuli

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")


def cases(seed: int, each: int = 1) -> dict[str, tuple[Unit, Fold]]:
    """Every window in both forms under `each` foldings, every stream under its narrowest one or `each` others."""
    rng, result = np.random.default_rng(seed), dict[str, tuple[Unit, Fold]]()
    for name in WINDOWS | STREAMS:
        legal = built(name, 0).legal_folds()
        if name in STREAMS:
            chosen = legal[:1] if each == 1 else legal[-each:]
        else:
            forms = [[f for f in legal if (f.form == FOLDED) == folded] for folded in (True, False)]
            chosen = [form[i] for form in forms for i in rng.permutation(len(form))[:each]]
        for fold in chosen:
            result[f"{name}: {fold.form} {fold.pe} x {fold.simd}"] = built(name, len(result) + 1), fold
    return result


CASES = cases(0)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return simulate(CASES, tmp_path_factory.mktemp("units"))


def check(found: Outcome, case: str) -> None:
    np.testing.assert_array_equal(found.values, found.expected, err_msg=case)
    np.testing.assert_array_equal(found.hesitant, found.expected, err_msg=f"{case}, hesitant")
    np.testing.assert_array_equal(found.cycles, found.model, err_msg=f"{case}, cycles")


@needs_verilator
@pytest.mark.parametrize("case", CASES)
def test_unit_is_bit_exact_and_takes_the_cycles_of_the_model(case: str, outcomes: dict[str, Outcome]) -> None:
    """At full speed and where both sides hesitate."""
    check(outcomes[case], case)


def hurried(chosen: dict[str, tuple[Unit, Fold]], fetch: int) -> dict[str, tuple[Unit, Fold]]:
    """With the registers of a fast clock."""
    return {case: (unit, fold._replace(fetch=fetch, quick=1)) for case, (unit, fold) in chosen.items()}


@needs_verilator
def test_registers_of_a_fast_clock_take_their_cycles_and_change_no_integer(tmp_path: Path) -> None:
    chosen = dict(list(CASES.items())[::5])
    for case, found in simulate(hurried(chosen, 1), tmp_path).items():
        check(found, case)


@needs_verilator
def test_rows_that_a_stride_skips_may_come_after_they_are_freed(tmp_path: Path) -> None:
    """Few steps per output pixel: the reader ends a row before the skipped one is there."""
    g = GraphBuilder((2, 8, 8), "UINT4")
    pool = units(Network(g.finish(g.max_pool("x", (2, 2), (3, 3)))))[0]
    skipping = built("stride above the kernel", 1), pool
    chosen = {u.name: (u, [f for f in u.legal_folds() if f.form == FOLDED][-1]) for u in skipping}
    for case, found in simulate(chosen, tmp_path).items():
        check(found, case)


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_units_under_other_foldings(seed: int, tmp_path: Path) -> None:
    chosen = cases(seed, 2)
    for case, found in simulate(hurried(chosen, seed) if seed < 3 else chosen, tmp_path).items():
        check(found, case)


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("case", cases(5))
def test_units_are_free_of_warnings(case: str, tmp_path: Path) -> None:
    lint(generate_unit(*cases(5)[case]), tmp_path)


def mixture(network: Network, seed: int) -> dict[str, Fold]:
    """Any legal folding for each unit, more often of the folded form."""
    rng, result = np.random.default_rng(seed), {}
    for unit in units(network):
        legal = [f for f in unit.legal_folds() if cycles(unit, f).interval <= 2500]
        folded = [f for f in legal if f.form == FOLDED]
        pool = folded if folded and rng.random() < 0.6 else legal
        result[unit.name] = pool[rng.integers(len(pool))]
    return result


def check_network(name: str, seed: int, folder: Path, images: int = 4) -> None:
    """Bit-exact whoever waits; from the second image on at the interval of the model, and the first one not earlier
    than if no FIFO were ever full."""
    model = getattr(random_graphs, name)(seed)
    network = Network(model)
    folds = mixture(network, seed)
    x = random_graphs.random_input(model, images).reshape(images, *network.inputs[0].shape)
    shape = network.carried(network.outputs[0]).shape
    last = next(u for u in units(network) if u.output is network.carried(network.outputs[0]))
    expected = beats(evaluate(network, x).reshape(images, *shape), folds[last.name].pe)
    hesitant = run_network(network, folds, folder / "hesitant", x, stall=True)
    np.testing.assert_array_equal(hesitant.values, expected)
    found = run_network(network, folds, folder / "plain", x)
    np.testing.assert_array_equal(found.values, expected)
    ends, wanted = found.cycles.reshape(images, -1)[:, -1], pipeline(network, folds)
    assert ends[-1] - ends[-2] == wanted.interval
    assert wanted.latency <= ends[0] + 1 <= 1.05 * wanted.latency


@needs_verilator
@pytest.mark.parametrize(("name", "seed"), [("residual_net", 1), pytest.param("u_net", 2, marks=pytest.mark.slow)])
def test_networks_under_a_mixture_of_foldings(name: str, seed: int, tmp_path: Path) -> None:
    check_network(name, seed, tmp_path)


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 14))
@pytest.mark.parametrize("name", random_graphs.NETWORKS)
def test_networks_under_many_mixtures(name: str, seed: int, tmp_path: Path) -> None:
    network = Network(random_graphs.NETWORKS[name](seed))
    lint(generate(network, mixture(network, seed)), tmp_path / "lint")
    check_network(name, seed, tmp_path)


@needs_verilator
def test_a_converter_that_joins_beats_sets_the_pace(tmp_path: Path) -> None:
    """The latency of a sum whose operands come in parts and joined, to the cycle."""
    g = GraphBuilder((4, 4, 4), "UINT4", seed=6)
    network = Network(g.finish(g.add(g.conv("x", 8), g.conv("x", 8))))
    folds = {"conv1": Fold(8, 4, form=FOLDED), "conv2": Fold(1, 4, form=FOLDED), "add3": Fold(4)}
    x = np.random.default_rng(0).integers(0, 16, (1, 4, 4, 4))
    found, wanted = run_network(network, folds, tmp_path, x), pipeline(network, folds)
    np.testing.assert_array_equal(found.values, beats(evaluate(network, x), 4))
    assert (found.cycles[0], found.cycles[-1]) == (wanted.first_output["add3"], wanted.latency - 1)


@needs_verilator
def test_a_fault_in_a_memory_is_seen(tmp_path: Path) -> None:
    """One bit of each weight, and one of each threshold."""
    unit, fold = built("depthwise", 0), Fold(1, form=FOLDED)
    images, expected = stimuli(unit)
    design = generate_unit(unit, fold)
    given = [(beats(images[0], 1), unit.layer.input.format)]
    found = run(design, tmp_path, given, unit.output.format, 1, expected.size)
    np.testing.assert_array_equal(found.values, beats(expected, 1))
    right = (tmp_path / "out.txt").read_text()
    for end, bit in (("_w.mem", 1), ("_s0.mem", 2)):
        [file] = [name for name in design.memories if name.endswith(end)]
        wrong = [f"{int(line, 16) ^ bit:x}" for line in design.memories[file].split()]
        (tmp_path / file).write_text("\n".join(wrong))
        subprocess.run(["obj/Vbench"], cwd=tmp_path, capture_output=True, check=True)
        assert (tmp_path / "out.txt").read_text() != right
        (tmp_path / file).write_text(design.memories[file])


def test_fifos_and_converters_stand_where_beats_differ() -> None:
    g = GraphBuilder((4, 5, 5), "UINT4")
    network = Network(g.finish(g.bias(g.threshold(g.conv("x", 6), 3))))
    folds = {"conv1": Fold(3, 2, form=FOLDED), "bias3": Fold(2)}
    text = generate(network, folds).sources["network.sv"]
    assert (text.count("crq_narrow #(.WIDTH(3), .N(3))"), text.count("crq_widen #(.WIDTH(3), .N(2))")) == (1, 1)
    depths = fifo_depths(network, folds)
    assert text.count("crq_fifo #") == sum(depth > 0 for depth in depths.values())
    same = generate(network, {"conv1": Fold(2, 2, form=FOLDED), "bias3": Fold(2)}).sources["network.sv"]
    assert "crq_narrow" not in same
    assert "crq_widen" not in same


def test_a_unit_is_generated_behind_its_streams() -> None:
    """Beats of six channels, of which a memory takes four at once."""
    g = GraphBuilder((12, 5, 5), "UINT4")
    [unit] = units(Network(g.finish(g.conv("x", 2))))
    fold = Fold(2, 4, form=FOLDED)
    design = generate_unit(unit, fold, (6,), {("conv1", 0): 7})
    assert design.top == "unit_conv1_with_streams"
    text = design.sources["unit_conv1_with_streams.sv"]
    assert "crq_fifo #(.WIDTH(24), .DEPTH(7), .BLOCK(0), .FLAGS(0))" in text
    assert "crq_narrow #(.WIDTH(8), .N(3))" in text
    assert "crq_widen #(.WIDTH(8), .N(2))" in text
    assert generate_unit(unit, fold).top == "unit_conv1"
