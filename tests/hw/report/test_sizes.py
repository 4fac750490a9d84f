"""Bits per weight under each encoding, against codes built another way and figures computed by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.report.sizes import bits_per_weight, huffman, mean_bits, text

COUNTS = st.lists(st.integers(1, 500), min_size=2, max_size=12)


def code_lengths(counts: list[int]) -> list[int]:
    """Lengths of Huffman's code, from its trees of symbols."""
    trees = sorted((n, [i]) for i, n in enumerate(counts))
    lengths = [0] * len(counts)
    while len(trees) > 1:
        (a, one), (b, other), *trees = trees
        for symbol in one + other:
            lengths[symbol] += 1
        trees = sorted([*trees, (a + b, one + other)])
    return lengths


@given(COUNTS)
def test_huffman_is_the_mean_length_of_a_complete_prefix_code(counts: list[int]) -> None:
    lengths = code_lengths(counts)
    assert sum(2.0**-n for n in lengths) == 1  # complete
    mean = sum(n * length for n, length in zip(counts, lengths, strict=True)) / sum(counts)
    assert huffman(counts) == pytest.approx(mean)


@given(COUNTS)
def test_entropy_is_the_lower_bound_by_less_than_a_bit(counts: list[int]) -> None:
    found = bits_per_weight(dict(enumerate(counts)), "INT8")
    entropy, coded = found["entropy"], found["huffman"]
    assert entropy is not None
    assert coded is not None
    assert entropy - 1e-9 <= coded < entropy + 1
    assert entropy <= math.log2(len(counts)) + 1e-9


def test_figures_by_hand() -> None:
    found = bits_per_weight({-1: 25, 0: 50, 1: 25}, "TERNARY")
    assert found == {"packed": 2.0, "base3": 1.6, "huffman": 1.5, "entropy": 1.5}
    assert text(found) == "packed 2.00, base-3 1.60, Huffman 1.50, entropy 1.50"
    found = bits_per_weight({-8: 1, 0: 0, 7: 3}, "INT4")
    assert (found["packed"], found["base3"], found["huffman"]) == (4.0, None, 1.0)
    assert found["entropy"] == pytest.approx(-(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75)))
    assert text(found) == "packed 4.00, Huffman 1.00, entropy 0.81"


def test_a_layer_of_one_value_has_no_information() -> None:
    found = bits_per_weight({1: 12}, "BIPOLAR")
    assert (found["packed"], found["huffman"], found["entropy"]) == (1.0, 1.0, 0.0)
    assert math.copysign(1, found["entropy"] or 0.0) == 1  # 0, not -0


def test_the_mean_is_over_weights_not_over_layers() -> None:
    ternary = {"count": 300, "bits_per_weight": {"packed": 2.0, "base3": 1.6, "huffman": 1.4, "entropy": 1.2}}
    integer = {"count": 100, "bits_per_weight": {"packed": 8.0, "base3": None, "huffman": 6.0, "entropy": 5.6}}
    assert mean_bits([ternary, integer]) == pytest.approx(
        {"packed": 3.5, "base3": (300 * 1.6 + 100 * 8) / 400, "huffman": 2.55, "entropy": 2.3}
    )
    assert mean_bits([]) is None
