"""The confusion matrix against scikit-learn's, and what is read off it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from crq.hw.report.classes import MOST, accuracies, confusion, worst

NAMES = ("a", "b", "c")
PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40)


@given(PAIRS)
def test_it_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, said = np.array(pairs).T
    found = confusion(NAMES, labels, said)
    assert found is not None
    assert found["counts"] == confusion_matrix(labels, said, labels=range(3)).tolist()
    for place, share in enumerate(accuracies(found)):
        own = labels == place
        assert share == (pytest.approx((said[own] == place).mean()) if own.any() else None)


def test_the_commonest_mistakes_come_first() -> None:
    classes = {"names": list(NAMES), "counts": [[9, 1, 0], [5, 9, 2], [0, 0, 9]]}
    assert worst(classes) == [("b", "a", 5), ("b", "c", 2), ("a", "b", 1)]
    assert worst({"names": ["a"], "counts": [[3]]}) == []


def test_what_is_no_matrix_to_look_at() -> None:
    one = np.zeros(1, np.int64)
    assert confusion([str(n) for n in range(MOST + 1)], one, one) is None
    assert confusion(["a"], one, one + 1) is None
    assert confusion((), one, one) is None
    assert confusion(["a"], one[:0], one[:0]) is None
