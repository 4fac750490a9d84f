"""Layers of equal weights: what a file uses in several places, hardware has once per layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crq.hw.ir.layers import Mac

_FEWEST = 16
"""Weights below which equal codes are no sign of one layer that is used twice."""


def shared(layers: Iterable[object]) -> dict[str, list[str]]:
    """By the first layer of equal weights (codes, type and groups) all layers that have them, where there are two.

    Files that use a layer twice have one constant in two places; the integer graph has it per layer.
    """
    found: dict[tuple[object, ...], list[str]] = {}
    for layer in layers:
        if isinstance(layer, Mac) and layer.weights.size >= _FEWEST:
            key = (layer.weight_type, layer.groups, layer.weights.shape, layer.weights.tobytes())
            found.setdefault(key, []).append(layer.name)
    return {names[0]: names for names in found.values() if len(names) > 1}


def text(found: Mapping[str, list[str]]) -> str:
    """`shared` in words; empty where nothing is."""
    return "; ".join(
        f"weights of {first}, used {'twice' if len(names) == 2 else f'{len(names)} times'} "
        f"({', '.join(names)}): once per use in hardware"
        for first, names in found.items()
    )
