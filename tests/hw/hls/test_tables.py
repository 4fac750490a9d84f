"""Tables of the firmware: words unpacked with plain integers, starts and thresholds counted, the text read back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crq.hw.dataflow.units import Fold
from crq.hw.hls.tables import (
    Table,
    integer_table,
    ordered_weights,
    packing,
    start_table,
    tables_h,
    threshold_table,
    weight_table,
)
from crq.hw.ir.layers import Conv, Dense, Pads, Shape, Tensor, Threshold

Values = NDArray[np.int64]
LIMITS = {
    "TERNARY": (-1, 1),
    "BIPOLAR": (-1, 1),
    **{f"INT{n}": (-(1 << (n - 1)), (1 << (n - 1)) - 1) for n in range(2, 9)},
}
BITS = {"TERNARY": 2, "BIPOLAR": 2, **{f"INT{n}": n for n in range(2, 9)}}


def tensor(channels: int, h: int = 1, w: int = 1) -> Tensor:
    zeros = np.zeros(channels, np.int64)
    return Tensor("t", Shape(channels, h, w), zeros, zeros + 15)


def dense(codes: Values, weight_type: str) -> Dense:
    outputs, inputs = codes.shape
    weights = codes.astype(np.int8)[:, :, None, None]
    return Dense("fc", (tensor(inputs),), tensor(outputs), weights, weight_type, 1)


def drawn(weight_type: str, outputs: int, inputs: int) -> Values:
    lo, hi = LIMITS[weight_type]
    codes = np.random.default_rng(inputs).integers(lo, hi + 1, (outputs, inputs))
    return np.where(codes == 0, 1, codes) if weight_type == "BIPOLAR" else codes


def unpacked(table: Table, fold: Fold, bits: int, lanes: int, inputs: int) -> Values:
    """Codes (O, inputs) of the words, read as the hardware does: cycle by cycle, lane 0 in the low bits."""
    cycles, pe, words = table.values.shape
    chunks = inputs // fold.simd
    codes = np.zeros((cycles // chunks * pe, inputs), np.int64)
    for cycle in range(cycles):
        for lane in range(pe):
            output, first = cycle // chunks * pe + lane, cycle % chunks * fold.simd
            for simd in range(fold.simd):
                word = int(table.values[cycle, lane, simd // lanes])
                code = word >> (bits * (simd % lanes)) & ((1 << bits) - 1)
                codes[output, first + simd] = code - (1 << bits) if code >> (bits - 1) else code
    return codes


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(LIMITS)), st.integers(1, 70), st.integers(1, 2), st.sampled_from([1, 2, 3]))
def test_every_code_comes_back_from_the_words(weight_type: str, simd: int, chunks: int, pe: int) -> None:
    codes, fold = drawn(weight_type, 6, simd * chunks), Fold(pe, simd)
    layer = dense(codes, weight_type)
    pack, table = packing(layer, simd), weight_table("fc", layer, ordered_weights(layer), fold)
    assert table.values.shape == (6 // pe * chunks, pe, pack.words)
    assert np.array_equal(unpacked(table, fold, BITS[weight_type], pack.word_lanes, simd * chunks), codes)
    assert table.element == f"crq::rom_word<{pack.word_bits}>"
    assert int(table.values.max()) < 1 << pack.word_bits


@pytest.mark.parametrize(
    ("weight_type", "simd", "words", "lanes"),
    [
        ("TERNARY", 1, 1, 1), ("TERNARY", 32, 1, 32), ("TERNARY", 33, 2, 17), ("TERNARY", 64, 2, 32),
        ("TERNARY", 65, 3, 22), ("INT8", 8, 1, 8), ("INT8", 9, 2, 5), ("INT7", 9, 1, 9), ("INT7", 10, 2, 5),
        ("INT5", 12, 1, 12), ("INT5", 25, 3, 9),  # two words of 13 would have 65 bits
    ],
)  # fmt: skip
def test_words_hold_whole_lanes_and_at_most_64_bits(weight_type: str, simd: int, words: int, lanes: int) -> None:
    pack = packing(dense(drawn(weight_type, 1, simd), weight_type), simd)
    assert (pack.words, pack.word_lanes) == (words, lanes)
    assert pack.word_bits == lanes * BITS[weight_type] <= 64


def test_a_convolutions_products_follow_the_window() -> None:
    weights = np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2).astype(np.int8)
    layer = Conv("c", (tensor(3, 4, 4),), tensor(2, 3, 3), weights, "INT8", 1, (1, 1), Pads(0, 0, 0, 0), (1, 1))
    expected = [[weights[o, c, ky, kx] for ky in range(2) for kx in range(2) for c in range(3)] for o in range(2)]
    assert ordered_weights(layer).tolist() == expected


def test_a_dense_layers_products_are_in_order_already() -> None:
    codes = drawn("INT4", 3, 5)
    assert np.array_equal(ordered_weights(dense(codes, "INT4")), codes)


@pytest.mark.parametrize("pe", [1, 2, 4])
def test_a_start_value_is_the_number_of_negative_weights(pe: int) -> None:
    codes = np.array([[-1, -1, 0], [1, 1, 1], [0, -1, 1], [-1, -1, -1]], np.int8)
    assert start_table("fc", codes, Fold(pe)).values.tolist() == np.reshape([2, 0, 1, 3], (-1, pe)).tolist()


def threshold(rows: Values, lo: int, hi: int) -> Threshold:
    shape = Shape(len(rows), 1, 1)
    x = Tensor("x", shape, np.full(len(rows), lo), np.full(len(rows), hi))
    ends = [(rows <= end).sum(1) for end in (lo, hi)]
    return Threshold("t", (x,), Tensor("y", shape, *ends), rows, 0, "UINT8")


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(-30, 0), st.integers(0, 30), st.sampled_from([1, 2, 4]))
def test_a_threshold_table_gives_the_codes_of_all_it_can_meet(levels: int, lo: int, hi: int, pe: int) -> None:
    rows = np.sort(np.random.default_rng(levels).integers(-50, 50, (4, levels)), axis=1)
    table = threshold_table("t", threshold(rows, lo, hi), pe)
    assert table.values.shape[:2] == (4 // pe, pe)
    found = table.values.reshape(4, -1)
    assert found.min() >= lo
    assert found.max() <= hi + 1
    assert (np.diff(found, axis=1) >= 0).all()
    x = np.arange(lo, hi + 1)
    assert np.array_equal((found[:, None] <= x[:, None]).sum(2), (rows[:, None] <= x[:, None]).sum(2))


@pytest.mark.parametrize(("levels", "columns"), [(15, 15), (16, 31), (100, 127)])
def test_a_searched_threshold_table_has_a_power_of_two_less_one(levels: int, columns: int) -> None:
    rows = np.arange(levels)[None]
    assert threshold_table("t", threshold(rows, -1, 200), 1).values.shape == (1, 1, columns)


@pytest.mark.parametrize(
    ("values", "bits"), [([0], 2), ([1], 2), ([255], 9), ([127, -128], 8), ([-129], 9), ([-1], 1), ([1 << 40], 42)]
)
def test_elements_of_a_table_of_integers_are_signed_and_wide_enough(values: list[int], bits: int) -> None:
    table = integer_table("t", np.array(values))
    assert table.element == f"crq::rom_int<{bits}>"
    assert -(1 << (bits - 1)) <= min(values)
    assert max(values) < 1 << (bits - 1)


def read_back(text: str, name: str, dims: tuple[int, ...]) -> Values:
    body = re.search(rf"{name}\S* = {{\n(.*?)\n}};", text, re.S)
    assert body
    assert body[1].count("\n") + 1 == dims[0]  # a line per first index
    numbers = re.findall(r"0x[0-9a-f]+|-?\d+", body[1])
    return np.array([int(n, 0) for n in numbers], object).reshape(dims)


def test_the_text_of_a_header() -> None:
    table = Table("a_values", "crq::rom_int<3>", np.array([[1, -2], [3, 0]]))
    words = Table("a_weights", "crq::rom_word<64>", np.array([[[(1 << 64) - 1]]], np.uint64), hexadecimal=True)
    text = tables_h([words, table], "a", "What it is.")
    assert text.startswith("#ifndef TABLES_A_H_\n#define TABLES_A_H_\n")
    assert text.endswith("#endif\n")
    assert "// What it is.\n" in text
    assert "static const crq::rom_word<64> a_weights[1][1][1] = {\n    {{0xffffffffffffffff}},\n};" in text
    assert "static const crq::rom_int<3> a_values[2][2] = {\n    {1, -2},\n    {3, 0},\n};" in text


@pytest.mark.parametrize("shape", [(1, 1), (70_000, 1), (3, 30_000), (700, 4, 50)])
def test_tables_of_any_size_read_back(shape: tuple[int, ...]) -> None:
    """Also those with more values than are formatted at once."""
    values = np.random.default_rng(0).integers(-1000, 1000, shape)
    text = tables_h([Table("a", "int", values)], "a", "")
    assert f"a{''.join(f'[{d}]' for d in shape)} = {{" in text
    assert np.array_equal(read_back(text, "a", shape), values)


def test_every_table_says_how_it_lies() -> None:
    layer = dense(np.array([[1, 0, -1, 1], [0, 0, 1, -1]]), "TERNARY")
    found = weight_table("a", layer, ordered_weights(layer), Fold(1, 2))
    assert found.says == (
        "[block of 1 channels, then chunk of 2 products][channel][word]: 2 weights of 2 bits in a word, the first "
        "product in the low bits (00 = 0, 01 = +1, 11 = -1); products by row, column and channel of the window"
    )
    assert [int(word) for word in found.values.ravel()] == [0b0001, 0b0111, 0b0000, 0b1101]
    text = tables_h([found], "a", "Constant tables of a.")
    assert "// [block of 1 channels" in text
    assert max(map(len, text.splitlines())) <= 120
