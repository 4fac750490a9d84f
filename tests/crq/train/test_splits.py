"""The splits of a data section: what every spelling gives, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from crq.errors import CrqError
from crq.train.images import ImageData
from crq.train.sections import Data, Sound
from crq.train.sources.values import ValueData
from crq.train.splits import Source, front, load_split

X, Y = np.arange(120.0).reshape(30, 4), np.arange(30) % 3


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    np.savez(tmp_path / "d.npz", x=X, y=Y)
    return tmp_path / "d.npz"


def rows(data) -> list:
    return sorted(data.values[:, 0].tolist())


def test_data_in_one_piece_are_divided_the_same_every_time(whole: Path) -> None:
    section = Data(name=str(whole))
    train, test = (load_split(section, split) for split in ("train", "test"))
    assert (len(train), len(test)) == (24, 6)
    assert sorted(rows(train) + rows(test)) == rows(load_split(section, "all")) == X[:, 0].tolist()
    assert rows(load_split(section, "test")) == rows(test)
    fit, val = (load_split(section, split) for split in ("fit", "val"))
    assert sorted(rows(fit) + rows(val)) == rows(train)
    assert len(load_split(Data(name=str(whole), test=0.5), "test")) == 15


def test_splits_of_their_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", x_train=X, y_train=Y, x_test=X[:3], y_test=Y[:3], x_val=X[:2], y_val=Y[:2])
    source = Source(Data(name=str(tmp_path / "s.npz")))
    assert source.has_validation
    assert [len(source.split(s)) for s in ("train", "fit", "val", "test")] == [30, 30, 2, 3]
    assert source.split("val").classes == ("0", "1", "2")
    with pytest.raises(CrqError, match="has the splits train, test, val; it is not in one piece: name one"):
        source.split("all")
    np.savez(tmp_path / "t.npz", x_train=X, y_train=Y)
    with pytest.raises(CrqError, match="has no split test, only train"):
        load_split(Data(name=str(tmp_path / "t.npz")), "test")
    np.savez(tmp_path / "u.npz", x_train=X, y_train=Y, x_test=X[:1], y_test=[7])
    with pytest.raises(CrqError, match="row 0: its label '7' is no class of the training split, which has 0, 1, 2"):
        load_split(Data(name=str(tmp_path / "u.npz")), "test")


def test_splits_have_one_scale(tmp_path: Path) -> None:
    """Bytes become byte/256; a split of other numbers must not stand beside them, however small."""
    codes = np.arange(30, dtype=np.uint8).reshape(30, 1)

    def source(train: np.ndarray, test: np.ndarray) -> Source:
        np.savez(tmp_path / "s.npz", x_train=train, y_train=Y, x_test=test, y_test=Y)
        return Source(Data(name=str(tmp_path / "s.npz")))

    single, flags = codes.astype(np.float32), codes % 2
    for train, test in (
        (codes, codes.astype(int)),
        (single, codes),
        (flags, flags.astype(float)),
        (codes, single / 256),
    ):
        made = source(train, test)
        made.split("train")
        with pytest.raises(CrqError, match=r"x_test has samples of .* bytes are divided by 256 and other numbers are"):
            made.split("test")
    for kind in (np.uint8, np.float32):
        made = source(codes.astype(kind), codes.astype(kind))
        assert torch.equal(made.split("train").values, made.split("test").values)


def test_marks_are_classes_or_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def read(train: np.ndarray, test: np.ndarray) -> tuple:
        np.savez(tmp_path / "m.npz", x_train=X, y_train=train, x_test=X, y_test=test)
        source = Source(Data(name=str(tmp_path / "m.npz")), "marks")
        return [(set(d.labels.tolist()), d.classes) for d in (source.split("train"), source.split("test"))]

    assert read(Y * 0, Y) == [({0}, ("0",)), ({0, 1, 2}, ("0", "1", "2"))]
    nothing = ({0}, ())
    assert read(rng.normal(size=30), rng.normal(size=30)) == [nothing, nothing]
    assert read(rng.normal(size=(30, 2)), Y * np.nan) == [nothing, nothing]
    assert read(Y, Y + 0.5) == [({0, 1, 2}, ("0", "1", "2")), nothing]


def test_bytes_are_images_and_shapes_are_said(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 16)).astype(np.uint8)
    np.savez(tmp_path / "b.npz", x=pixels, y=np.arange(9) % 2)
    images = load_split(Data(name=str(tmp_path / "b.npz"), shape=(1, 4, 4)), "all")
    assert isinstance(images, ImageData)
    assert images.images.reshape(9, 16).tolist() == pixels.tolist()
    numbers = load_split(Data(name=str(tmp_path / "b.npz"), shape=(1, 4, 4)), "all", "numbers")
    assert isinstance(numbers, ValueData)
    assert torch.equal(numbers.values.reshape(9, 16), torch.from_numpy(pixels) / 256)
    with pytest.raises(CrqError, match=r"data\.shape \[1, 5, 5\] has 25 values; a sample of .* has shape \[16\], 16"):
        load_split(Data(name=str(tmp_path / "b.npz"), shape=(1, 5, 5)), "all")


def test_every_spelling_is_found(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    for name, values in (("x_train", X), ("y_train", Y), ("x_test", X[:4]), ("y_test", Y[:4])):
        np.save(folder / f"{name}.npy", values)
    table = "a,b,y\n" + "".join(f"{i},{i},{i % 2}\n" for i in range(8))
    (tmp_path / "t.csv").write_text(table)
    (tmp_path / "g").mkdir()
    for split in ("train", "test"):
        (tmp_path / "g" / f"{split}.csv").write_text(table)
    (tmp_path / "splits_of_this_test.py").write_text("def load():\n    return [([1.0, 2.0], 0)] * 5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", __import__("sys").path[:])
    sizes = {"f": 4, "t.csv": 2, "g": 8, "splits_of_this_test:load": 1, "f/x_train.npy": 6, "digits": 359}
    assert {name: len(load_split(Data(name=name), "test")) for name in sizes} == sizes
    assert len(load_split(Data(name="t.csv", root=str(tmp_path)), "test")) == 2


def test_images_by_class_are_no_numbers() -> None:
    with pytest.raises(CrqError, match="digits are images by class, and this loss compares numbers"):
        load_split(Data(name="digits"), "train", "numbers")
    with pytest.raises(CrqError, match="split 'tset' of digits: expected one of train, test, fit, val, all"):
        load_split(Data(name="digits"), "tset")


@pytest.mark.parametrize("key", ["label_column", "columns", "skip_columns"])
def test_columns_are_of_tables(key: str, whole: Path) -> None:
    for name in ("digits", str(whole)):
        with pytest.raises(CrqError, match=rf"data.{key} is of tables, and {name} is none: leave it out"):
            load_split(Data.model_validate({"name": name, key: ["a"]}), "train")


def test_front_ends() -> None:
    made = front(Sound())
    assert made.logmel is not None
    assert (made.samples, made.logmel.window, made.logmel.hop, made.logmel.fft, made.logmel.high) == (
        16000, 480, 320, 512, 8000.0,
    )  # fmt: skip
    assert front(Sound(features="waveform", seconds=0.5)).features(np.zeros(3)).shape == (1, 8000)
    with pytest.raises(CrqError, match="a window of 480 samples in a clip of 160"):
        front(Sound(seconds=0.01))
    with pytest.raises(CrqError, match="a window of 480 samples in a clip of 16000, with an FFT of 256"):
        front(Sound(fft=256))
    with pytest.raises(CrqError, match="bands from 20 to 9000 Hz; expected low < high ≤ 8000"):
        front(Sound(high=9000.0))
