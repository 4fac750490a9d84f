"""Loaders of every kind, endless ones among them, give a bounded number of batches."""

import itertools

import pytest
import torch
from torch import nn

from crq.convert.batches import Bounded, device_of, images_of, joined
from crq.errors import CrqError


def test_a_generator_is_read_once_and_given_again() -> None:
    batches = Bounded((torch.full((2,), i) for i in itertools.count()), 3)
    for _ in range(2):
        assert [int(batch[0]) for batch in batches] == [0, 1, 2]


def test_what_can_be_read_again_is_not_kept() -> None:
    class Endless:
        def __iter__(self):
            return iter(itertools.count())

    batches = Bounded(Endless(), 2)
    assert list(batches) == list(batches) == [0, 1]
    assert not isinstance(batches._loader, list)
    assert list(Bounded(range(5), None)) == list(range(5))
    with pytest.raises(CrqError, match="batches must be at least 1, not 0"):
        Bounded([], 0)


def test_a_tensor_is_one_batch() -> None:
    x = torch.zeros(4, 3, 8, 8)
    assert [batch.shape for batch in Bounded(x, 2)] == [x.shape]


def test_a_dataset_is_no_loader() -> None:
    samples = torch.utils.data.TensorDataset(torch.zeros(4, 1, 8, 8))
    with pytest.raises(CrqError, match=r"a dataset \(TensorDataset\) gives single samples: .*DataLoader\("):
        Bounded(samples)
    assert len(list(Bounded(torch.utils.data.DataLoader(samples, batch_size=2)))) == 2


def test_images_stand_first_in_a_batch() -> None:
    x = torch.zeros(2, 3)
    assert images_of(x) is images_of((x, 1)) is images_of([x]) is x
    for wrong, found in (("x", "str"), ((1, 2), "int"), (torch.tensor(1.0), "a single number")):
        with pytest.raises(CrqError, match=f"a batch holds {found}; expected a tensor of images"):
            images_of(wrong)
    with pytest.raises(CrqError, match=r"a batch of shape \(0, 3\) is empty: leave it out"):
        images_of(x[:0])


def test_batches_are_joined_up_to_a_number_of_images() -> None:
    parts = [torch.full((3,), i) for i in range(3)]
    assert joined(parts, 5).tolist() == [0, 0, 0, 1, 1]
    assert joined(parts, 2).tolist() == [0, 0, 0]
    assert joined(iter(parts), 100).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    with pytest.raises(CrqError, match="at least one batch"):
        joined([], 5)
    assert joined([torch.zeros(2, 3), torch.zeros(2, 4)], 5).shape == (2, 3)  # of one size


def test_the_device_of_a_module_without_tensors_is_the_cpu() -> None:
    assert device_of(nn.ReLU()) == device_of(nn.Linear(1, 1)) == torch.device("cpu")
