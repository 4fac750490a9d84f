"""Datasets of the caller's: images on the grid, everything else as values, and what is wrong with either."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from crq.errors import CrqError
from crq.train.images import ImageData
from crq.train.sources import datasets as data
from crq.train.sources.values import ValueData

RNG = np.random.default_rng(0)


def images(count: int = 20) -> ImageData:
    pixels = torch.from_numpy(RNG.integers(0, 256, (count, 1, 6, 6), dtype=np.uint8))
    return ImageData(pixels, torch.arange(count) % 3, ("a", "b", "c"), "toy")


class Pairs(torch.utils.data.Dataset):
    """A user's own data set."""

    def __init__(self, images, labels) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int):
        return self.images[index], self.labels[index]


def test_any_dataset_of_images_and_labels() -> None:
    toy = images(5)
    pixels = toy.images[:, 0].numpy()
    color = RNG.integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    for given in (toy.images, toy.images.double() / 256, toy.images.numpy(), [Image.fromarray(p) for p in pixels]):
        found = data.from_dataset(Pairs(given, [0, 2, 1, 0, 1]))
        assert torch.equal(found.images, toy.images)
        assert found.labels.tolist() == [0, 2, 1, 0, 1]
        assert found.classes == ("0", "1", "2")
    found = data.from_dataset(Pairs([Image.fromarray(p) for p in color], toy.labels), ("a", "b", "c"), "mine")
    assert np.array_equal(found.images.permute(0, 2, 3, 1).numpy(), color)
    assert (found.classes, found.name) == (("a", "b", "c"), "mine")
    assert data.from_dataset(toy).classes == toy.classes


def test_images_off_the_grid_are_refused_unless_quantized() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    with pytest.raises(CrqError, match=r"image 0 of dataset holds 0\.00392157, which is not on .* quantize=True"):
        data.from_dataset(Pairs(pixels / 255, [0]))
    found = data.from_dataset(Pairs(pixels / 255, [0]), quantize=True)
    assert int((found.images.int() - pixels.int()).abs().max()) == 1
    for quantize in (False, True):
        with pytest.raises(
            CrqError, match=r"image 0 of dataset holds -8\.6, which no image byte/256 does.*ValueData\("
        ):
            data.from_dataset(Pairs(torch.tensor([[[[0.5, -8.6]]]]), [0]), quantize=quantize)
    with pytest.raises(CrqError, match=r"image 0 of dataset holds 1, which is not on"):
        data.from_dataset(Pairs(torch.ones(1, 1, 2, 2), [0]))
    with pytest.raises(CrqError, match=r"is torch\.int64; expected uint8"):
        data.from_dataset(Pairs(pixels.long(), [0]))
    with pytest.raises(CrqError, match=r"image 1 of x has shape \(1, 3, 3\), image 0 \(1, 2, 2\); bring all"):
        data.from_dataset(Pairs([pixels[0, :, :2, :2], pixels[0, :, :3, :3]], [0, 1]), name="x")
    with pytest.raises(CrqError, match="x: the dataset is empty"):
        data.from_dataset(Pairs([], []), name="x")


@pytest.mark.parametrize(
    "label",
    [1.7, float("nan"), float("inf"), -1, "cat", None, np.float64(0.5), torch.tensor(1.5)],
)
def test_labels_that_are_no_class_are_named(label) -> None:
    with pytest.raises(CrqError, match="image 1 of mine has label .*; expected the number of a class"):
        data.from_dataset(Pairs(images(3).images, [0, label, 1]), name="mine")


def test_labels_of_several_numbers_are_told_by_their_shape() -> None:
    masks = torch.zeros(3, 6, 6, dtype=torch.long)
    with pytest.raises(CrqError, match=r"image 0 of mine has labels of shape \(6, 6\); .* train in a loop of your own"):
        data.from_dataset(Pairs(images(3).images, masks), name="mine")


@pytest.mark.parametrize("label", [2**63, 2**63 - 1, 10**30, data.MOST_CLASSES])
def test_labels_too_large_for_classes_are_named_and_nothing_is_allocated(label: int) -> None:
    with pytest.raises(CrqError, match=rf"image 1 of dataset has label {label}, of more than 100,000 classes"):
        data.from_dataset(Pairs(images(3).images, [0, label, 1]))
    with pytest.raises(CrqError, match=rf"image 1 of dataset has label {label}, but there are 3 classes: 0 to 2"):
        data.from_dataset(Pairs(images(3).images, [0, label, 1]), ("a", "b", "c"))


def test_labels_of_other_types_are_integers() -> None:
    pairs = Pairs(images(4).images, [np.int32(0), torch.tensor(1), 2.0, True])
    assert data.from_dataset(pairs).labels.tolist() == [0, 1, 2, 1]
    toy = images(6)
    made = ImageData(toy.images, toy.labels.to(torch.int16), toy.classes, "toy")
    assert made.labels.dtype == torch.int64
    for labels in (toy.labels.float(), toy.labels[:, None]):
        with pytest.raises(CrqError, match=r"toy: labels must be integers \[N\]"):
            ImageData(toy.images, labels, toy.classes, "toy")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("quantize", [False, True])
