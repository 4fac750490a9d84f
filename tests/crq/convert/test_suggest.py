"""Proposed input grids: exact where one is, of least error otherwise, and a sentence."""

import itertools

import pytest
import torch

import crq
from crq.convert.suggest import Grid, InputSuggestion
from crq.errors import CrqError

BYTES = torch.randint(0, 256, (64, 1, 8, 8), generator=torch.Generator().manual_seed(0)).float()


@pytest.mark.parametrize(
    ("images", "grid"),
    [
        (BYTES / 256, Grid(8, False, 2.0**-8)),
        (BYTES.clamp(max=10) / 256, Grid(8, False, 2.0**-8)),
        (BYTES, Grid(8, False, 1.0)),
        (BYTES - 128, Grid(8, True, 1.0)),
        ((BYTES - 128) / 128, Grid(8, True, 2.0**-7)),
        ((BYTES > 128).float(), Grid(8, False, 1.0)),
        ((BYTES > 128).float() * 2 - 1, Grid(8, True, 1.0)),
        (BYTES * 0, Grid(8, False, 2.0**-8)),
    ],
)
def test_exact_grids_are_found(images: torch.Tensor, grid: Grid) -> None:
    found = crq.suggest_input([(images, None)])
    assert found.grid == grid
    assert (found.changed, found.clipped, found.note) == (0, 0, "")
    crq.TernaryConfig(**found.options)


def test_standardized_images_get_the_grid_of_least_error() -> None:
    images = (BYTES / 255 - 0.1307) / 0.3081
    found = crq.suggest_input([images])
    errors = {e: Grid(8, True, 2.0**e).loss(images).error for e in range(-9, 2)}
    assert found.grid == Grid(8, True, 2.0 ** min(errors, key=errors.get)) == Grid(8, True, 2.0**-5)
    assert found.changed > 0.9
    assert found.clipped == 0
    assert str(found) == repr(found)
    assert "input_bits=8, input_signed=True, input_scale=2**-5 suit these images: multiples of 0.03125" in str(found)


def test_images_of_totensor_are_recognized() -> None:
    found = crq.suggest_input([BYTES / 255])
    assert found.grid == Grid()
    assert "multiply them by 255 / 256, and none changes" in str(found)
    assert crq.suggest_input([BYTES / 255 * (255 / 256)]).changed == 0


def test_loaders_without_end_and_other_widths() -> None:
    assert crq.suggest_input((BYTES for _ in itertools.count()), batches=2).input_scale == 1.0
    found = crq.suggest_input([BYTES], bits=4)
    assert (found.input_bits, found.input_signed, found.input_scale) == (4, False, 16.0)
    assert isinstance(found, InputSuggestion)


def test_an_outlier_between_the_looked_at_values_counts() -> None:
    images = torch.rand(40, 3, 64, 64)
    images[3, 1, 7, 9] = -2.0
    assert crq.suggest_input([images]).input_signed


def test_refusals() -> None:
    with pytest.raises(CrqError, match="loader is empty"):
        crq.suggest_input([])
    with pytest.raises(CrqError, match=r"images of torch\.uint8 are input codes"):
        crq.suggest_input([BYTES.byte()])
    with pytest.raises(CrqError, match="not finite"):
        crq.suggest_input([BYTES / 0])
