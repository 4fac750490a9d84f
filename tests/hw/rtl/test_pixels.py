"""Modules of a pixel: their ports, and constants that are built in. What they compute is in test_parallel.py."""

from __future__ import annotations

import numpy as np

from crq.hw.dataflow.units import Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format
from crq.hw.rtl.pixels import maximum_module, pixel_module, sums_format
from crq.hw.rtl.verilog import Design
from tests.support.random_graphs import GraphBuilder


def made(g: GraphBuilder, output: str) -> tuple[Unit, str]:
    design, unit = Design("pixel"), units(Network(g.finish(output)))[-1]
    return unit, design.sources[f"{pixel_module(unit, design)}.sv"]


def test_a_bias_is_built_in() -> None:
    g = GraphBuilder((2, 3, 3), "UINT4")
    _, text = made(g, g.bias("x", np.array([3, -2])))
    assert "input logic [7:0] in0" in text
    assert "output logic [11:0] out" in text
    assert "values[0+:6] = {2'b0, in0[0+:4]} + 6'h3;" in text
    assert "values[6+:6] = {2'b0, in0[4+:4]} + 6'h3e;" in text


def test_a_sign_that_stays_is_wires() -> None:
    g = GraphBuilder((2, 3, 3), "INT4")
    _, text = made(g, g.negate("x", np.array([1, -1])))
    assert [line.split("= ")[1][0] for line in text.splitlines() if "assign values" in line] == ["{", "-"]


def test_sums_enter_with_the_bits_of_their_thresholds() -> None:
    g = GraphBuilder((4, 3, 3), "UINT4")
    weights = np.ones((2, 4, 1, 1), np.int64)
    unit, text = made(g, g.threshold(g.conv("x", 2, (1, 1), weights=weights), 2))
    assert sums_format(unit) == Format(7, True)
    assert "input logic [13:0] in0" in text
    assert text.count("crq_compare") == 2


def test_a_maximum_has_as_many_operands_as_lie_inside() -> None:
    g = GraphBuilder((2, 4, 4), "INT4")
    design, unit = Design("pixel"), units(Network(g.finish(g.max_pool("x"))))[-1]
    text = design.sources[f"{maximum_module(unit, 3, design)}.sv"]
    assert "input logic [23:0] in0" in text
    assert text.count(".N(3), .BITS(4), .SIGNED(1)") == 2
