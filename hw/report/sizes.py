"""How small the weights of a layer could be stored: bits per weight under each encoding, from their histogram."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from math import log2
from typing import Any

from qonnx.core.datatype import DataType

ENCODINGS = {"packed": "packed", "base3": "base-3", "huffman": "Huffman", "entropy": "entropy"}
BASE3 = 8 / 5  # five ternary digits in a byte: 3⁵ = 243


def bits_per_weight(histogram: Mapping[int, int], weight_type: str) -> dict[str, float | None]:
    """`packed`: the type's own bits; `base3`: for ternary codes only; `huffman`: the best prefix code of one weight at
    a time; `entropy`: the bound of every code that treats weights independently."""
    counts = [n for n in histogram.values() if n]
    return {
        "packed": float(DataType[weight_type].bitwidth()),
        "base3": BASE3 if weight_type == "TERNARY" else None,
        "huffman": huffman(counts),
        "entropy": sum(n / sum(counts) * log2(sum(counts) / n) for n in counts) + 0.0,
    }


def huffman(counts: Sequence[int]) -> float:
    """Mean length in bits; one bit when there is only one symbol."""
    heap = list(counts)
    if len(heap) < 2:
        return float(len(heap))
    heapq.heapify(heap)
    length = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        length += merged
        heapq.heappush(heap, merged)
    return length / sum(counts)


def mean_bits(layers: Iterable[Mapping[str, Any]]) -> dict[str, float] | None:
    """Over all weights of a network (`weights` of each unit); a layer that has no base-3 form counts as packed."""
    found = list(layers)
    total = sum(w["count"] for w in found)
    if not total:
        return None

    def bits(w: Mapping[str, Any], key: str) -> float:
        value = w["bits_per_weight"][key]
        return float(w["bits_per_weight"]["packed"] if value is None else value)

    return {key: sum(bits(w, key) * w["count"] for w in found) / total for key in ENCODINGS}


def text(bits: Mapping[str, float | None]) -> str:
    """All encodings in one line."""
    return ", ".join(f"{name} {bits[key]:.2f}" for key, name in ENCODINGS.items() if bits[key] is not None)
