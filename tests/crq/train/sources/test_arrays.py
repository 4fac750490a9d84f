"""NumPy files: which arrays make which split, where labels lie, and what is refused by name."""

from pathlib import Path

import numpy as np
import pytest

from crq.errors import CrqError
from crq.train.sources.arrays import folder_parts, holds_codes, labels_file, npy_parts, npz_parts

X, Y = np.arange(24.0).reshape(6, 4), np.array([0, 1, 2, 0, 1, 2])


def test_names_say_what_the_splits_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", X=X, y=Y)
    [whole] = npz_parts(tmp_path / "one.npz").values()
    assert np.array_equal(whole().values, X)
    assert whole().values.dtype == np.float32
    np.savez(tmp_path / "many.npz", x_train=X, y_train=Y, X_test=X[:2], Y_test=Y[:2], x_val=X[2:3])
    parts = npz_parts(tmp_path / "many.npz")
    assert {split: len(read().values) for split, read in parts.items()} == {"train": 6, "test": 2, "val": 1}
    assert parts["test"]().labels.tolist() == [0, 1]
    assert parts["val"]().labels is None


def test_labels_lie_beside_their_samples(tmp_path: Path) -> None:
    assert labels_file(Path("a/x_train.npy")) == Path("a/y_train.npy")
    assert labels_file(Path("a/signals.npy")) == Path("a/signals_labels.npy")
    for name, values in (("x_train", X), ("y_train", Y), ("x_test", X[:2]), ("y_test", Y[:2]), ("other", Y)):
        np.save(tmp_path / f"{name}.npy", values)
    assert [len(read().values) for read in folder_parts(tmp_path).values()] == [6, 2]
    assert npy_parts(tmp_path / "x_train.npy", str(tmp_path / "other.npy"))["all"]().labels.tolist() == Y.tolist()
    np.save(tmp_path / "bare.npy", X)
    assert npy_parts(tmp_path / "bare.npy", None)["all"]().labels is None
    with pytest.raises(CrqError, match=r"its labels .*gone\.npy do not exist; name their file"):
        npy_parts(tmp_path / "bare.npy", str(tmp_path / "gone.npy"))["all"]()


def test_a_test_split_alone_and_codes_alone_are_parts(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x_test=X, y_test=Y)
    assert [*npz_parts(tmp_path / "t.npz")] == ["test"]
    assert not holds_codes(tmp_path / "t.npz")
    np.savez(tmp_path / "c.npz", codes=X, integers=Y)
    read = npz_parts(tmp_path / "c.npz")["all"]()
    assert (read.values.tolist(), read.labels) == (X.tolist(), None)
    assert holds_codes(tmp_path / "c.npz")
    np.savez(tmp_path / "x.npz", codes=X, x=X + 1)
    assert not holds_codes(tmp_path / "x.npz")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", x=np.array([{}, {}], object), y=Y[:2])
    with pytest.raises(CrqError, match=r"p\.npz: x and y cannot be read: Python objects are not read"):
        npz_parts(tmp_path / "p.npz")["all"]()
    np.save(tmp_path / "x.npy", np.array([{}], object))
    np.save(tmp_path / "y.npy", Y)
    with pytest.raises(CrqError, match=r"x\.npy: its array cannot be read: Python objects are not read"):
        npy_parts(tmp_path / "x.npy", None)["all"]()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": X, "b": Y}, r"holds a, b; expected arrays x and y, or x_train, .*: save it with np\.savez"),
        ({"x": X, "y": Y[:2]}, "6 samples and 2 labels; expected one label a sample"),
        ({"x": X, "y": 1}, "6 samples and a single number as label; expected one label a sample"),
        ({"x": X, "X": X + 1, "y": Y}, "holds X and x, which are one name here; leave one of them out"),
        ({"x": X[:, 0], "y": Y}, r"samples of shape \(6,\); expected \[N, …\]"),
        ({"x": X * 1j, "y": Y}, "samples of type complex128; expected integers or real numbers"),
        ({"x": np.where(X == 9, np.nan, X), "y": Y}, r"row 2, place \(1,\): nan is no finite float32 number"),
        ({"x": np.where(X == 9, 1e39, X), "y": Y}, r"row 2, place \(1,\): 1e\+39 is no finite float32 number"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, arrays: dict, message: str) -> None:
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(CrqError, match=message):
        npz_parts(tmp_path / "d.npz")["all"]()


def test_one_kind_of_file_named_as_the_other_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "x.npy").rename(tmp_path / "d.npz")
    with pytest.raises(CrqError, match=r"d\.npz is no \.npz file .*it holds one array without a name, as \.npy files"):
        npz_parts(tmp_path / "d.npz")
    np.savez(tmp_path / "d.npz", x=X)
    (tmp_path / "d.npz").rename(tmp_path / "x.npy")
    np.save(tmp_path / "y.npy", Y)
    with pytest.raises(CrqError, match=r"x\.npy holds several arrays, as \.npz files do; expected one"):
        npy_parts(tmp_path / "x.npy", None)["all"]()


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CrqError, match=r"d\.npz: no such file"):
        npz_parts(tmp_path / "d.npz")
    np.savez_compressed(tmp_path / "d.npz", x=np.random.default_rng(0).random((50, 50)), y=np.zeros(50))
    content = (tmp_path / "d.npz").read_bytes()
    (tmp_path / "d.npz").write_bytes(content[:500])
    with pytest.raises(CrqError, match=r"d\.npz is no \.npz file or is damaged"):
        npz_parts(tmp_path / "d.npz")
    (tmp_path / "d.npz").write_bytes(content[:300] + bytes(50) + content[350:])
    with pytest.raises(CrqError, match=r"d\.npz: x and y cannot be read"):
        npz_parts(tmp_path / "d.npz")["all"]()
