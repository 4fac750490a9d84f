"""benchmarks/area: what counts as the same circuit, and that a wrong one is caught."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.area.case import Case, eight_bit, layer_cases, random_case
from benchmarks.area.circuit import Circuit, framed, kept
from benchmarks.area.graphs import adder_graphs
from benchmarks.area.peers.widened import ADDER, NARROW, widened
from benchmarks.area.simulate import check, compared, vectors
from benchmarks.area.trees import adder_trees
from crq.errors import ToolError
from crq.hw.ir.layers import Format
from crq.hw.rtl.verilog import Design
from tests.support.random_graphs import GraphBuilder

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
SMALL = random_case("9x4", 4, 0.4, 1)
UNSIGNED = Case("unsigned", SMALL.matrix, 0, 7)


@needs_verilator
@pytest.mark.parametrize("case", [UNSIGNED, eight_bit(SMALL, 1)], ids=str)
def test_trees_are_exact(case: Case) -> None:
    verdict = check(framed(adder_trees(case), case), case, "xcup")
    assert verdict.exact
    assert verdict.vectors >= 300


@needs_verilator
def test_our_graphs_are_exact_in_the_fabrics_primitives() -> None:
    two, three = adder_graphs(UNSIGNED, "xcup")
    assert "crq_sum3" in three.design.sources["our_graph.sv"]
    assert three.adders < two.adders
    assert check(framed(three, UNSIGNED), UNSIGNED, "xcup").exact


@needs_verilator
def test_one_changed_adder_is_caught() -> None:
    trees = adder_trees(SMALL)
    text = trees.design.sources["trees.sv"]
    assert "s0_0 = p" in text
    line = next(part for part in text.split("\n") if " s0_0 = p" in part)
    changed = line.replace(" + ", " # ").replace(" - ", " + ").replace(" # ", " - ")
    wrong = trees._replace(design=Design("trees", {"trees.sv": text.replace(line, changed, 1)}))
    verdict = check(framed(wrong, SMALL), SMALL, "xcup")
    assert not verdict.exact
    assert verdict.outputs == 1
    assert str(verdict).startswith("WRONG on ")


@needs_verilator
def test_a_sum_that_is_wrong_at_its_greatest_only_is_caught() -> None:
    """Of 16 codes the sum is too small by one if all of them are 7, and never else."""
    case = Case("greatest", np.ones((16, 1), np.int64), -8, 7)
    trees = adder_trees(case)
    text = trees.design.sources["trees.sv"].replace("assign y = s3_0;", "assign y = s3_0 == 112 ? 111 : s3_0;")
    wrong = trees._replace(design=Design("trees", {"trees.sv": text}))
    verdict = check(framed(wrong, case), case, "xcup")
    assert 1 <= verdict.wrong <= 2


def test_vectors_reach_both_ends_of_every_output() -> None:
    for case in (SMALL, UNSIGNED):
        x, ends = vectors(case, 300), np.array([case.lo, case.hi])
        products = ends[:, None, None] * case.matrix
        sums = x @ case.matrix
        assert len(x) == 300
        assert (x.min(), x.max()) == (case.lo, case.hi)
        np.testing.assert_array_equal(sums.min(0), products.min(0).sum(0))
        np.testing.assert_array_equal(sums.max(0), products.max(0).sum(0))
        assert sums.min() >= -(1 << (case.out.bits - 1))
        assert sums.max() < 1 << (case.out.bits - 1)


def test_a_verdict_counts_vectors_and_outputs() -> None:
    expected = np.zeros((5, 3), np.int64)
    found = expected.copy()
    assert str(compared(found, expected)) == "exact on 5 vectors"
    found[[1, 1, 4], [0, 2, 2]] = 1
    assert compared(found, expected) == (5, 2, 2)


def test_ports_are_the_same_whatever_a_form_leaves_out() -> None:
    """An input that is not used, an output without a bit, one without a sign."""
    case = Case("three", np.array([[1, 0, 1], [0, 0, 0], [1, 0, 0]]), 0, 3)
    design = Design("form", {"form.sv": "module form (input [3:0] x, output [4:0] y);\nendmodule\n"})
    circuit = Circuit("form", design, (2, 0, 2), (Format(3, False), Format(0, False), Format(2, True)), 1, 1)
    text = framed(circuit, case).sources["area_top.sv"]
    assert "input [5:0] x, output [11:0] y" in text
    assert "form u_form ({x[4+:2], x[0+:2]}, made);" in text
    assert "y[0+:4] = 4'($signed({1'b0, made[0+:3]}))" in text
    assert "y[4+:4] = 4'($signed({1'b0, 1'b0}))" in text
    assert "y[8+:4] = 4'($signed(made[3+:2]))" in text


def test_wires_between_adders_are_kept() -> None:
    assert kept("  wire [3:0] v1; assign v1 = x;\nassign y = v1;") == (
        "  (* keep *) wire [3:0] v1; assign v1 = x;\nassign y = v1;"
    )


def test_da4mls_adder_is_widened_in_one_place_or_not_at_all() -> None:
    circuit = Circuit("da4ml, untraced", Design("g", {ADDER: f"before\n{NARROW}after\n", "g.v": "g"}), (), (), 1, 1)
    found = widened(circuit)
    assert found.form == "da4ml, untraced, adders widened"
    assert found.design.sources["g.v"] == "g"
    assert "BW_ADD = (BW_SUM > BW_OUT) ? BW_SUM : BW_OUT" in found.design.sources[ADDER]
    with pytest.raises(ToolError, match="not that of da4ml 0.5.2"):
        widened(found)


def test_the_matrices_of_a_file(tmp_path: Path) -> None:
    g = GraphBuilder((3, 5, 5), "INT3")
    wrapper = g.finish(g.matmul(g.flatten(g.threshold(g.conv("x", 4), bits=2)), 6))
    wrapper.save(str(tmp_path / "net.onnx"))
    cases = list(layer_cases(tmp_path / "net.onnx"))
    assert [(c.matrix.shape, c.lo, c.hi) for c in cases] == [((27, 4), -4, 3), ((36, 6), 0, 3)]
    assert all(c.name.startswith("net ") for c in cases)
