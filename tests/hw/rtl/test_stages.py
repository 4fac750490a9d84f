"""What follows the sums of a unit: the circuit that the schedule chose, and the register of the result."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.rtl.generate import generate_unit
from crq.hw.rtl.stages import output, stage_of
from crq.hw.rtl.verilog import Design
from tests.support.random_graphs import GraphBuilder


def layer(bits: int, channels: int = 4, rising: bool = False) -> Unit:
    """A convolution of 36 products; without `bits` its sums are the result."""
    g = GraphBuilder((4, 5, 5), "UINT4", seed=2)
    h, count = g.conv("x", channels), (1 << bits) - 1
    table = np.sort(g.rng.integers(-100, 100, (channels, count)), axis=1)
    if rising:
        table = np.tile(np.arange(count) * 200 // max(count, 1) - 100, (channels, 1))
    return units(Network(g.finish(g.threshold(h, bits, table=table) if bits else h)))[0]


CASES = {
    "none": (layer(0), Fold(2, 2, form=FOLDED)),
    "compare": (layer(4), Fold(4, 36)),
    "lut": (layer(4), Fold(2, 2, form=FOLDED)),
    "bram": (layer(6, 64), Fold(1, 2, form=FOLDED)),
    "ramp": (layer(6, 64, rising=True), Fold(1, 2, form=FOLDED)),
}
CIRCUITS = {"none": None, "compare": "crq_compare", "lut": "crq_searcher", "bram": "crq_searcher", "ramp": "crq_ramp"}


@pytest.mark.parametrize("kind", CASES)
def test_the_circuit_is_that_of_the_stage(kind: str) -> None:
    unit, fold = CASES[kind]
    assert stage(unit, fold).kind == kind
    text = "".join(t for name, t in generate_unit(unit, fold).sources.items() if not name.startswith("crq_"))
    used = set(re.findall(r"\b(crq_(?:compare|searcher|ramp|round|search))\b", text))
    assert used == ({CIRCUITS[kind]} if CIRCUITS[kind] else set())
    if kind in ("lut", "bram"):
        blocks = re.findall(r"crq_searcher #\([^;]*?\.BLOCK\((\d)\)", text)
        assert set(blocks) == {str(int(kind == "bram"))}


@pytest.mark.parametrize(("pe", "searchers"), [(1, 1), (2, 1), (4, 2)])
def test_as_many_searchers_as_the_stage_has(pe: int, searchers: int) -> None:
    """Nine cycles for codes of four bits: two lanes each."""
    unit, fold = layer(4), Fold(pe, 4, form=FOLDED)
    assert stage(unit, fold).searchers == searchers
    text = generate_unit(unit, fold).sources["codes_conv1.sv"]
    assert text.count("crq_searcher #") == searchers


def test_results_without_thresholds_are_the_low_bits_of_the_sums() -> None:
    unit = layer(0)
    bits = unit.output.format.bits
    text = stage_of(Design("d"), unit, Fold(2, 2, form=FOLDED), None, bits + 3)
    assert f"assign out_data = {{sums[{bits + 3}+:{bits}], sums[0+:{bits}]}};" in text
    assert "assign free = out_ready;" in text


@pytest.mark.parametrize("latency", [0, 1, 6])
def test_valid_reaches_the_register_with_its_data(latency: int) -> None:
    text = output(12, "step", "codes", latency)
    delays = [int(n) for n in re.findall(r"crq_delay #\(\.WIDTH\(1\), \.DEPTH\((\d+)\)\)", text)]
    assert delays == ([latency] if latency else [])
    [push] = re.findall(r"\.push\((\w+)\)", text)
    assert push == ("valid_code" if latency else "step")
    assert ".WIDTH(12)" in text


def test_codes_that_are_searched_in_a_pipeline_delay_valid_by_its_steps() -> None:
    unit, fold = layer(6), Fold(4, 36)
    assert stage(unit, fold).kind == "compare"
    text = generate_unit(unit, fold).sources["unit_conv1.sv"]
    assert "crq_delay #(.WIDTH(1), .DEPTH(6)) u_search" in text
    assert text.count("crq_search #") == 4 * 6
