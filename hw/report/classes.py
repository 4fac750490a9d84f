"""Which classes a network takes for which: the confusion matrix, and the accuracy of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 50
"""Classes, above which a matrix is no longer looked at."""


def confusion(names: Sequence[str], labels: NDArray[Any], said: NDArray[Any]) -> dict[str, Any] | None:
    """`classes` of report.json: `names`, and in `counts` a row per true class with how often each class was said.

    labels, said: integers [N]. None for more than `MOST` classes, and where either knows other classes than `names`.
    """
    if not 0 < len(names) <= MOST or not len(labels) or max(labels.max(), said.max()) >= len(names):
        return None
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (labels, said), 1)
    return {"names": list(names), "counts": counts.tolist()}


def accuracies(classes: dict[str, Any]) -> list[float | None]:
    """The share of each class's samples that are said to be of it; None for a class without samples."""
    return [row[place] / sum(row) if sum(row) else None for place, row in enumerate(classes["counts"])]


def worst(classes: dict[str, Any]) -> list[tuple[str, str, int]]:
    """The three commonest mistakes: true class, said class, how often."""
    names, counts = classes["names"], classes["counts"]
    mistakes = [
        (names[true], names[said], count)
        for true, row in enumerate(counts) for said, count in enumerate(row) if true != said and count
    ]  # fmt: skip
    return sorted(mistakes, key=lambda mistake: -mistake[2])[:3]
