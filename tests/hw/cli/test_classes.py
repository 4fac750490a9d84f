"""A score that is watched gives the same figures, and remembers who was taken for whom."""

import numpy as np

from crq.hw.cli.classes import Watched

LOGITS = np.array([[1.0, 0], [0, 1], [2, 1]])


def test_the_last_matrix_is_remembered() -> None:
    watched = Watched(lambda logits: {"accuracy": len(logits) / 4}, ("cat", "dog"), np.array([0, 0, 1, 1]))
    assert watched.found is None
    assert watched(LOGITS) == {"accuracy": 0.75}
    assert watched.found == {"names": ["cat", "dog"], "counts": [[1, 1], [1, 0]]}


def test_without_names_there_is_none() -> None:
    watched = Watched(lambda logits: {"mse": 0.0}, (), np.zeros((3, 2)))
    assert watched(LOGITS) == {"mse": 0.0}
    assert watched.found is None
