"""Sizes of stored codes against hand counts."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import crq
from crq import models
from crq.train.size import entropy, huffman, layer_size, model_size


def test_half_zeros_cost_one_and_a_half_bits() -> None:
    codes = torch.tensor([0, 0, 1, -1] * 100, dtype=torch.int8)
    assert layer_size(codes, 2) == {"packed": 2.0, "huffman": 1.5, "entropy": 1.5, "base3": 1.6}


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=30))
def test_huffman_lies_within_a_bit_of_the_entropy(counts: list[int]) -> None:
    assert entropy(counts) - 1e-9 <= huffman(counts) < entropy(counts) + 1
    assert entropy(counts) <= math.log2(len(counts)) + 1e-9


def test_degenerate_codes() -> None:
    assert (huffman([7]), entropy([7])) == (1.0, 0.0)
    assert (huffman([]), entropy([])) == (0.0, 0.0)


def test_model_total_mixes_ternary_and_integer_layers() -> None:
    torch.manual_seed(0)
    size = model_size(crq.prepare(models.build("digits-cnn"), crq.TernaryConfig(integer={"first": 8})))
    assert size["weights"] == 72 + 1152 + 2560
    assert size["bits_per_weight"]["packed"] == pytest.approx((72 * 8 + (1152 + 2560) * 2) / 3784)
    assert size["bits_per_weight"]["entropy"] < size["bits_per_weight"]["huffman"] < size["bits_per_weight"]["packed"]
