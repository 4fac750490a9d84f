"""Samples as a file has them: shapes, numbers, rows in messages."""

from pathlib import Path

import numpy as np
import pytest

from crq.errors import CrqError
from crq.train.sources.raw import Raw, existing, numbers


def test_rows_are_counted_as_the_file_counts_them() -> None:
    assert Raw(np.zeros((3, 2)), None, "a.csv", 2).row(1) == "a.csv, row 3"
    with pytest.raises(CrqError, match=r"samples of shape \(0, 2\); expected \[N, …\], N > 0"):
        Raw(np.zeros((0, 2)), None, "a.csv")


def test_numbers_are_bytes_or_float32() -> None:
    assert numbers(np.zeros((2, 2), np.uint8), "x").dtype == np.uint8
    for kind in (np.int64, np.float64, bool, np.float16):
        assert numbers(np.ones((2, 2), kind), "x").dtype == np.float32
    with pytest.raises(CrqError, match="a.csv, row 3, column 'b': inf is no finite float32 number"):
        numbers(np.array([[0, 1], [2, np.inf]]), "a.csv", ["a", "b"], 2)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CrqError, match="nothing.csv: no such file"):
        existing(tmp_path / "nothing.csv")
