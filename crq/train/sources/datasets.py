"""Datasets of (sample, class) pairs of the caller's: images on the grid byte/256, all others as real values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor
from torch.utils.data import Dataset

from crq.errors import CrqError
from crq.train.images import ImageData
from crq.train.sources.functions import array, pair, rows, sized
from crq.train.sources.raw import check_scale, numbers
from crq.train.sources.values import ValueData, real_values

MOST_CLASSES = 100_000
"""Labels beyond this many classes are taken for a mistake (an identifier, a hash) unless the classes are given."""
_LOOKED_AT = 16
_BEYOND = 0.5
"""How far a float image may leave 0 to 1, as scaling with overshoot does; what goes farther is another kind of data."""


def samples(
    dataset: Dataset[Any], classes: tuple[str, ...] | None, name: str, images: bool | None = None
) -> ImageData | ValueData:
    """`dataset` in memory: of `images` as `from_dataset` reads them, of others as real values whose labels are numbers
    of classes. None: images where samples, some of which are looked at, are uint8 or PIL, floats on the grid byte/256,
    or floats [C, H, W] about 0 to 1."""
    count = sized(dataset, name)
    some = range(0, count, max(1, count // _LOOKED_AT))
    if images or (images is None and all(_is_image(pair(dataset, index, name)[0], name) for index in some)):
        return from_dataset(dataset, classes, name)
    values, labels = [], []
    for index, (sample, label) in enumerate(rows(dataset, name)):
        values.append(sample)
        labels.append(_label(label, f"row {index} of {name}"))
    real = real_values(torch.from_numpy(numbers(np.stack(values), name)))
    named = _classes(dataset, labels, classes, f"of {name}", "row")
    return ValueData(real, torch.tensor(labels), named, name)


def _is_image(sample: Any, name: str) -> bool:
    if isinstance(sample, Image):
        return True
    found = array(sample, name)
    if found.dtype == np.uint8 or found.dtype.kind != "f":
        return found.dtype == np.uint8 and found.ndim > 1
    codes = found * 256
    on_grid = found.ndim > 1 and bool((codes == codes.round().clip(0, 255)).all())
    near = bool((found >= -_BEYOND).all() and (found <= 1 + _BEYOND).all())
    return on_grid or (found.ndim == 3 and near)


def check_alike(data: Dataset[Any] | None, test: Dataset[Any] | None) -> None:
    """Raise `CrqError` for one dataset of bytes and one of other numbers, by their first rows: each is of one type."""
    given = {"data": data, "test": test}
    if any(split is None or isinstance(split, ImageData | ValueData) for split in given.values()):
        return
    first = {name: array(pair(split, 0, name)[0], name) for name, split in given.items() if sized(split, name)}
    check_scale("data", first["data"], "test", first["test"])


def from_dataset(
    dataset: Dataset[Any], classes: tuple[str, ...] | None = None, name: str = "dataset", quantize: bool = False
) -> ImageData:
    """Any map-style `dataset` of (image, label) pairs in memory, each pair read once.

    An image is a tensor or array [C, H, W], uint8 or float on the grid byte/256, or a PIL image; other floats are
    refused, naming the image, unless `quantize` rounds and clips them to the grid; values far beyond 0 to 1 always.
    classes: by default `dataset.classes`, or the labels' numbers, at most `MOST_CLASSES` of them. Random transforms
    inside `dataset` are frozen by the one reading: leave augmentation to the recipe (`data.augment`).
    """
    images, labels = [], []
    for index in range(sized(dataset, name)):
        image, label = pair(dataset, index, name)
        images.append(_bytes(image, f"image {index} of {name}", quantize))
        labels.append(_label(label, f"image {index} of {name}"))
        if images[-1].shape != images[0].shape:
            shapes = f"{tuple(images[-1].shape)}, image 0 {tuple(images[0].shape)}"
            raise CrqError(f"image {index} of {name} has shape {shapes}; bring all to one size")
    named = _classes(dataset, labels, classes, f"of {name}", "image")
    return ImageData(torch.stack(images), torch.tensor(labels), named, name)


def _classes(
    dataset: Dataset[Any], labels: list[int], classes: tuple[str, ...] | None, where: str, each: str
) -> tuple[str, ...]:
    """The classes that `labels` number: those given, those of the dataset, or a number each."""
    own = getattr(dataset, "classes", None)
    if classes is None and isinstance(own, list | tuple):
        classes = tuple(map(str, own))
    largest = max(labels)
    row = f"{each} {labels.index(largest)} {where}"
    if classes is None and largest >= MOST_CLASSES:
        raise CrqError(
            f"{row} has label {largest}, of more than {MOST_CLASSES:,} classes: number the classes from 0, or give "
            "their names (classes)"
        )
    if classes is None:
        return tuple(map(str, range(largest + 1)))
    if largest >= len(classes):
        raise CrqError(f"{row} has label {largest}, but there are {len(classes)} classes: 0 to {len(classes) - 1}")
    return classes


def _label(label: Any, where: str) -> int:
    """A label as a number from 0 on, one-hot labels the place of their one; `where` names its image in errors."""
    value, number = _place(label), -1
    try:
        value = value.item() if hasattr(value, "item") else value
        number = int(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # NaN, infinity, words, several labels
        pass
    if getattr(value, "ndim", 0):
        raise CrqError(
            f"{where} has labels of shape {tuple(value.shape)}; expected the number of a class. For several numbers a "
            'sample set loss = "mse" or "bce"; for a class per pixel train in a loop of your own'
        )
    if number < 0 or number != value:
        raise CrqError(f"{where} has label {value!r}; expected the number of a class: an integer from 0 on")
    return number


def _place(label: Any) -> Any:
    """Where the one of a one-hot label is; any other label as it is."""
    values = label.tolist() if getattr(label, "ndim", 0) == 1 else None
    one_hot = values is not None and len(values) > 1 and sorted(values) == [0] * (len(values) - 1) + [1]
    return values.index(1) if values is not None and one_hot else label


def _bytes(image: Any, where: str, quantize: bool) -> Tensor:
    """uint8 [C, …] of one image; `where` names it in errors."""
    if not isinstance(image, Tensor):
        image = torch.from_numpy(np.array(array(image, where)))  # a copy: torch warns of a picture's read-only memory
    if image.dtype == torch.uint8:
        return image
    if not image.is_floating_point():
        raise CrqError(f"{where} is {image.dtype}; expected uint8, or float on the grid byte/256")
    if not bool(torch.isfinite(image).all()):
        raise CrqError(f"{where} holds pixels that are not finite (NaN or infinity): mend or leave out the image")
    codes = image.float() * 256
    grid = codes.round().clamp(0, 255)
    far = float(image.flatten()[int((codes - grid).abs().flatten().argmax())]) if image.numel() else 0.0
    if not -_BEYOND <= far <= 1 + _BEYOND:
        raise CrqError(
            f"{where} holds {far:g}, which no image byte/256 does. Give real values as "
            "crq.train.data.ValueData(values, labels, classes, name): they get an input grid of their own"
        )
    if not quantize and not torch.equal(codes, grid):
        value = float(image.flatten()[int((codes != grid).flatten().int().argmax())])
        raise CrqError(
            f"{where} holds {value:g}, which is not on the input grid byte/256 (ToTensor gives byte/255): "
            "yield uint8 images (PILToTensor), or call crq.train.data.from_dataset(…, quantize=True) to round them. "
            "Values of no image are crq.train.data.ValueData(values, labels, classes, name)"
        )
    return grid.to(torch.uint8)
