"""Statistics of a freshly quantized network: activation scales and batch norms, from data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from crq.convert.batches import device_of, images_of
from crq.errors import CrqError
from crq.quant.quantizers import ActQuant, quantizers


@torch.no_grad()
def calibrate_activations(model: nn.Module, batches: Iterable[Any]) -> None:
    """Set every learned quantizer's scale from one batch, in graph order, each seeing already quantized inputs.

    batches: the first batch is used. Leaves the quantizers enabled. Raises `CrqError` if there is no batch.
    """
    learned = [quantizer for quantizer in quantizers(model).values() if not quantizer.fixed]
    handles = [quantizer.register_forward_pre_hook(_calibrate_once) for quantizer in learned]
    training = model.training
    model.eval()
    for quantizer in quantizers(model).values():
        quantizer.enable(True)
    try:
        for batch in batches:
            model(images_of(batch).to(device_of(model)))
            break
        else:
            raise CrqError("calibration needs at least one batch, got none")
    finally:
        for handle in handles:
            handle.remove()
        model.train(training)


def _calibrate_once(quantizer: ActQuant, args: tuple[Tensor, ...]) -> None:
    quantizer.calibrate(args[0])


@torch.no_grad()
def reestimate_batch_norm(model: nn.Module, batches: Iterable[Any]) -> None:
    """Replace the running statistics of every batch norm by the average over `batches`, weighted by their sizes.

    Needed whenever weights change at one stroke: the old statistics describe another network. A batch of one image
    among larger ones joins its neighbour.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    training = model.training
    momenta = [norm.momentum for norm in norms]
    model.eval()
    handles = []
    for norm in norms:
        norm.reset_running_stats()
        handles.append(norm.register_forward_pre_hook(_CumulativeAverage()))
        norm.train()
    try:
        seen = 0
        device = device_of(model)
        for images in _joined(map(images_of, batches)):
            model(images.to(device))
            seen += 1
        if not seen:
            raise CrqError("batch norm re-estimation needs at least one batch, got none")
    finally:
        for handle in handles:
            handle.remove()
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(training)


class _CumulativeAverage:
    """Before each forward pass of one batch norm: the momentum that gives all images so far the same weight."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, norm: _BatchNorm, args: tuple[Tensor, ...]) -> None:
        x = args[0]
        if x.numel() == x.shape[1]:
            raise CrqError("batch norm needs more than one value per channel: calibrate with batches of several images")
        self.seen += len(x)
        norm.momentum = len(x) / self.seen


def _joined(batches: Iterable[Tensor]) -> Iterator[Tensor]:
    """The batches, each of a single image joined to a larger neighbour: one image may have no variance."""
    held: Tensor | None = None
    for images in batches:
        if held is not None and (len(held) == 1) != (len(images) == 1):
            held = torch.cat([held, images])
            continue
        if held is not None:
            yield held
        held = images
    if held is not None:
        yield held
