"""Labels as numbers of classes, as real numbers, as zeros and ones."""

import numpy as np
import pytest

from crq.errors import CrqError
from crq.train.sources.raw import Raw
from crq.train.sources.targets import as_classes, as_numbers, class_names, output_names


def raw(labels, **more) -> Raw:
    found = None if labels is None else np.asarray(labels)
    return Raw(np.zeros((3 if found is None else len(found), 2), np.float32), found, "d.csv", 2, **more)


@pytest.mark.parametrize(
    ("labels", "classes", "numbers"),
    [
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        (np.array(["b", "a"], object), ("a", "b"), [1, 0]),
        (np.array([b"b", b"a"]), ("a", "b"), [1, 0]),
        ([10, 2, 10], ("2", "10"), [1, 0, 1]),
        ([1.0, 0.0], ("0", "1"), [1, 0]),
        ([True, False], ("0", "1"), [1, 0]),
        ([[3], [1]], ("1", "3"), [1, 0]),
        ([[0, 1, 0], [1, 0, 0]], ("0", "1", "2"), [1, 0]),
        (None, (), [0, 0, 0]),
    ],
)
def test_classes(labels, classes: tuple[str, ...], numbers: list[int]) -> None:
    assert class_names(raw(labels)) == classes
    assert as_classes(raw(labels), classes).tolist() == numbers


def test_a_source_may_name_its_classes() -> None:
    named = raw([1, 0], classes=("x", "y", "z"))
    assert class_names(named) == ("x", "y", "z")
    assert as_classes(named, class_names(named)).tolist() == [1, 0]
    with pytest.raises(CrqError, match=r"d\.csv, row 3: its label is 3; expected the number of a class, 0 to 2"):
        as_classes(raw([1, 3], classes=("x", "y", "z")), ("x", "y", "z"))


def test_numbers() -> None:
    assert as_numbers(raw([1, 2]), "numbers").tolist() == [[1], [2]]
    assert as_numbers(raw([[0, 1], [1, 1]]), "bits").tolist() == [[0, 1], [1, 1]]
    assert output_names(raw([[0, 1], [1, 1]])) == ("0", "1")
    assert output_names(raw([[0, 1], [1, 1]], outputs=("a", "b"))) == ("a", "b")


@pytest.mark.parametrize(
    ("labels", "read", "message"),
    [
        ([0.5, 1.0], class_names, r"d\.csv, row 2: its label is 0\.5; expected a class.*loss = \"mse\""),
        ([1.0, np.nan], class_names, "row 3: its label is nan"),
        ([np.inf, 1.0], class_names, "row 2: its label is inf; expected a class"),
        ([1.0, np.nan], lambda r: as_classes(r, ("1",)), "row 3: its label is nan; expected a class"),
        ([1.0, np.inf], lambda r: as_classes(r, ("1",)), "row 3: its label is inf; expected a class"),
        (np.array(["2020-01-01"], "M8[D]"), class_names, "row 2: its label is 2020-01-01; expected a class"),
        (np.array(["a", None], object), class_names, "row 3: its label is None; expected a class"),
        ([1j], lambda r: as_classes(r, ("1",)), "row 2: its label is 1j; expected a class"),
        ([[0, 1, 1], [1, 0, 0]], class_names, r"labels of shape \(2, 3\); expected a class a sample.*loss = \"bce\""),
        (np.arange(10_001), class_names, "10,001 different labels; expected at most 10,000 classes"),
        (["b", "c"], lambda r: as_classes(r, ("a", "b")), "row 3: its label 'c' is no class of the training split"),
        (
            [[0, 1]],
            lambda r: as_classes(r, ("0", "1", "2")),
            "one-hot labels with the columns 0, 1; expected .* 1, 2",
        ),
        ([[0, 1, 0]], lambda r: as_classes(r, ("0", "1")), "one-hot labels with the columns 0, 1, 2; expected .* 0, 1"),
        (
            [[0, 1]],
            lambda r: as_classes(r, ("1", "2")),
            "one-hot labels .* 0, 1; expected .* 1, 2: write the",
        ),
        (["b", "c"], lambda r: as_numbers(r, "numbers"), "its labels are words such as 'b'; this loss compares"),
        ([[0, 2]], lambda r: as_numbers(r, "bits"), r"row 2: label 1 is 2; expected 0 or 1 \(multi-label\)"),
        ([[0, np.inf]], lambda r: as_numbers(r, "numbers"), "row 2: label 1 is inf; expected a finite number"),
        (None, lambda r: as_numbers(r, "numbers"), "has no labels; this loss compares with numbers"),
    ],
)
def test_what_is_wrong_is_named(labels, read, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        read(raw(labels))
