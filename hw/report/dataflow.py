"""The network as a dataflow diagram: units as boxes, as wide as their area, as dark as their load, and streams.

Made from report.json's content. One column where the network is a chain; what runs beside it stands in columns to the
right, and streams past several rows in lanes of their own at the right edge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

COLUMN, ROW, BOX, EDGE, LANE = 216, 74, 40, 12, 16
"""Pixels: a column's width, a row's and a box's height, the margin, and the width of a lane."""
SMALLEST = 0.62
"""Share of a column that the smallest box takes: its name has to fit."""
LETTERS = 16


class Box(NamedTuple):
    """One unit, or an end of the network. load: its share of the cycles of an image, None for an end; slowest: whether
    it sets them."""

    name: str
    label: str
    second: str
    title: str
    x: float
    y: float
    width: float
    load: float | None
    slowest: bool


class Line(NamedTuple):
    """One stream: an SVG path, and where its label stands."""

    path: str
    label: str
    title: str
    x: float
    y: float


class Diagram(NamedTuple):
    """A drawing of `width` × `height` pixels."""

    width: float
    height: float
    boxes: list[Box]
    lines: list[Line]


def draw(report: Mapping[str, Any]) -> Diagram:
    """The diagram of a report."""
    streams = report["streams"]
    units = {unit["name"]: unit for unit in report["units"]}
    ranks = _ranks(streams)
    columns = _columns(streams, ranks)
    largest = max([unit["lut"] for unit in units.values()] + [1])
    slowest = max(report["summary"]["interval_cycles"], 1)
    boxes = {}
    for name, rank in ranks.items():
        unit = units.get(name)
        share = SMALLEST + (1 - SMALLEST) * math.sqrt(unit["lut"] / largest) if unit else SMALLEST
        width = share * (COLUMN - 2 * EDGE)
        middle = EDGE + COLUMN * (columns[name] + 0.5)
        boxes[name] = Box(
            name, _short(name), _second(unit, slowest), _title(name, unit), middle - width / 2, EDGE + ROW * rank,
            width, unit["interval_cycles"] / slowest if unit else None, name == report["summary"]["bottleneck"],
        )  # fmt: skip
    edge = EDGE + COLUMN * (max(columns.values()) + 1)
    lanes = _lanes([(ranks[s["from"]], ranks[s["to"]]) for s in streams])
    lines = [_line(s, boxes, edge + LANE * lane if lane else None) for s, lane in zip(streams, lanes, strict=True)]
    width = edge + LANE * (max(lanes, default=0) + 1) + EDGE
    return Diagram(width, EDGE * 2 + ROW * max(ranks.values()) + BOX, list(boxes.values()), lines)


def _ranks(streams: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The row of each box: one below the lowest that it reads. Streams come in the order of their readers."""
    ranks: dict[str, int] = {}
    for stream in streams:
        above = ranks.setdefault(stream["from"], 0)
        ranks[stream["to"]] = max(ranks.get(stream["to"], 0), above + 1)
    return ranks


def _columns(streams: Sequence[Mapping[str, Any]], ranks: Mapping[str, int]) -> dict[str, int]:
    """The column of each box: that of what it reads first, or the next that is free in its row."""
    first = {stream["to"]: stream["from"] for stream in reversed(streams)}
    taken: set[tuple[int, int]] = set()
    columns: dict[str, int] = {}
    for name, rank in ranks.items():
        column = columns.get(first.get(name, ""), 0)
        while (rank, column) in taken:
            column += 1
        taken.add((rank, column))
        columns[name] = column
    return columns


def _lanes(spans: Sequence[tuple[int, int]]) -> list[int]:
    """A lane, from 1, for every span of more than one row, apart from those that it passes; 0 for the others."""
    ends: list[int] = []
    lanes = []
    for top, bottom in spans:
        if bottom - top < 2:
            lanes.append(0)
            continue
        free = next((i for i, end in enumerate(ends) if end <= top), len(ends))
        ends[free:] = [bottom, *ends[free + 1 :]]
        lanes.append(free + 1)
    return lanes


def _line(stream: Mapping[str, Any], boxes: Mapping[str, Box], lane: float | None) -> Line:
    given, taken = boxes[stream["from"]], boxes[stream["to"]]
    label = f"{stream['beat']} × {stream['bits']} bit" + (f", FIFO {stream['depth']}" if stream["depth"] else "")
    title = f"{given.name} → {taken.name}: {stream['beat'] * stream['bits']} bits per beat, " + (
        f"FIFO of {stream['depth']} beats" if stream["depth"] else "no FIFO"
    )
    x1, y1, x2, y2 = given.x + given.width / 2, given.y + BOX, taken.x + taken.width / 2, taken.y
    if lane is None:
        bend = f"C{x1:g},{(y1 + y2) / 2:g} {x2:g},{(y1 + y2) / 2:g} {x2:g},{y2:g}"
        return Line(f"M{x1:g},{y1:g}{bend}", label, title, x2 + 7, y2 - 7)
    right, top, low = given.x + given.width, given.y + BOX / 2, taken.y + BOX / 2
    path = f"M{right:g},{top:g}H{lane - 6:g}q6,0 6,6V{low - 6:g}q0,6 -6,6H{taken.x + taken.width:g}"
    return Line(path, "", f"{title} ({label})", 0, 0)


def _second(unit: Mapping[str, Any] | None, slowest: int) -> str:
    return f"{unit['lut']:,.0f} LUT · {unit['interval_cycles'] / slowest:.0%}" if unit else ""


def _title(name: str, unit: Mapping[str, Any] | None) -> str:
    """What hovering over a box shows."""
    if unit is None:
        return f"{name} of the network"
    shape = "×".join(map(str, unit["output_shape"]))
    form = f", {unit['form']}" if unit["form"] else ""
    return (
        f"{name}: {unit['kind']}{form}, PE {unit['pe']}, SIMD {unit['simd']}; {unit['lut']:,.0f} LUT, "
        f"{unit['ff']:,.0f} FF, {unit['bram36']:g} BRAM36; busy {unit['interval_cycles']:,} cycles per image; "
        f"gives {shape} {unit['output_type']}"
    )


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
