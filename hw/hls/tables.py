"""Constant tables of the firmware: packed weight words, accumulator start values, thresholds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.dataflow.memory import weight_bits
from crq.hw.dataflow.thresholds import filled_levels
from crq.hw.dataflow.units import Fold
from crq.hw.ir.layers import Conv, Dense, IntArray, Mac, Threshold, smallest_format
from crq.hw.ir.progression import Progression

WORD_BITS = 64  # of the literals in the source; wider rows are split into words of equal size
CHUNK = 1 << 16  # values formatted at once


class Packing(NamedTuple):
    """How the codes of `simd` lanes share words."""

    weight_bits: int
    words: int
    word_lanes: int

    @property
    def word_bits(self) -> int:
        return self.weight_bits * self.word_lanes


class Table(NamedTuple):
    """A table as the source spells it: an array of `dims` elements of type `element`; `says` what they are."""

    name: str
    element: str
    values: NDArray[np.int64] | NDArray[np.uint64]
    hexadecimal: bool = False
    says: str = ""

    @property
    def dims(self) -> str:
        return "".join(f"[{d}]" for d in self.values.shape)

    @property
    def declaration(self) -> str:
        return f"static const {self.element} {self.name}{self.dims}"


def packing(layer: Mac, simd: int) -> Packing:
    bits = weight_bits(layer)
    words = -(-simd * bits // WORD_BITS)
    # Words of whole lanes: a 7-bit lane never straddles two.
    while -(-simd // words) * bits > WORD_BITS:
        words += 1
    return Packing(bits, words, -(-simd // words))


def ordered_weights(layer: Conv | Dense) -> NDArray[np.int8]:
    """Weights as (output channels, products) in the order of the window: kernel row, kernel column, channel."""
    if isinstance(layer, Dense):
        return layer.weights.reshape(layer.weights.shape[0], -1)
    return layer.weights.transpose(0, 2, 3, 1).reshape(layer.weights.shape[0], -1)


def weight_table(name: str, layer: Mac, codes: NDArray[np.int8], fold: Fold) -> Table:
    """Words [channel fold · input fold][PE][word] of `codes` (O, products); lane 0 in the low bits."""
    pack = packing(layer, fold.simd)
    outputs, products = codes.shape
    lanes = np.zeros((outputs, products // fold.simd, pack.words * pack.word_lanes), np.uint64)
    mask = (1 << pack.weight_bits) - 1
    lanes[:, :, : fold.simd] = (codes.reshape(outputs, -1, fold.simd).astype(np.int64) & mask).astype(np.uint64)
    lanes = lanes.reshape(outputs, -1, pack.words, pack.word_lanes)
    shifts = np.arange(pack.word_lanes, dtype=np.uint64) * np.uint64(pack.weight_bits)
    words = np.bitwise_or.reduce(lanes << shifts, axis=-1)  # (O, input folds, words)
    words = words.reshape(outputs // fold.pe, fold.pe, -1, pack.words).transpose(0, 2, 1, 3)
    words = np.ascontiguousarray(words.reshape(-1, fold.pe, pack.words))
    coded = "00 = 0, 01 = +1, 11 = -1" if layer.multiplier_free else "two's complement"
    says = (
        f"[block of {fold.pe} channels, then chunk of {fold.simd} products][channel][word]: {pack.word_lanes} weights "
        f"of {pack.weight_bits} bits in a word, the first product in the low bits ({coded}); products by row, column "
        "and channel of the window"
    )
    return Table(f"{name}_weights", f"crq::rom_word<{pack.word_bits}>", words, hexadecimal=True, says=says)


def start_table(name: str, codes: NDArray[np.int8], fold: Fold) -> Table:
    """[channel fold][PE]: the number of negative weights, which turns the sum of ~x into the sum of -x."""
    negatives = (codes < 0).sum(axis=1, dtype=np.int64)
    says = "[block][channel]: what a sum starts at, the number of its negative weights, as -x is added as ~x"
    return integer_table(f"{name}_starts", negatives.reshape(-1, fold.pe), says)


def threshold_table(name: str, layer: Threshold, pe: int) -> Table:
    """[channel fold][PE][level], each row ascending and clamped to the reachable interval, which changes no code."""
    assert not isinstance(layer.thresholds, Progression)
    lo, hi = layer.input.lo[:, None], layer.input.hi[:, None]
    rows = np.clip(layer.thresholds, lo, hi + 1)
    levels = filled_levels(layer)
    if levels > rows.shape[1]:
        never = np.broadcast_to(hi + 1, (rows.shape[0], levels - rows.shape[1]))
        rows = np.concatenate([rows, never], axis=1)
    return integer_table(f"{name}_thresholds", rows.reshape(-1, pe, levels), THRESHOLDS)


THRESHOLDS = "[block][channel][k]: ascending; the code is how many of them a sum reaches, from the lowest code on"


def integer_table(name: str, values: IntArray, says: str = "") -> Table:
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    fmt = smallest_format(low, high)
    return Table(name, f"crq::rom_int<{fmt.bits + (not fmt.signed)}>", values, says=says)


def tables_h(tables: list[Table], name: str, comment: str) -> str:
    """The header file of a layer's tables."""
    guard = f"TABLES_{name.upper()}_H_"
    lines = [
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        '#include "../nnet_utils/crq_types.h"',
        "",
        f"// {comment}",
        "",
    ]
    for table in tables:
        lines += [f"// {part}" for part in textwrap.wrap(table.says, 114)]
        lines += [f"{table.declaration} = {{", *_rows(table), "};", ""]
    return "\n".join([*lines, "#endif", ""])


def _rows(table: Table) -> Iterator[str]:
    """One line per index of the first dimension, in chunks of lines: a large network has millions of words."""
    pattern = "0x%x" if table.hexadecimal else "%d"
    for size in reversed(table.values.shape[1:]):
        pattern = "{" + ", ".join([pattern] * size) + "}"
    flat = table.values.reshape(table.values.shape[0], -1)
    lines = max(1, CHUNK // flat.shape[1])
    for start in range(0, len(flat), lines):
        chunk = flat[start : start + lines]
        yield "\n".join([f"    {pattern},"] * len(chunk)) % tuple(chunk.ravel().tolist())
