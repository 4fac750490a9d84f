"""Sums of products in every way they are built, against plain loops: folded, unrolled, grouped, dilated, integer."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.rtl.generate import generate, generate_unit
from crq.hw.rtl.verilator import beats, lint, run_network
from tests.support import reference
from tests.support.random_graphs import GraphBuilder
from tests.support.rtl_projects import needs_verilator

SAME = (1, 1, 1, 1)
BRANCHES = [
    ({}, Fold(2, 3)),  # several chunks, several blocks
    ({}, Fold(4, 36)),  # unrolled
    ({"group": 2}, Fold(2, 6)),  # the lanes of a group share their operands
    ({"group": 4}, Fold(4, 9)),  # each lane has its own, unrolled
    ({"group": 4}, Fold(2, 3)),  # each lane has its own
    ({"dilations": (2, 2), "pads": (2, 2, 2, 2)}, Fold(1, 12)),
    ({"kernel": (1, 1), "pads": (0, 0, 0, 0), "weight_type": "INT8"}, Fold(2, 2)),  # signed digits
    ({"kernel": (1, 1), "pads": (0, 0, 0, 0), "weight_type": "INT4"}, Fold(4, 4)),
    ({}, Fold(2, 2, form=FOLDED)),
    ({"group": 2}, Fold(2, 1, form=FOLDED)),
    ({"group": 4}, Fold(2, form=FOLDED)),
    ({"kernel": (1, 1), "pads": (0, 0, 0, 0), "weight_type": "INT8"}, Fold(2, 4, form=FOLDED)),
]  # fmt: skip


def network_of_branches() -> Network:
    """Convolutions of one signed image, side by side; none has thresholds, so that every bit of the sums is seen."""
    g = GraphBuilder((4, 5, 4), "INT3", seed=7)
    outputs = [g.conv("x", 4, **{"pads": SAME, **options}) for options, _ in BRANCHES]
    return Network(g.finish(g.concat(*outputs)))


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
def test_every_way_to_sum_products_is_bit_exact(tmp_path: Path) -> None:
    network = network_of_branches()
    folds = iter(fold for _, fold in BRANCHES)
    chosen = {u.name: next(folds) if u.layer.kind == "Conv" else Fold(1) for u in units(network)}
    for unit in units(network)[: len(BRANCHES)]:
        assert chosen[unit.name] in unit.legal_folds(), unit.name
    lint(generate(network, chosen), tmp_path / "lint")
    images = np.random.default_rng(8).integers(-4, 4, (3, 4, 5, 4))
    images[0] = -4  # whose complement has no opposite
    found = run_network(network, chosen, tmp_path / "sim", images)
    expected = beats(reference.run(network.model, images)[network.outputs[0].name])
    values = found.values.reshape(len(expected), -1)
    for i, (options, fold) in enumerate(BRANCHES):
        part = slice(4 * i, 4 * i + 4)
        np.testing.assert_array_equal(values[:, part], expected[:, part], err_msg=f"{options} {fold}")


def dense(weights: list[list[int]], fold: Fold, dtype: str = "UINT2") -> tuple[dict[str, str], str]:
    """Memories and Verilog of a dense layer; `weights` one row per output."""
    g = GraphBuilder((len(weights[0]),), dtype)
    network = Network(g.finish(g.matmul("x", len(weights), weights=np.array(weights).T)))
    [unit] = units(network)
    design = generate_unit(unit, fold)
    return design.memories, design.sources["unit_fc1.sv"]


def test_words_of_the_weights_are_flags_of_non_zeros_then_of_signs() -> None:
    memories, text = dense([[1, -1, 0, 1], [0, 0, -1, -1]], Fold(1, 2))
    steps = [int(line, 16) for line in memories["fc1_w.mem"].split()]
    # lowest first: non-zero of product 0 and 1, negative of product 0 and 1
    assert [f"{word:04b}" for word in steps] == ["1011", "0010", "0000", "1111"]
    assert re.findall(r"crq_rom #\(\.WIDTH\(4\), \.DEPTH\(4\)", text)


def test_lanes_of_one_step_lie_beside_each_other() -> None:
    memories, _ = dense([[1, -1, 0, 1], [0, 0, -1, -1]], Fold(2, 4))
    assert memories == {}  # a layer of one step has its weights built in
    memories, _ = dense([[1, -1, 0, 1], [0, 0, -1, -1]], Fold(2, 2))
    steps = [int(line, 16) for line in memories["fc1_w.mem"].split()]
    assert [f"{word:08b}" for word in steps] == ["0000" + "1011", "1111" + "0010"]


def test_sums_start_with_what_complements_are_more() -> None:
    """-x is computed as 3 - x for words of two bits; the result has five bits."""
    memories, _ = dense([[1, -1, 0, 1], [0, 0, -1, -1], [1, 1, 1, 1]], Fold(1, 2))
    assert [int(line, 16) for line in memories["fc1_start.mem"].split()] == [32 - 3, 32 - 6, 0]


def test_unrolled_weights_are_an_adder_graph() -> None:
    """Zeros have no adder; a channel of zeros is a constant."""
    g = GraphBuilder((4, 1, 1), "UINT2")
    network = Network(g.finish(g.matmul(g.flatten("x"), 2, weights=np.array([[1, -1, 0, 1], [0, 0, 0, 0]]).T)))
    [unit] = units(network)
    design = generate_unit(unit, Fold(2, 4))
    assert ".x(" in design.sources[f"unit_{unit.name}.sv"]
    text = design.sources[f"{unit.name}_sums.sv"]
    assert text.count("crq_sum3") == 1
    assert "wire [1:0] v2 = x[6+:2];  // input 3" in text
    assert re.search(r"assign y\[(\d)\+:\1\] = \1'b0;", text)


@pytest.mark.parametrize(("style", "block"), [("auto", "0"), ("lut", "0"), ("bram", "1")])
def test_weights_lie_where_they_are_put(style: str, block: str) -> None:
    _, text = dense([[1, -1, 0, 1], [0, 0, -1, -1]], Fold(1, 2, style))
    [rom] = re.findall(r"crq_rom #\((.*?)\) u_weight_rom", text)
    assert f".BLOCK({block})" in rom


@pytest.mark.parametrize("form", ["parallel", FOLDED])
def test_both_forms_read_the_same_weights_in_the_same_order(form: str) -> None:
    """A layer of one pixel: the channels of a step lie side by side."""
    memories, _ = dense([[1, -1, 0, 1], [0, 0, -1, -1]], Fold(1, 2, form=form))
    assert memories["fc1_w.mem"].split() == ["b", "2", "0", "f"]


def test_weights_that_are_all_alike_are_no_memory() -> None:
    """Those of an average pool, in either form."""
    g = GraphBuilder((4, 4, 4), "UINT2")
    network = Network(g.finish(g.sum_pool("x", (2, 2))))
    [unit] = units(network)
    for fold in (Fold(2, 1), Fold(2, form=FOLDED)):
        design = generate_unit(unit, fold)
        assert not any(name.endswith("_w.mem") for name in design.memories)
        assert "assign weights = 4'h5;" in design.sources["unit_conv1.sv"]


@needs_verilator
@pytest.mark.parametrize("fold", [Fold(2, 3)])
def test_the_chunks_of_a_group_are_counted_and_not_divided(fold: Fold, tmp_path: Path) -> None:
    """Each group's chunks pass once per block of its channels, then those of the next group follow."""
    g = GraphBuilder((4, 4, 4), "UINT4", seed=3)
    network = Network(g.finish(g.conv("x", 8, group=2)))
    [unit] = units(network)
    text = generate_unit(unit, fold).sources["unit_conv1.sv"]
    assert "crq_group #(" in text
    assert not re.search(r" [/%] ", re.sub(r"//.*", "", text))
    x = np.random.default_rng(0).integers(0, 16, (2, 4, 4, 4))
    found = run_network(network, {"conv1": fold}, tmp_path, x, stall=True)
    np.testing.assert_array_equal(found.values, beats(evaluate(network, x), fold.pe))
