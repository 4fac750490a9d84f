"""How small codes can be stored: what the file spends, and what other encodings would."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from crq.quant.layers import QuantLayer, TernaryLayer


def entropy(counts: Sequence[int]) -> float:
    """Shannon entropy in bits per symbol: the bound of every code that treats symbols independently."""
    array = np.array([count for count in counts if count], dtype=np.float64)
    shares = array / array.sum() if array.size else array
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def huffman(counts: Sequence[int]) -> float:
    """Mean length in bits per symbol of the best prefix code; one bit when there is only one symbol."""
    heap = [count for count in counts if count]
    total = sum(heap)
    if len(heap) < 2:
        return 1.0 if heap else 0.0
    heapq.heapify(heap)
    length = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        length += merged
        heapq.heappush(heap, merged)
    return length / total


def layer_size(codes: Tensor, bits: int) -> dict[str, float]:
    """Bits per weight of int8 `codes` under each encoding; `packed` is what the exported file spends."""
    counts = np.unique(codes.cpu().numpy(), return_counts=True)[1].tolist()
    sizes = {"packed": float(bits), "huffman": huffman(counts), "entropy": entropy(counts)}
    if bits == 2:
        sizes["base3"] = 8 / 5  # five ternary digits in a byte: 3⁵ = 243
    return sizes


def model_size(model: nn.Module) -> dict[str, Any]:
    """Stored size of a prepared model's weights: bits per weight in all, per encoding, and bytes against float32."""
    layers = {name: module for name, module in model.named_modules() if isinstance(module, QuantLayer)}
    totals = {"packed": 0.0, "base3": 0.0, "huffman": 0.0, "entropy": 0.0}
    weights = 0
    for layer in layers.values():
        codes = layer.clusters().codes
        sizes = layer_size(codes, layer.weight_bits if isinstance(layer, TernaryLayer) else max(layer.weight_bits, 3))
        for key in totals:
            totals[key] += sizes.get(key, sizes["packed"]) * codes.numel()
        weights += codes.numel()
    per_weight = {key: value / weights for key, value in totals.items()} if weights else totals
    return {"weights": weights, "float32_bytes": 4 * weights, "bits_per_weight": per_weight}