def test_pixels_that_are_no_numbers_are_refused(value: float, quantize: bool) -> None:
    pixels = torch.zeros(2, 1, 4, 4)
    pixels[1, 0, 2, 2] = value
    with pytest.raises(CrqError, match="image 1 of dataset holds pixels that are not finite"):
        data.from_dataset(Pairs(pixels, [0, 1]), quantize=quantize)


def test_samples_that_are_no_images_are_values() -> None:
    rows, labels = torch.randn(6, 4), torch.tensor([0, 2, 1, 0, 2, 1])
    for values in (rows, rows.reshape(6, 2, 2), rows.reshape(6, 1, 2, 2) * 40, rows.long(), rows.double().numpy()):
        found = data.samples(Pairs(values, labels), None, "mine")
        assert isinstance(found, ValueData)
        assert np.array_equal(found.values.numpy(), np.asarray(values, np.float32))
        assert (found.labels.tolist(), found.classes) == (labels.tolist(), ("0", "1", "2"))
    raw = torch.arange(24, dtype=torch.uint8).reshape(6, 4)
    assert torch.equal(data.samples(Pairs(raw, labels), None, "mine").values, raw / 256)
    toy, pictures = images(6).images, [Image.new("RGB", (4, 4))] * 6
    for pixels in (toy, toy / 256, (toy / 256).bfloat16(), pictures, toy[:, 0], toy[:, 0] / 256):
        assert isinstance(data.samples(Pairs(pixels, labels), None, "mine"), ImageData)
    assert isinstance(data.samples(Pairs(images(6).images / 256, labels), None, "mine", images=False), ValueData)
    with pytest.raises(CrqError, match="which no image byte/256 does"):
        data.samples(Pairs(rows.reshape(6, 1, 2, 2) * 40, labels), None, "mine", images=True)
    half = Pairs([raw[0], *raw[1:].float()], labels)
    with pytest.raises(CrqError, match="mine, row 1, has samples of float32, and row 0 of uint8: bytes are divided by"):
        data.samples(half, None, "mine", images=False)
    with pytest.raises(CrqError, match=r"row 1 of mine has label 0\.5; expected the number of a class"):
        data.samples(Pairs(rows, [0, 0.5, 1, 1, 1, 1]), None, "mine")
    with pytest.raises(CrqError, match=r"mine, row 1: a sample of shape \(3,\), row 0 has \(4,\): bring all"):
        data.samples(Pairs([rows[0], rows[1, :3]], [0, 1]), None, "mine")
    with pytest.raises(CrqError, match=r"mine, row 1, place \(2,\): nan is no finite float32 number"):
        data.samples(Pairs([[0.0, 1, 2, 3], [0, 1, float("nan"), 2]], [0, 1]), None, "mine")


def test_images_are_told_from_values_by_more_than_the_first() -> None:
    values = torch.zeros(6, 1, 2, 2)  # dark, then normalized ones
    values[3] = -2.0
    assert isinstance(data.samples(Pairs(values, torch.arange(6)), None, "mine"), ValueData)


def test_other_forms_of_datasets() -> None:
    toy = images(3)
    pairs = tuple(zip(toy.images, toy.labels, strict=True))
    assert torch.equal(data.from_dataset(pairs).images, toy.images)
    named = Pairs(toy.images, toy.labels)
    named.classes = None
    assert data.from_dataset(named).classes == ("0", "1", "2")
    one_hot = torch.nn.functional.one_hot(toy.labels, 3)
    for labels in (one_hot, one_hot.numpy(), one_hot.float()):
        assert data.from_dataset(Pairs(toy.images, labels)).labels.tolist() == [0, 1, 2]
    with pytest.raises(CrqError, match="dict of image, label; expected a pair .* give a tuple of both"):
        data.from_dataset([{"image": toy.images[0], "label": 0}])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (DataLoader(TensorDataset(torch.zeros(2, 1, 2, 2), torch.zeros(2))), "is a DataLoader; .* give loader.dataset"),
        ((torch.zeros(2, 4), torch.zeros(2)), r"of type tuple; expected a torch Dataset .*TensorDataset\(x, y\)"),
        (np.zeros((2, 4)), "of type ndarray; expected"),
        (iter([(1, 2)]), "of type list_iterator; expected"),
        (TensorDataset(torch.zeros(2, 4)), r"row 0: tuple of 1; expected a pair \(sample, label\)"),
        (Pairs(images(2).images, [0]), "reading row 1 raised IndexError"),
    ],
)
def test_what_is_no_dataset_of_pairs_is_told(given, message: str) -> None:
    for read in (data.from_dataset, lambda given: data.samples(given, None, "mine")):
        with pytest.raises(CrqError, match=message):
            read(given)
