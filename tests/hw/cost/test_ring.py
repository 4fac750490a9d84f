"""The ring of a folded unit: its parameters are those of the circuit in hw/rtl, its registers those of synthesis."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from crq.hw.cost.ring import RingShape, ring_parts, ring_price, ring_shape
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.rtl.generate import generate_unit
from tests.support.random_graphs import GraphBuilder

POINTS = Path(__file__).parents[3] / "benchmarks" / "calibration" / "circuits.csv"
SAME = (1, 1, 1, 1)


def unit_of(g: GraphBuilder, output: str) -> Unit:
    return units(Network(g.finish(output)))[-1]


def image(c: int = 8, size: int = 12) -> GraphBuilder:
    return GraphBuilder((c, size, size), "UINT4")


def cases() -> list[tuple[Unit, Fold]]:
    g, found = image(), []
    found.append((unit_of(g, g.conv("x", 8, pads=SAME)), Fold(2, 4, form=FOLDED)))
    g = image()
    found.append((unit_of(g, g.conv("x", 8, strides=(2, 2), group=2)), Fold(2, 2, form=FOLDED)))
    g = image()
    found.append((unit_of(g, g.conv("x", 4, dilations=(2, 2), pads=(2, 2, 2, 2))), Fold(2, 8, form=FOLDED)))
    g = image()
    found.append((unit_of(g, g.max_pool("x")), Fold(4, form=FOLDED)))
    g = image()
    found.append((unit_of(g, g.conv("x", 8, (1, 1), strides=(2, 2))), Fold(2, 4, form=FOLDED)))
    g = image(4, 3)
    found.append((unit_of(g, g.matmul(g.flatten("x"), 6)), Fold(2, 2, form=FOLDED)))
    return found


@pytest.mark.parametrize(("unit", "fold"), cases())
def test_the_parameters_are_those_of_the_circuit(unit: Unit, fold: Fold) -> None:
    text = "".join(v for k, v in generate_unit(unit, fold).sources.items() if k.startswith("unit_"))
    (given,) = re.findall(r"(?s)crq_ring #\((.*?)\) u_", text)
    parameters = {name.lower(): int(value) for name, value in re.findall(r"\.(\w+)\((\d+)\)", given)}
    assert ring_shape(unit, fold) == RingShape(**parameters)


def test_registers_are_those_that_synthesis_kept() -> None:
    """Every point of the sweep, on both fabrics, and what memory it takes on UltraScale+."""
    with open(POINTS, newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["circuit"] == "crq_ring" and r["family"] in ("xcup", "ecp5")]
    assert len(rows) > 100
    for r in rows:
        shape = RingShape(**{key.lower(): value for key, value in json.loads(r["parameters"]).items()})
        found = ring_price(shape, r["family"])
        assert (found.ff, found.bram18) == (int(float(r["ff"])), int(float(r["bram18"]))), r
        assert found.lutram == float(r["lutram"])


def test_pixels_that_are_never_read_are_left_out() -> None:
    g = image()
    skipping = unit_of(g, g.conv("x", 8, (1, 1), strides=(2, 2)))
    # Counters of 2 words, 12 columns and rows, and two of the stride.
    assert ring_parts(skipping, Fold(2, 4, form=FOLDED))["decimate"].ff == 1 + 4 + 4 + 1 + 1
    g = image()
    assert set(ring_parts(unit_of(g, g.conv("x", 8, (1, 1))), Fold(2, 4, form=FOLDED))) == {"ring"}


def test_rows_that_are_all_alike_are_not_counted() -> None:
    g = image()
    alone = ring_shape(unit_of(g, g.conv("x", 8, (1, 1))), Fold(2, 4, form=FOLDED))
    g = image()
    padded = ring_shape(unit_of(g, g.conv("x", 8, pads=SAME)), Fold(2, 4, form=FOLDED))
    assert not alone.row_counted
    assert padded.row_counted
    assert padded.edges == (1, 1, 1, 1)
