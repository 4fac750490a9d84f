"""Resized crops and cutouts of images whose every pixel says where it was; shifts and mirrors are in test_loader.py."""

import torch

from crq.train.augment import AREA, STRETCH, augmented
from crq.train.augmentation import Augmentation

COUNT, HEIGHT, WIDTH = 300, 16, 24


def _ramps() -> torch.Tensor:
    """[B, 2, H, W]: the row and the column of each pixel's middle."""
    rows, columns = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    return torch.stack([rows, columns]).expand(COUNT, -1, -1, -1)


def _seeded(changes: str, images: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return augmented(images, Augmentation.parse(changes), torch.Generator().manual_seed(seed))


def test_a_resized_crop_shows_one_rectangle_of_the_image_evenly() -> None:
    made = _seeded("resized", _ramps())
    down, across = made[:, 0, 1:-1, 0].diff(dim=1), made[:, 1, 0, 1:-1].diff(dim=1)  # inside: borders are held
    tall, wide = down.mean(1), across.mean(1)  # shares of the height and width: a ramp of another slope
    torch.testing.assert_close(down, tall[:, None].expand_as(down), atol=1e-3, rtol=0)
    torch.testing.assert_close(across, wide[:, None].expand_as(across), atol=1e-3, rtol=0)
    area, stretch = tall * wide, tall / wide
    assert AREA[0] * 0.8 < area.min() < 0.45
    assert 0.9 < area.max() <= AREA[1] + 1e-5
    assert 1 / STRETCH - 1e-3 <= stretch.min() < 0.8
    assert 1.25 < stretch.max() <= STRETCH + 1e-3
    for ramp, share, side, middle in (
        (0, tall, HEIGHT, made[:, 0].mean((1, 2))),
        (1, wide, WIDTH, made[:, 1].mean((1, 2))),
    ):
        room = (1 - share) * side / 2
        off = middle - side / 2
        assert (off.abs() <= room + 0.2).all(), ramp
        assert (off > room / 2).any()
        assert (off < -room / 2).any()
    # Rows do not depend on columns, nor columns on rows.
    assert (made[:, 0].diff(dim=2).abs().max(), made[:, 1].diff(dim=1).abs().max()) < (1e-3, 1e-3)


def test_every_dtype_stays() -> None:
    for dtype in (torch.uint8, torch.int16, torch.float32, torch.float64):
        assert _seeded("resized-flip-cutout", torch.ones(2, 1, HEIGHT, WIDTH, dtype=dtype)).dtype == dtype


def test_bytes_stay_bytes_and_a_plain_image_plain() -> None:
    plain = torch.full((8, 3, HEIGHT, WIDTH), 200, dtype=torch.uint8)
    assert torch.equal(_seeded("resized-flip", plain), plain)


def test_a_cutout_is_a_square_of_half_the_height_anywhere() -> None:
    ones = torch.ones(2000, 3, HEIGHT, WIDTH, dtype=torch.uint8)
    made = _seeded("cutout", ones)
    assert torch.equal(made[:, 0], made[:, 1])
    gone = made[:, 0] == 0
    rows, columns = gone.any(2), gone.any(1)
    assert torch.equal(gone, rows[:, :, None] & columns[:, None])
    side = HEIGHT // 2
    assert rows.sum(1).max() == columns.sum(1).max() == side
    assert rows.sum(1).min() == columns.sum(1).min() == side // 2  # its middle lies in the image
    assert gone.any(0).all()


def test_the_seed_decides_and_nothing_else_is_touched() -> None:
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    before = images.clone()
    changes = "crop-flip-cutout"
    assert torch.equal(_seeded(changes, images, 1), _seeded(changes, images, 1))
    assert not torch.equal(_seeded(changes, images, 1), _seeded(changes, images, 2))
    assert torch.equal(images, before)
