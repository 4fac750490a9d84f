"""Tables with a label column: CSV, ARFF, Parquet."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.errors import CrqError, nearest
from crq.train.sources.raw import Parts, Raw, existing, numbers

ENDINGS = (".csv", ".csv.gz", ".tsv", ".arff", ".parquet", ".pq")
LABELS = ("label", "labels", "class", "target", "y")
"""Names of the label column, whatever their case, where none is said."""
_SPLITS = ("train", "test", "val")


@dataclass(frozen=True)
class Table:
    """Columns by name, each float64 or words; first_row: the number that messages give the first of them; missing: the
    words that stand for no value.
    """

    columns: dict[str, NDArray[Any]]
    where: str
    first_row: int
    missing: tuple[str, ...] = ("",)

    def numeric(self, name: str) -> NDArray[np.float64]:
        """A column as numbers; raises `CrqError` naming the row that holds none."""
        column = self.columns[name]
        if column.dtype.kind == "f":
            return column
        row = next(index for index, text in enumerate(column) if not _is_number(text))
        held, mend = "nothing", "fill it in, leave the row out"
        if column[row]:
            held, mend = f"{column[row]!r}, which is no number", "write words as numbers"
        raise CrqError(
            f"{self.where}, row {row + self.first_row}, column {name!r}: it holds {held}; {mend}, or leave the column "
            "out (data.skip_columns)"
        )

    def label(self, name: str) -> NDArray[Any]:
        """A column of numbers or words; raises `CrqError` naming the row that holds nothing."""
        column = self.columns[name]
        if column.dtype.kind == "O" and (empty := np.flatnonzero(np.isin(column, self.missing))).size:
            raise CrqError(
                f"{self.where}, row {int(empty[0]) + self.first_row}, column {name!r}: it holds nothing; fill it in or "
                "leave the row out"
            )
        return column


class Features(NamedTuple):
    """named: the columns that are features, all but the label's by default; skipped: columns that are none."""

    named: Sequence[str] | None = None
    skipped: Sequence[str] = ()


ALL = Features()


def file_parts(path: Path, label: str | Sequence[str] | None, columns: Features = ALL) -> Parts:
    """The one part of the table `path`; see `read`."""
    return {"all": partial(read, existing(path), label, columns)}


def folder_parts(folder: Path, label: str | Sequence[str] | None, columns: Features = ALL) -> Parts:
    """The splits train.csv, test.csv, … of a folder; each may have any of the `ENDINGS`."""
    paths = {split: next((folder / f"{split}{e}" for e in ENDINGS if (folder / f"{split}{e}").is_file()), None)
             for split in _SPLITS}  # fmt: skip
    return {split: partial(read, path, label, columns) for split, path in paths.items() if path is not None}


def read(path: Path, label: str | Sequence[str] | None = None, columns: Features = ALL) -> Raw:
    """The samples of a table: float32 [N, F] of `columns`, and its label column(s).

    label: by default the one called as in `LABELS`. Raises `CrqError` naming file, column and row.
    """
    table = load(path)
    names = [label] if isinstance(label, str) else list(label) if label else [_usual_label(table)]
    others = [name for name in table.columns if name not in names and name not in columns.skipped]
    chosen = list(columns.named) if columns.named else others
    for name in (*names, *chosen, *columns.skipped):
        if name not in table.columns:
            known = ", ".join(table.columns)
            raise CrqError(f"{path} has no column {name!r}{nearest(name, table.columns)}; its columns are {known}")
    if both := [name for name in names if name in chosen]:
        raise CrqError(
            f"{path}: column {both[0]!r} is the label and a feature too: take it out of data.columns, or name another "
            "label (data.label_column)"
        )
    if both := [name for name in columns.skipped if name in (*names, *(columns.named or ()))]:
        raise CrqError(f"{path}: column {both[0]!r} is skipped and used too: take it out of data.skip_columns")
    if not chosen:
        raise CrqError(f"{path} has no column beside its label {', '.join(names)}; expected at least one feature")
    values = np.stack([table.numeric(name) for name in chosen], axis=1)
    found = numbers(values, str(path), chosen, table.first_row)
    if len(names) == 1:
        return Raw(found, table.label(names[0]), f"{path}, column {names[0]!r}", table.first_row, outputs=(names[0],))
    labels = np.stack([table.numeric(name) for name in names], axis=1)
    return Raw(found, labels, str(path), table.first_row, outputs=tuple(names))


