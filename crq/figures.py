"""Figures of quality as people read them: accuracies as shares, all others as numbers."""

from __future__ import annotations

from collections.abc import Mapping

ACCURACY = "accuracy"


def shown(name: str, value: float) -> str:
    """The value of the figure called `name`."""
    return f"{value:.2%}" if name.endswith(ACCURACY) else f"{value:.4g}"


def told(figures: Mapping[str, float]) -> str:
    """All of them in a line; an accuracy that comes first needs no name."""
    words = ", ".join(f"{name} {shown(name, value)}" for name, value in figures.items())
    return words.removeprefix(f"{ACCURACY} ")
