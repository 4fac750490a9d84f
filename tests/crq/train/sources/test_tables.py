"""Tables: the three formats give the same samples, and errors name file, row and column."""

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.errors import CrqError
from crq.train.sources.tables import Features, file_parts, folder_parts, load, read

CSV = "a,b,kind\n1,2.5,red\n-3,4e2,blue\n5,6,red\n"
ARFF = "% notes\n@RELATION r\n\n@ATTRIBUTE a REAL\n@attribute 'b' numeric\n@ATTRIBUTE kind {red,blue}\n@DATA\n"
ARFF += CSV.partition("\n")[2]
VALUES = [[1, 2.5], [-3, 400], [5, 6]]


def write(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", CSV), ("t.csv", "\ufeff" + CSV.replace(",", ";").replace("\n", "\r\n")), ("t.csv.gz", CSV),
        ("t.tsv", CSV.replace(",", "\t")), ("t.csv", CSV.replace("red", '"red"')), ("t.arff", ARFF),
    ],
)  # fmt: skip
def test_spellings_of_one_table(tmp_path: Path, name: str, text: str) -> None:
    raw = read(write(tmp_path, text, name), "kind")
    assert raw.values.tolist() == VALUES
    assert raw.labels.tolist() == ["red", "blue", "red"]
    assert raw.outputs == ("kind",)


def test_parquet_is_the_same_table(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    kinds = pyarrow.array(["red", "blue", "red"]).dictionary_encode()
    table = pyarrow.table({"a": [1, -3, 5], "b": [2.5, 400.0, 6.0], "kind": kinds})
    parquet.write_table(table, tmp_path / "t.parquet")
    raw = read(tmp_path / "t.parquet", "kind")
    assert (raw.values.tolist(), raw.labels.tolist()) == (VALUES, ["red", "blue", "red"])
    parquet.write_table(pyarrow.table({"a": [1, None], "y": [0, 1]}), tmp_path / "n.parquet")
    with pytest.raises(CrqError, match=r"n\.parquet, row 1, column 'a': it holds nothing"):
        read(tmp_path / "n.parquet")
    with pytest.raises(CrqError, match=r"t\.pq is no Parquet file or is damaged"):
        read(write(tmp_path, CSV, "t.pq"))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CrqError, match=r'Parquet files need pyarrow: pip install "crq\[tables\]", or save it as CSV'):
        load(write(tmp_path, "x", "t.parquet"))


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, CSV)
    assert read(path, "kind", Features(["b"])).values.tolist() == [[2.5], [400], [6]]
    several = read(write(tmp_path, "c," + CSV.replace("\n", "\n9,", 3), "c.csv"), ["a", "b"], Features(["c"]))
    assert (several.labels.tolist(), several.outputs) == (VALUES, ("a", "b"))
    assert several.values.tolist() == [[9], [9], [9]]
    for label, columns in (("a", ["a", "b"]), (["b", "a"], ["a"])):
        with pytest.raises(CrqError, match="column 'a' is the label and a feature too: take it out of data.columns"):
            read(path, label, Features(columns))
    assert read(write(tmp_path, "Label,a\n1,2\n")).labels.tolist() == [1]


def test_columns_that_are_no_features_are_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, CSV)
    assert read(path, "kind", Features(skipped=["a"])).values.tolist() == [[2.5], [400], [6]]
    for columns in (Features(skipped=["kind"]), Features(["a"], ["a"])):
        with pytest.raises(CrqError, match="is skipped and used too: take it out of data.skip_columns"):
            read(path, "kind", columns)
    with pytest.raises(CrqError, match="has no column 'id'"):
        read(path, "kind", Features(skipped=["id"]))


def test_a_folder_has_its_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path, CSV, f"{split}.csv")
    assert list(folder_parts(tmp_path, "kind", None)) == ["train", "test"]
    assert list(file_parts(tmp_path / "test.csv", "kind", None)) == ["all"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CSV, "has no column called label, labels, class, target, y: say which it is .* columns are a, b, kind"),
        ("y,class,a\n1,2,3\n", "several label columns, y, class"),
        ("y,a\n1,2\n0,x\n", r"t\.csv, row 3, column 'a': it holds 'x', which is no number"),
        ("y,a\n1,2\n0,\n", r"t\.csv, row 3, column 'a': it holds nothing; fill it in, leave the row out, or leave the"),
        ("y,a\n1,2\n0,nan\n", r"t\.csv, row 3, column 'a': nan is no finite float32 number"),
        ("y,a\n1,2\n0\n", r"t\.csv, row 3: it has 1 fields; expected 2, one for each of the columns y, a"),
        ("y,a\nred,2\n,3\nblue,4\n", r"t\.csv, row 3, column 'y': it holds nothing; fill it in or leave the row out"),
        ("y,a\n1,2\n ,3\n", r"t\.csv, row 3, column 'y': it holds nothing"),
        ("1,2\n3,4\n", "begins with a row of numbers; expected a line with the columns' names"),
        ("y,y\n3,4\n", "its columns are y, y; expected names that differ"),
        ("y,a\n", "has no rows"),
        ("", "is empty; expected a line with the columns' names"),
        ("y\n1\n", "has no column beside its label y"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        read(write(tmp_path, text))


def test_unknown_columns_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CrqError, match=r"has no column 'kint' \(did you mean 'kind'\?\); its columns are a, b, kind"):
        read(write(tmp_path, CSV), "kint")
    with pytest.raises(CrqError, match="t.arff is no ARFF file: it has no line @DATA"):
        read(write(tmp_path, CSV, "t.arff"))
    with pytest.raises(CrqError, match=r"t\.arff, row 10, column 'kind': it holds nothing; fill it in"):
        read(write(tmp_path, ARFF.replace("5,6,red", "5,6,?"), "t.arff"), "kind")
    assert read(write(tmp_path, CSV.replace("blue", "?")), "kind").labels.tolist() == ["red", "?", "red"]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(CSV.encode())[:20])
    (tmp_path / "u.csv").write_bytes(b"a,y\n\xff,1\n")
    for name in ("t.csv.gz", "u.csv"):
        with pytest.raises(CrqError, match=f"{name} cannot be read as UTF-8 text"):
            read(tmp_path / name)


@given(st.lists(st.tuples(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 9)), min_size=1))
def test_any_numbers_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    text = "a,y\n" + "".join(f"{a!r},{y}\n" for a, y in rows)
    raw = read(write(tmp_path_factory.getbasetemp(), text))
    assert raw.values[:, 0].tolist() == [a for a, _ in rows]
    assert np.array_equal(raw.labels, [y for _, y in rows])