def _usual_label(table: Table) -> str:
    found = [name for name in table.columns if name.lower() in LABELS]
    if len(found) != 1:
        many = f"several label columns, {', '.join(found)}" if found else f"no column called {', '.join(LABELS)}"
        raise CrqError(
            f"{table.where} has {many}: say which it is (data.label_column); columns are {', '.join(table.columns)}"
        )
    return found[0]


def load(path: Path) -> Table:
    """Every column of a table."""
    if path.suffix in (".parquet", ".pq"):
        return _parquet(path)
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = raw.decode("utf-8-sig").splitlines()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise CrqError(f"{path} cannot be read as UTF-8 text: {error}") from error
    if path.suffix == ".arff":
        at = next((i for i, line in enumerate(lines) if line.strip().lower() == "@data"), None)
        if at is None:
            raise CrqError(f"{path} is no ARFF file: it has no line @DATA")
        names = [_attribute(line) for line in lines[:at] if line[:10].lower() == "@attribute"]
        return _rows(path, names, lines, at + 1, ",")
    if not lines:
        raise CrqError(f"{path} is empty; expected a line with the columns' names, then a row per sample")
    delimiter = max(",;\t", key=lines[0].count)
    header = next(csv.reader(lines[:1], delimiter=delimiter))
    if all(_is_number(name) for name in header):
        raise CrqError(f"{path} begins with a row of numbers; expected a line with the columns' names: add it")
    return _rows(path, [name.strip() for name in header], lines, 1, delimiter)


def _attribute(line: str) -> str:
    """The name in `@ATTRIBUTE name type`, which may be quoted."""
    rest = line[10:].strip()
    return rest[1:].partition(rest[0])[0] if rest[:1] in "'\"" else rest.split()[0]


def _rows(path: Path, names: list[str], lines: list[str], begin: int, delimiter: str) -> Table:
    """The table in lines[begin:], whose rows messages count as the lines of the file."""
    if len(set(names)) != len(names) or "" in names:
        raise CrqError(f"{path}: its columns are {', '.join(names)}; expected names that differ, none empty")
    while lines and not lines[-1].strip():
        lines.pop()
    rows = list(csv.reader(lines[begin:], delimiter=delimiter))
    for index, row in enumerate(rows):
        if len(row) != len(names):
            raise CrqError(
                f"{path}, row {index + begin + 1}: it has {len(row)} fields; expected {len(names)}, one for each of "
                f"the columns {', '.join(names)}"
            )
    if not rows:
        raise CrqError(f"{path} has no rows")
    columns = {name: _column(fields) for name, fields in zip(names, zip(*rows, strict=True), strict=True)}
    return Table(columns, str(path), begin + 1, ("", "?") if path.suffix == ".arff" else ("",))


def _column(fields: Sequence[str]) -> NDArray[Any]:
    try:
        return np.array(fields, np.float64)
    except ValueError:
        return np.array([field.strip().strip("'\"") for field in fields], object)


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except (TypeError, ValueError):
        return False
    return True


def _parquet(path: Path) -> Table:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise CrqError(f'{path}: Parquet files need pyarrow: pip install "crq[tables]", or save it as CSV') from error
    try:
        read = parquet.read_table(path)
    except (OSError, ArrowException) as error:
        raise CrqError(f"{path} is no Parquet file or is damaged: {error}") from error
    columns = {}
    for name, column in zip(read.column_names, read.columns, strict=True):
        if column.null_count:
            row = column.is_null().to_pylist().index(True)
            raise CrqError(f"{path}, row {row}, column {name!r}: it holds nothing; fill it in or leave the row out")
        cells = np.asarray(column.to_pylist())
        columns[name] = cells.astype(np.float64) if cells.dtype.kind in "iufb" else cells.astype(object)
    if not columns or not read.num_rows:
        raise CrqError(f"{path} has no rows")
    return Table(columns, str(path), 0)
