"""Batch norm statistics from data: every image weighs the same, however the images come in batches."""

import pytest
import torch
from torch import nn

import crq
from crq.errors import CrqError

IMAGES = torch.randn(64, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 + 1


def flat() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(48))


def statistics(norm: nn.Module, batches) -> tuple[torch.Tensor, torch.Tensor]:
    model = nn.Sequential(norm)
    crq.reestimate_batch_norm(model, batches)
    (found,) = (m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d))
    assert found.momentum == 0.1
    assert not found._forward_pre_hooks
    return found.running_mean, found.running_var


class Twice(nn.Module):
    """One batch norm, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.norm(x) * 3)


@pytest.mark.parametrize("size", [1, 8, 64 // 3, 64])
@pytest.mark.parametrize("make", [lambda: nn.BatchNorm2d(3), Twice], ids=["once", "twice"])
def test_equal_batches_give_the_bits_of_torchs_cumulative_average(size: int, make) -> None:
    batches = IMAGES[: len(IMAGES) // size * size].split(size)
    reference = make()
    norm = reference if isinstance(reference, nn.BatchNorm2d) else reference.norm
    norm.momentum = None
    with torch.no_grad():
        for batch in batches:
            reference.train()(batch)
    mean, var = statistics(make(), batches)
    assert torch.equal(mean, norm.running_mean)
    assert torch.equal(var, norm.running_var)


def test_a_small_batch_weighs_as_many_images_as_it_has() -> None:
    for sizes in ([60, 4], [4, 60], [63, 1], [1, 63], [31, 1, 32]):
        mean, _ = statistics(nn.BatchNorm2d(3), IMAGES.split(sizes))
        torch.testing.assert_close(mean, IMAGES.mean((0, 2, 3)))


def test_a_lone_image_joins_its_neighbour() -> None:
    for sizes in ([63, 1], [1, 63]):
        mean, var = statistics(flat(), IMAGES.split(sizes))
        torch.testing.assert_close(mean, IMAGES.flatten(1).mean(0))
        torch.testing.assert_close(var, IMAGES.flatten(1).var(0))


def test_one_image_alone_is_refused_where_it_has_no_variance() -> None:
    with pytest.raises(CrqError, match="more than one value per channel: calibrate with batches of several images"):
        statistics(flat(), [IMAGES[:1]])
    with pytest.raises(CrqError, match="at least one batch"):
        statistics(flat(), [])
