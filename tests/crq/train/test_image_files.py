"""Folders of images by class, in memory and left on disk."""

import numpy as np
import pytest
import torch
from PIL import Image

from crq.errors import CrqError
from crq.train import images as data


def folder_of_images(root, mode: str = "L", **splits: str):
    """root/split/class/1.png for every letter of a split."""
    for split, kinds in splits.items():
        for kind in kinds:
            (root / split / kind).mkdir(parents=True)
            Image.new(mode, (8, 8), ord(kind)).save(root / split / kind / "1.png")
    return root


def both_readers(root, split: str) -> list:
    """The split in memory and from disk."""
    return [data.load(f"{root}:{split}"), data.open_files(f"x:{split}", root, 8)]


def test_labels_are_places_among_the_classes_of_train(tmp_path) -> None:
    folder_of_images(tmp_path, train="abc", test="ca")
    (tmp_path / "train" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "train" / "a" / "._1.png").write_bytes(b"what macOS leaves beside a file")
    for split, labels in (("train", [0, 1, 2]), ("test", [0, 2])):
        for found in both_readers(tmp_path, split):
            assert (found.labels.tolist(), found.classes) == (labels, ("a", "b", "c"))
            assert found.take(torch.arange(len(labels)))[:, 0, 0, 0].tolist() == [97 + label for label in labels]


def test_a_class_that_train_lacks_is_named(tmp_path) -> None:
    folder_of_images(tmp_path, train="ab", test="abd")
    for reader in (lambda: data.load(f"{tmp_path}:test"), lambda: data.open_files("x:test", tmp_path, 8)):
        with pytest.raises(CrqError, match=r"test/d is a class that .*train lacks; its classes are a, b"):
            reader()


def test_a_test_split_alone_has_its_own_classes(tmp_path) -> None:
    folder_of_images(tmp_path, test="xy")
    assert all(found.classes == ("x", "y") for found in both_readers(tmp_path, "test"))


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_more_than_eight_bits_per_channel_are_refused(tmp_path, mode: str) -> None:
    folder_of_images(tmp_path, train="a")
    deep = tmp_path / "train" / "a" / "2.png"
    Image.new(mode, (8, 8)).save(deep, format="PNG" if mode == "I;16" else "TIFF")
    expected = r"2\.png has mode \S+; 8 bits per channel expected"
    with pytest.raises(CrqError, match=expected):
        data.load(f"{tmp_path}:train")
    with pytest.raises(CrqError, match=expected):
        data.open_files("x:train", tmp_path, 8).take(torch.arange(2))


def test_damaged_images_are_named_by_both_readers(tmp_path) -> None:
    folder_of_images(tmp_path, train="a")
    whole = (tmp_path / "train" / "a" / "1.png").read_bytes()
    damaged = tmp_path / "train" / "a" / "2.png"
    for content in (b"not a png", whole[: len(whole) // 2], whole[:45] + b"\xff\xff" + whole[47:], None):
        if content is None:
            damaged.unlink()
            damaged.mkdir()
        else:
            damaged.write_bytes(content)
        with pytest.raises(CrqError, match=r"2\.png cannot be read"):
            data.load(f"{tmp_path}:train")
        with pytest.raises(CrqError, match=r"2\.png cannot be read"):
            data.open_files("x:train", tmp_path, 8).take(torch.arange(2))


def test_unreadable_images_are_named(tmp_path) -> None:
    (tmp_path / "train" / "cat").mkdir(parents=True)
    (tmp_path / "train" / "cat" / "broken.png").write_bytes(b"no image")
    files = data.open_files("x:train", tmp_path, 16)
    with pytest.raises(CrqError, match=r"broken\.png cannot be read"):
        files.take(torch.tensor([0]))
    with pytest.raises(CrqError, match="test does not exist"):
        data.open_files("x:test", tmp_path, 16)


def test_images_are_scaled_and_cut_from_the_middle(tmp_path) -> None:
    (tmp_path / "train" / "a").mkdir(parents=True)
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = 200  # the middle square, and black beside it
    Image.fromarray(pixels).save(tmp_path / "train" / "a" / "1.png")
    taken = data.open_files("x:train", tmp_path, 56).take(torch.tensor([0]))
    assert taken.shape == (1, 3, 56, 56)
    assert taken.dtype == torch.uint8
    assert int(taken.min()) == 200
