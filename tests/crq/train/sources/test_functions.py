"""Data that a function makes: what it may give, and errors that name it."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from crq.errors import CrqError
from crq.train.sources.functions import parts

X, Y = torch.arange(12.0).reshape(4, 3), torch.tensor([0, 1, 0, 2])
DATA = TensorDataset(X, Y)


class Pictures:
    classes = ("cat", "dog")

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int):
        return Image.fromarray(np.full((2, 5, 3), index, np.uint8)), index


def one(count: int = 4):
    return TensorDataset(X[:count], Y[:count])


def pair():
    return DATA, one(1)


def triple():
    return DATA, one(1), one(2)


def named():
    return {"train": DATA, "test": one(3)}


def pictures():
    return Pictures()


def ragged():
    return [(torch.zeros(2), 0), (torch.zeros(3), 0)]


def bare():
    return [torch.zeros(2)]


def empty():
    return []


def lone():
    return {"train": DATA}


def failing():
    return len(3)


class Unreadable(Pictures):
    def __getitem__(self, index: int):
        return [1.0], {0: 0}[index]


def unreadable():
    return Unreadable()


def jagged():
    return [([1.0, 2.0], 0), ([[1.0], 2.0], 0)]


def number():
    return 3


HERE = __name__


def test_what_a_function_may_give() -> None:
    sizes = {
        "one": {"all": 4}, "pair": {"train": 4, "test": 1}, "triple": {"train": 4, "val": 1, "test": 2},
        "named": {"train": 4, "test": 3},
    }  # fmt: skip
    for name, expected in sizes.items():
        assert {s: len(read().values) for s, read in parts(f"{HERE}:{name}", {}).items()} == expected
    raw = parts(f"{HERE}:one", {"count": 2})["all"]()
    assert (raw.values.tolist(), raw.labels.tolist()) == (X[:2].tolist(), [0, 1])
    shown = parts(f"{HERE}:pictures", {})["all"]()
    assert (shown.values.shape, shown.values.dtype, shown.classes) == ((2, 3, 2, 5), np.uint8, ("cat", "dog"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{HERE}:number", r"gave all: int; expected a torch Dataset of \(sample, label\) pairs"),
        (f"{HERE}:lone", "gave train: TensorDataset; expected"),
        (f"{HERE}:ragged", "row 1: a sample of shape .3,., row 0 has .2,."),
        (f"{HERE}:bare", r"row 0: Tensor; expected a pair \(sample, label\)"),
        (f"{HERE}:failing", r"failing raised TypeError: object of type 'int' has no len\(\); mend it"),
        (f"{HERE}:unreadable", "unreadable, all: reading row 1 raised KeyError: 1; mend it"),
        (f"{HERE}:jagged", "jagged, all, row 1: making arrays of its pair raised ValueError"),
        (f"{HERE}:empty", "the dataset is empty"),
    ],
)
def test_what_is_wrong_is_named(name: str, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        [read() for read in parts(name, {}).values()]


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(CrqError, match=r"unexpected keyword argument 'size'; its arguments are data\.options"):
        parts(f"{HERE}:one", {"size": 3})
