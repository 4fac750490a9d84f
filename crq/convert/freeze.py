"""`freeze`: a trained, prepared network becomes integers (design §2.8)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor, fx, nn

from crq.convert.batches import BATCHES, Bounded
from crq.convert.calibrate import reestimate_batch_norm
from crq.convert.frozen import FreezeReport, FrozenModel
from crq.convert.inputs import share_told, values_of, watched
from crq.convert.integers import IntegerWalk
from crq.convert.prepare import coded_layers
from crq.convert.shapes import infer_shapes
from crq.errors import CrqError

COMPARED = 1024
"""Images, at most, that the frozen network is compared with the prepared one on."""


def freeze(model: nn.Module, calibration: Iterable[Any], batches: int | None = BATCHES) -> FrozenModel:
    """Integer form of a prepared and trained `model` (the result of `crq.prepare`).

    calibration: yields image batches, or (images, labels, …), or is one batch itself; floats on the input grid or uint8
    codes. batches: how many of them are looked at, one after the other, None for all; an endless loader is fine. Batch
    norm is re-estimated on them, then folded. The result's `report` is a `FreezeReport` on the first `COMPARED` images;
    `model` is not modified. Raises `CrqError` naming the layer that cannot be made exact.
    """
    model = _checked(model)
    stream = (images.cpu() for images in values_of(model, Bounded(calibration, batches)))
    first = next(stream, None)
    if first is None or not len(first):
        raise CrqError("freeze needs calibration images: the loader is empty")
    original, model = model, copy.deepcopy(model).cpu().eval()
    share_told(model, original)
    infer_shapes(model, first[:1])
    held: list[Tensor] = []
    batches_left = _held(chain([first], stream), held)
    reestimate_batch_norm(model, batches_left)
    for _ in batches_left:  # without a batch norm nothing was read yet
        if sum(map(len, held)) >= COMPARED:
            break
    walk = IntegerWalk(model, tuple(first.shape[1:]))
    frozen = walk.run()
    with watched(model, "crq.freeze"):
        frozen.report = _compare(model, frozen, held, walk.nudged)
    return frozen


def _held(batches: Iterable[Tensor], held: list[Tensor]) -> Iterator[Tensor]:
    """The batches, of whose images the first `COMPARED` are added to `held`."""
    for images in batches:
        room = COMPARED - sum(map(len, held))
        if room > 0:
            held.append(images[:room])
        yield images


def _checked(model: nn.Module) -> fx.GraphModule:
    if not isinstance(model, nn.Module) or not coded_layers(model):
        raise CrqError(f"freeze takes the result of crq.prepare, not {type(model).__name__}")
    if not isinstance(model, fx.GraphModule):
        raise CrqError(
            "the network was prepared with act_bits=None, for training alone: its activations are float. Prepare it "
            "with act_bits=4 and load the weights (load_state_dict with strict=False) to freeze it"
        )
    for name, parameter in model.named_parameters():
        if parameter.dtype != torch.float32:
            raise CrqError(f"parameter {name!r} is {parameter.dtype}; freeze wants float32: call .float() first")
    for name, layer in coded_layers(model).items():
        if layer.mode == "float":
            raise CrqError(
                f"layer {name!r} still computes with float weights, so scales and batch norms are not those of the "
                "integers: call crq.quantize(model, loader) first, and train on"
            )
        if layer.share < 1:
            raise CrqError(
                f"layer {name!r} computes with codes in {layer.share:.0%} of its weights only: set its `share` to 1 "
                "and train on, or quantize again"
            )
    return model


def _compare(model: fx.GraphModule, frozen: FrozenModel, batches: list[Tensor], nudged: dict[str, int]) -> FreezeReport:
    equal = total = 0
    with torch.no_grad():
        for batch in batches:
            same = model(batch).argmax(1) == frozen(frozen.codes(batch, quantize=True)).argmax(1)
            equal, total = equal + int(same.sum()), total + same.numel()
    return FreezeReport(nudged, equal / total, sum(map(len, batches)))
