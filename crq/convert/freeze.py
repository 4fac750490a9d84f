"""`freeze`: a trained, prepared network becomes integers (design §2.8)."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, fx

from crq.convert.calibrate import reestimate_batch_norm
from crq.convert.frozen import FreezeReport, FrozenModel
from crq.convert.integers import IntegerWalk, input_quantizer
from crq.convert.prepare import coded_layers
from crq.convert.shapes import infer_shapes
from crq.errors import CrqError


def freeze(model: fx.GraphModule, calibration: Iterable[Any]) -> FrozenModel:
    """Integer form of a prepared and trained `model` (the result of `crq.prepare`).

    `calibration` yields image batches, or (images, labels, …); floats on the input grid or uint8 codes. Batch norm is
    re-estimated on it, then folded. The result's `report` is a `FreezeReport`; `model` is not modified. Raises
    `CrqError` naming the layer that cannot be made exact.
    """
    _check(model)
    batches = [_images(model, batch) for batch in calibration]
    if not batches or not len(batches[0]):
        raise CrqError("freeze needs calibration images: the loader is empty")
    model = copy.deepcopy(model).cpu().eval()
    infer_shapes(model, batches[0][:1])
    reestimate_batch_norm(model, batches)
    walk = IntegerWalk(model, tuple(batches[0].shape[1:]))
    frozen = walk.run()
    frozen.report = _compare(model, frozen, batches, walk.nudged)
    return frozen


def _check(model: fx.GraphModule) -> None:
    if not isinstance(model, fx.GraphModule) or not coded_layers(model):
        raise CrqError(f"freeze takes the result of crq.prepare, not {type(model).__name__}")
    for name, parameter in model.named_parameters():
        if parameter.dtype != torch.float32:
            raise CrqError(f"parameter {name!r} is {parameter.dtype}; freeze wants float32: call .float() first")
    for name, layer in coded_layers(model).items():
        if layer.mode == "float":
            raise CrqError(
                f"layer {name!r} still computes with float weights, so scales and batch norms are not those of the "
                "integers: call crq.set_mode(model, 'quantized') and train or calibrate the network first"
            )


def _images(model: fx.GraphModule, batch: Any) -> Tensor:
    images: Tensor = batch[0] if isinstance(batch, tuple | list) else batch
    if images.is_floating_point():
        return images.cpu()
    return images.cpu().to(torch.float32) * input_quantizer(model).scale


def _compare(model: fx.GraphModule, frozen: FrozenModel, batches: list[Tensor], nudged: dict[str, int]) -> FreezeReport:
    equal = total = 0
    with torch.no_grad():
        for batch in batches:
            equal += int((model(batch).argmax(1) == frozen(frozen.codes(batch, quantize=True)).argmax(1)).sum())
            total += len(batch)
    return FreezeReport(nudged, equal / total, total)
