"""The way of real values to input codes: standardization by the training split, and the grid that suits it."""

from __future__ import annotations

from dataclasses import replace

import torch

from crq.convert.config import TernaryConfig
from crq.convert.preprocessing import Steps
from crq.convert.suggest import suggest_input
from crq.errors import CrqError
from crq.train.image_files import ImageFiles
from crq.train.images import ImageData
from crq.train.loader import BatchLoader
from crq.train.sources.values import ValueData

_BATCH, _BATCHES = 512, 64
_KEYS = ("input_bits", "input_signed", "input_scale")


def standardization(data: ImageData | ImageFiles | ValueData) -> Steps:
    """(x − mean) / deviation per channel, the constants float32 as files have them; 1 for what does not vary."""
    if isinstance(data, ImageFiles):
        raise CrqError("data.standardize: images that stay on disk (data.size) are not standardized; leave it out")
    sums = torch.zeros(2, data.shape[0], dtype=torch.float64)
    count = 0
    mean = torch.zeros(data.shape[0], dtype=torch.float64)
    for moment in range(2):  # two passes: the difference of large sums would lose the deviation
        count = 0
        for x, _ in BatchLoader(data, _BATCH):
            columns = x.double().transpose(0, 1).flatten(1)
            centred = columns - mean[:, None]
            sums[moment] += centred.sum(1) if not moment else centred.square().sum(1)
            count += columns.shape[1]
        if not moment:
            mean = sums[0] / count
    deviation = (sums[1] / count).sqrt()
    deviation = torch.where(deviation > 1e-6 * mean.abs(), deviation, torch.ones_like(deviation))
    constants = [values.float().double().tolist() for values in (mean, deviation)]
    taken_off, divisor = ((c[0] if len(c) == 1 else tuple(c)) for c in constants)
    return (("Sub", taken_off), ("Div", divisor))


def with_grid(
    config: TernaryConfig, data: ImageData | ImageFiles | ValueData, steps: Steps, given: bool = False
) -> TernaryConfig:  # fmt: skip
    """`config` with the input grid that `data` have after `steps`: bytes are the codes; for real values the grid of
    `input_bits` bits that suits the training split, unless the grid of `config` is `given`.

    Raises `CrqError` for a grid of the recipe's that bytes are not on.
    """
    if not isinstance(data, ValueData) and not steps:
        default = TernaryConfig()
        if said := [key for key in _KEYS if getattr(config, key) != getattr(default, key)]:
            raise CrqError(
                f"ternary.{said[0]} must be {getattr(default, said[0])!r}: the images of {data.name} are bytes, "
                "value = byte/256; other inputs need data of real values (docs/data.md)"
            )
        return config
    if given:
        return config
    loader = BatchLoader(data, _BATCH, shuffle=True, steps=steps)
    found = suggest_input(loader, _BATCHES, config.input_bits)
    return replace(config, **found.options)
