"""Data as bytes: every format, its errors, and the batches made of it."""

import gzip

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from crq.errors import CrqError
from crq.train import images as data

RNG = np.random.default_rng(0)


def images(count: int = 20) -> data.ImageData:
    pixels = torch.from_numpy(RNG.integers(0, 256, (count, 1, 6, 6), dtype=np.uint8))
    return data.ImageData(pixels, torch.arange(count) % 3, ("a", "b", "c"), "toy")


def test_digits_are_bytes_of_sixteenfold_pixels() -> None:
    train, test = data.load("digits:train"), data.load("digits:test")
    assert (len(train), len(test)) == (1438, 359)
    assert train.images.dtype == torch.uint8
    assert train.images.shape[1:] == (1, 8, 8)
    raw = np.minimum(load_digits().images * 16, 255).astype(np.uint8)
    ours = torch.cat([train.images, test.images])[:, 0].numpy().reshape(1797, -1)
    assert sorted(map(bytes, ours)) == sorted(map(bytes, raw.reshape(1797, -1)))
    image, label = test[3]
    assert torch.equal(image, test.images[3].float() / 256)
    assert label == int(test.labels[3])


def test_fit_and_val_split_train_without_overlap() -> None:
    fit, val, train = (data.load(f"digits:{part}") for part in ("fit", "val", "train"))
    assert len(fit) + len(val) == len(train)
    assert len(val) == round(0.1 * len(train))
    again = data.load("digits:val")
    assert torch.equal(val.images, again.images)


def write_idx(path, array: np.ndarray) -> None:
    raw = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes() + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def test_idx_folder(tmp_path) -> None:
    pixels, labels = RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8), np.array([1, 9, 0, 2, 2], np.uint8)
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", pixels)
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", labels)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", pixels[:2])
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", labels[:2])
    train = data.load("mnist:train", tmp_path)
    assert np.array_equal(train.images[:, 0].numpy(), pixels)
    assert train.labels.tolist() == labels.tolist()
    assert len(data.load(f"{tmp_path}:test")) == 2
    assert data.load("fashion-mnist:test", tmp_path).classes[9] == "ankle boot"


def test_broken_idx_files_are_named(tmp_path) -> None:
    target = tmp_path / "train-images-idx3-ubyte"
    target.write_bytes(b"nonsense")
    with pytest.raises(CrqError, match=r"lacks train-labels"):
        data.load("mnist:train", tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(2, np.uint8))
    with pytest.raises(CrqError, match=r"train-images-idx3-ubyte is not an IDX file"):
        data.load("mnist:train", tmp_path)
    write_idx(target, np.zeros((2, 4, 4), np.uint8))
    target.write_bytes(target.read_bytes()[:-1])
    with pytest.raises(CrqError, match="cut short"):
        data.load("mnist:train", tmp_path)
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / "train-images-idx3-ubyte.gz")
    with pytest.raises(CrqError, match="cannot be read"):
        data.load("mnist:train", tmp_path)


def test_cifar_binaries(tmp_path) -> None:
    rows = RNG.integers(0, 256, (4, 3073), dtype=np.uint8)
    rows[:, 0] = [3, 0, 9, 1]
    rows[:2].tofile(tmp_path / "data_batch_1.bin")
    rows[2:].tofile(tmp_path / "data_batch_2.bin")
    rows[:1].tofile(tmp_path / "test_batch.bin")
    train = data.load("cifar10:train", tmp_path)
    assert train.labels.tolist() == [3, 0, 9, 1]
    assert np.array_equal(train.images[2].numpy().reshape(-1), rows[2, 1:])
    assert train.classes[3] == "cat"
    assert len(data.load("cifar10:test", tmp_path)) == 1
    rows[:1, :-1].tofile(tmp_path / "test_batch.bin")
    with pytest.raises(CrqError, match="no multiple of 3073"):
        data.load("cifar10:test", tmp_path)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_image_folder(tmp_path, mode: str) -> None:
    shape = (5, 7) if mode == "L" else (5, 7, 3)
    pixels = {}
    for kind in ("dog", "cat"):
        (tmp_path / "train" / kind).mkdir(parents=True)
        pixels[kind] = RNG.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels[kind]).save(tmp_path / "train" / kind / "1.png")
    found = data.load(f"{tmp_path}:train")
    assert found.classes == ("cat", "dog")
    assert found.images.shape == (2, 1 if mode == "L" else 3, 5, 7)
    assert np.array_equal(found.images[0].permute(1, 2, 0).squeeze().numpy(), pixels["cat"])
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "train" / "dog" / "2.png")
    with pytest.raises(CrqError, match=r"2\.png is .* bring all to one size"):
        data.load(f"{tmp_path}:train")


def test_errors_say_what_was_looked_for(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("CRQ_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    for spec, message in [
        ("digits", "must be name:split"),
        ("digits:tset", "must be name:split"),
        ("mnits:test", r"unknown data 'mnits' \(did you mean 'mnist'\?\)"),
        ("mnist:test", r"not found \(looked in data/mnist\): set CRQ_DATA"),
        (f"{tmp_path}:test", "has no data for split 'test': expected IDX files"),
    ]:
        with pytest.raises(CrqError, match=message):
            data.load(spec)
    (tmp_path / "pumps.txt").write_text("a,b\n1,2\n")
    with pytest.raises(
        CrqError, match=r"data pumps\.txt: no file of data by its ending; expected .*\.npz.*\.tsv, \.arff"
    ):
        data.load("pumps.txt:train")
    with pytest.raises(CrqError, match="digits come with scikit-learn, not from the folder /nope"):
        data.load("digits:test", "/nope")
    with pytest.raises(CrqError, match="data folder .* does not exist"):
        data.load("mnist:test", tmp_path / "absent")
    with pytest.raises(CrqError, match="must be uint8"):
        data.ImageData(torch.zeros(1, 1, 2, 2), torch.zeros(1), ("a",), "x")
    with pytest.raises(CrqError, match="labels run from 2 to 2; expected 0 to 0 for 1 classes"):
        data.ImageData(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.tensor([2]), ("a",), "x")


def test_a_damaged_gzip_stream_is_named(tmp_path) -> None:
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(9, np.uint8))
    target = tmp_path / "train-images-idx3-ubyte.gz"
    write_idx(target, RNG.integers(0, 256, (9, 8, 8), dtype=np.uint8))
    whole = target.read_bytes()
    for content in (whole[:-20], whole[:12] + b"\x77\x55\xff" + whole[15:]):
        target.write_bytes(content)
        with pytest.raises(CrqError, match=r"train-images-idx3-ubyte\.gz cannot be read"):
            data.load("mnist:train", tmp_path)
