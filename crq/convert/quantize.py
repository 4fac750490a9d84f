"""`quantize`: α·t in place of the float weights, and the statistics that follow from it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn

from crq.convert.batches import BATCHES, Bounded, device_of, joined
from crq.convert.calibrate import calibrate_activations, reestimate_batch_norm
from crq.convert.inputs import values_of, watched
from crq.convert.prepare import coded_layers, set_mode
from crq.convert.shapes import infer_shapes
from crq.errors import CrqError
from crq.quant.quantizers import quantizers

SCALED_ON = 2048
"""Images that activation scales are calibrated on, in one batch."""


def quantize(model: nn.Module, loader: Iterable[Any], batches: int | None = BATCHES) -> None:
    """Switch a prepared `model` to quantized weights and activations, as between retraining and fine-tuning.

    Scales and batch norms follow, since the old ones describe another network: batch norms are re-estimated, the
    activation scales calibrated on the first images, and the batch norms re-estimated once more. loader: yields
    (images, labels, …) or images, or is one batch itself, as in training; integer ones are input codes. batches: how
    many of its batches are looked at in each pass, None for all; an endless loader is fine. Raises `CrqError` for a
    model that `crq.prepare` did not make and for a loader without images.
    """
    if not isinstance(model, nn.Module) or not coded_layers(model):
        raise CrqError(f"quantize takes the result of crq.prepare, not {type(model).__name__}")
    sample, device = Bounded(loader, batches), device_of(model)
    set_mode(model, "quantized", activations=False)
    rehearsed = copy.deepcopy(model).eval()
    with watched(model, "crq.quantize"):
        reestimate_batch_norm(model, _fitting(rehearsed, values_of(model, sample)))
        if quantizers(model):  # with float activations there are none
            images = joined(_fitting(rehearsed, values_of(model, sample)), SCALED_ON)
            calibrate_activations(model, [images.to(device)])
    if quantizers(model):
        set_mode(model, "quantized")
        reestimate_batch_norm(model, values_of(model, sample))


def _fitting(rehearsed: nn.Module, batches: Iterable[Tensor]) -> Iterator[Tensor]:
    """`batches`; one is refused where layers of `rehearsed`, a copy in eval mode, are for samples of another shape."""
    seen: set[torch.Size] = set()
    for images in batches:
        if images.shape[1:] not in seen and isinstance(rehearsed, fx.GraphModule):
            infer_shapes(rehearsed, images[:1].to(device_of(rehearsed)))
        seen.add(images.shape[1:])
        yield images
