"""The constants of hw/cost/constants.py from circuits.csv, by least squares: python benchmarks/calibration/fit.py

Prints the weights of every circuit and, with --points, how far each point is off.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from circuits import table
from unrolled import entries

from crq.hw.cost.elements import Block, enlarge_features, global_sum_features
from crq.hw.cost.primitives import lutram_banks, memory, rom
from crq.hw.cost.ring import RingShape, decimate_features, ring_features
from crq.hw.cost.stages import Searchers, round_features
from crq.hw.cost.streams import fifo_features
from crq.hw.cost.thresholds import LUT_INPUTS, built_in_features
from crq.hw.cost.window import steps_features, window_features
from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.windows import Window
from crq.hw.ir.layers import Pads, Shape

HERE = Path(__file__).parent
FABRICS = ("xcup", "ecp5")
ROUNDS = 10


class Point(NamedTuple):
    """LUTs of a point with its parameters."""

    p: dict
    logic: float


class Term(NamedTuple):
    """What is fitted: `features` and what is priced without weights."""

    features: tuple[float, ...]
    known: float = 0


def points(circuit: str, family: str, **wanted: int) -> list[Point]:
    """The points of a circuit whose parameters have the `wanted` values (0 if they do not have them)."""
    with open(HERE / "circuits.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if (r["family"], r["circuit"]) == (family, circuit)]
    found = [Point(json.loads(r["parameters"]), float(r["logic"])) for r in rows]
    return [f for f in found if all(f.p.get(key, 0) == value for key, value in wanted.items())]


def _ring(p: dict, family: str, _: int) -> Term:
    shape = RingShape(**{key.lower(): value for key, value in p.items()})
    joined = 0 if shape.block else lutram_banks(shape.depth, shape.bits, family).logic
    return Term(ring_features(shape), joined)


def _fifo(block: int) -> Callable[[dict, str, int], Term | None]:
    def term(p: dict, family: str, _: int) -> Term | None:
        if p["BLOCK"] != block:
            return None
        memory = 0 if block else lutram_banks(p["DEPTH"], p["WIDTH"], family).logic
        return Term(fifo_features(p["DEPTH"], p["WIDTH"]), memory)

    return term


def _round(p: dict, family: str, _: int) -> Term:
    each = round_features(p["BITS"], bool(p["SIGNED"]), p["SHIFT"], p["OFFSET"], p["OB"])
    return Term(tuple(f * p["LANES"] for f in each))


def _codes(kind: str) -> Callable[[dict, str, int], Term | None]:
    def term(p: dict, family: str, i: int) -> Term | None:
        if p["KIND"] != kind:
            return None
        found = table(p["LANES"] * p["BLOCKS"], p["BITS"], p["WIDTH"], kind == "ramp", i)
        priced = Searchers(found, p["LANES"], p["SEARCHERS"], kind, family)
        return Term(priced.features(), priced.choice() + priced.memories().logic)

    return term


def _window(p: dict, family: str, _: int) -> Term:
    pads = Pads(*(p.get(f"PAD_{side}", 0) for side in ("TOP", "LEFT", "BOTTOM", "RIGHT")))
    strides = p.get("STRIDE_H", 1), p.get("STRIDE_W", 1)
    image = Shape(p["CHANNELS"], p["HEIGHT"], p["WIDTH"])
    slide = Window(image, image, (p["SPAN_H"], p["SPAN_W"]), strides, pads=pads)
    banks = p["SPAN_H"] > 1 and not p.get("BLOCK")
    row = (p["SPAN_H"] - 1) * p["CHANNELS"] * p["BITS"]
    return Term(window_features(slide, p["BITS"]), lutram_banks(slide.padded[1], row, family).logic if banks else 0)


def _global_sum(p: dict, family: str, _: int) -> Term:
    width, blocks = p["PE"] * p["OUT"], p["BLOCKS"]
    memory = lutram_banks(blocks, width, family).logic if blocks > 1 else 0
    return Term(global_sum_features(width, blocks, p["PIXELS"]), memory)


def _enlarge(p: dict, family: str, _: int) -> Term:
    b = Block(*(p[name.upper()] for name in Block._fields))
    stored = memory(b.depth, b.width, family).logic if b.depth > 1 else 0
    return Term(enlarge_features(b, family), stored)


def _block_rom(p: dict, family: str, i: int) -> Term:
    words = np.random.default_rng(i).integers(0, 2, (p["BLOCKS"], p["WIDTH"])).astype(bool)
    return Term((1, clog2(p["BLOCKS"])), rom(words, "lut", family).logic)


def _built_in(least: int, most: int) -> Callable[[dict, str, int], Term | None]:
    def term(p: dict, family: str, _: int) -> Term | None:
        if not p.get("FIXED") or not max(least, LUT_INPUTS[family] + 1) <= p["WIDTH"] <= most:
            return None
        return Term(built_in_features(np.unique(entries(p)), p["WIDTH"], p["BITS"], family))

    return term


TERMS: dict[str, tuple[str, Callable[[dict, str, int], Term | None]]] = {
    "ring": ("crq_ring", _ring),
    "fifo": ("crq_fifo", _fifo(0)),
    "fifo_block": ("crq_fifo", _fifo(1)),
    "narrow": ("crq_narrow", lambda p, family, _: Term(((p["N"] - 1) * p["WIDTH"], p["N"], 1))),
    "widen": ("crq_widen", lambda p, family, _: Term((1,))),
    "fork": ("crq_fork", lambda p, family, _: Term((1, p["N"]))),
    "output": ("crq_output", lambda p, family, _: Term((1,))),
    "round": ("crq_round", _round),
    "codes_lut": ("codes", _codes("lut")),
    "codes_bram": ("codes", _codes("bram")),
    "codes_ramp": ("codes", _codes("ramp")),
    "block_counter": ("crq_block_rom", _block_rom),
    "decimate": ("crq_decimate", lambda p, family, _: Term(
        decimate_features((p["WORDS"], p["COLUMNS"], p["HEIGHT"], p["STRIDE_H"], p["STRIDE_W"])))),
    "steps": ("crq_steps", lambda p, family, _: Term(steps_features(p["CHUNKS"], p["BLOCKS"]))),
    "window": ("crq_window", _window),
    "global_sum": ("crq_global_sum", _global_sum),
    "enlarge": ("crq_enlarge", _enlarge),
    "built_in_8": ("crq_compare", _built_in(5, 8)),
    "built_in_12": ("crq_compare", _built_in(9, 12)),
    "built_in_16": ("crq_compare", _built_in(13, 16)),
}  # fmt: skip
"""Name of the weights to the circuit they are fitted to, and its features."""


def fitted(name: str, family: str) -> tuple[tuple[float, ...], list[tuple[dict, float, float]]]:
    """The weights of a circuit; and per point its parameters, LUTs measured and LUTs by the weights."""
    circuit, term = TERMS[name]
    found = [(p, logic, term(p, family, i)) for i, (p, logic) in enumerate(points(circuit, family))]
    kept = [(p, logic, t) for p, logic, t in found if t is not None]
    features = np.array([t.features for _, _, t in kept], np.float64)
    rest = np.array([logic - t.known for _, logic, t in kept])
    # Small circuits count as much as large ones do, and points far off (a ROM that was not mapped well) less.
    size = np.sqrt(np.maximum(8, np.array([logic for _, logic, _ in kept])))
    scale, weights = 1 / size, np.zeros(features.shape[1])
    for _ in range(ROUNDS):
        weights = np.linalg.lstsq(features * scale[:, None], rest * scale, rcond=None)[0]
        scale = 1 / size / np.sqrt(np.maximum(1, np.abs(features @ weights - rest) / size))
    weights = weights.round(2)
    off = [(p, logic, float(f @ weights + t.known)) for (p, logic, t), f in zip(kept, features, strict=True)]
    return tuple(weights.tolist()), off


@click.command()
@click.option("--family", type=click.Choice(FABRICS), multiple=True, default=FABRICS)
@click.option("--circuit", type=click.Choice(list(TERMS)), multiple=True, default=list(TERMS))
@click.option("--points", "shown", is_flag=True, help="Print every point.")
def main(family: tuple[str, ...], circuit: tuple[str, ...], shown: bool) -> None:
    """Prints the weights."""
    for name in circuit:
        for fabric in family:
            weights, off = fitted(name, fabric)
            errors = [abs(b - a) for _, a, b in off]
            click.echo(f'"{name}" "{fabric}": {weights}  # off by {np.mean(errors):.1f}, at most {max(errors):.0f}')
            for p, logic, found in off if shown else []:
                click.echo(f"    {logic:5.0f} {found:7.1f} {found - logic:+6.1f}  {p}")


if __name__ == "__main__":
    main()
