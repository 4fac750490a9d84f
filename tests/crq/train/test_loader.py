"""Batches: every image once, in an order and with changes that the seed decides."""

import numpy as np
import pytest
import torch

from crq.errors import CrqError
from crq.train import data
from crq.train.loader import BatchLoader

RNG = np.random.default_rng(0)


def images(count: int = 20) -> data.ImageData:
    pixels = torch.from_numpy(RNG.integers(0, 256, (count, 1, 6, 6), dtype=np.uint8))
    return data.ImageData(pixels, torch.arange(count) % 3, ("a", "b", "c"), "toy")


def test_batches_cover_the_data_in_a_new_order_each_epoch() -> None:
    toy = images()
    loader = BatchLoader(toy, 6, shuffle=True, seed=1)
    epochs = []
    for epoch in (0, 1, 0):
        loader.set_epoch(epoch)
        batches = list(loader)
        assert len(batches) == len(loader) == 4
        epochs.append(torch.cat([x for x, _ in batches]))
        assert sorted(map(bytes, (epochs[-1] * 256).byte().flatten(1).numpy())) == sorted(
            map(bytes, toy.images.flatten(1).numpy())
        )
    assert torch.equal(epochs[0], epochs[2])
    assert not torch.equal(epochs[0], epochs[1])


def test_a_last_batch_of_one_is_left_out_of_training_only() -> None:
    toy = images(13)
    assert [len(y) for _, y in BatchLoader(toy, 6, shuffle=True)] == [6, 6]
    assert [len(y) for _, y in BatchLoader(toy, 6)] == [6, 6, 1]


def test_processes_share_an_epoch_without_overlap() -> None:
    toy = images(21)
    shares = [torch.cat([x for x, _ in BatchLoader(toy, 4, shuffle=True, rank=r, world=2)]) for r in (0, 1)]
    assert len(shares[0]) == len(shares[1]) == 10
    rows = [bytes(row) for share in shares for row in (share * 256).byte().flatten(1).numpy()]
    assert len(set(rows)) == 20


@pytest.mark.parametrize("kind", ["flip", "crop", "crop-flip"])
def test_augmentation_shifts_and_mirrors(kind: str) -> None:
    """Every augmented image is the padded original, cut out somewhere, mirrored or not; all places occur."""
    toy = images(1)
    copies = data.ImageData(toy.images.repeat(400, 1, 1, 1), toy.labels.repeat(400), toy.classes, "toy")
    pad = 2 if "crop" in kind else 0
    padded = torch.nn.functional.pad(toy.images[0], (pad,) * 4)
    allowed = set()
    for image in (padded, padded.flip(2)) if "flip" in kind else (padded,):
        # Mirroring after the cut equals cutting from the mirrored image.
        cuts = [image[:, i : i + 6, j : j + 6] for i in range(2 * pad + 1) for j in range(2 * pad + 1)]
        allowed |= {bytes(cut.contiguous().numpy()) for cut in cuts}
    ((batch, _),) = BatchLoader(copies, 400, augment=kind, pad=2)
    seen = {bytes(row) for row in (batch * 256).byte().numpy()}
    assert seen == allowed


def test_loader_errors() -> None:
    with pytest.raises(CrqError, match="augment takes none, or some of crop, resized, flip, cutout joined by hyphens"):
        BatchLoader(images(), 4, augment="rotate")
    with pytest.raises(CrqError, match="batch_size must be at least 1"):
        BatchLoader(images(), 0)
    signals = data.ImageData(torch.zeros(3, 2, 9, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), ("a",), "x")
    with pytest.raises(CrqError, match=r"augment 'flip' is for images \[C, H, W\], not for shape \(2, 9\)"):
        BatchLoader(signals, 2, augment="flip")


def test_any_seed_shuffles() -> None:
    toy = images(50)
    orders = [torch.cat([y for _, y in BatchLoader(toy, 8, True, seed=seed)]) for seed in (7, 3 * 10**9 * 8, 2**66)]
    assert not any(torch.equal(orders[0], other) for other in orders[1:])
