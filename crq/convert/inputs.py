"""What enters a prepared network: its input quantizer, images on the way there, and what the grid makes of them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn

from crq.convert.batches import images_of
from crq.convert.preprocessing import Preprocess
from crq.convert.suggest import SAMPLE, Grid, propose
from crq.errors import CrqError, users_line
from crq.quant.quantizers import ActQuant

_WORSE = 5.0
"""A grid is told of if another has less than this share of its squared error: steps of half the size have a quarter."""


class InputQuant(ActQuant):
    """The input's quantizer: fixed, and says once per place (training, freezing, …) if it changes what comes in.

    place: where the network runs, outside of training. told: the places that it has spoken of, shared by copies.
    """

    def __init__(self, bits: int, signed: bool, scale: float) -> None:
        super().__init__(bits, signed, scale=scale)
        self.place: str | None = None
        self.told: set[str] = set()
        self._seen = 0

    def forward(self, x: Tensor) -> Tensor:
        place = self.place or ("training" if self.training else None)
        # A compiled network does not look: counting its batches would compile it anew for each.
        if place is not None and place not in self.told and not torch.compiler.is_compiling():
            self._seen += 1
            if not self._seen & (self._seen - 1):  # batches 1, 2, 4, 8, …: looking at each would take time
                self._look(x.detach(), place)
        return super().forward(x)

    def _look(self, x: Tensor, place: str) -> None:
        grid = Grid(self.bits, self.signed, self.scale)
        if not x.numel() or not bool(torch.isfinite(x).all()):
            return  # the loss and the calibration speak of that
        loss = grid.loss(x)
        if not loss.changed:
            return
        few = x.flatten()[:: max(1, x.numel() // SAMPLE)]  # trying out grids on a large batch would take seconds
        better = propose(few, x.min().item(), x.max().item())
        if not better.note and grid.loss(few).error <= _WORSE * better.grid.loss(few).error:
            return
        self.told.add(place)
        warnings.warn(
            f"{place}: the network's input grid, {grid}, changes {loss.changed:.1%} of the values in the images "
            f"({loss.clipped:.1%} are clipped). {better.remedy}",
            stacklevel=users_line(),
        )


@contextlib.contextmanager
def watched(model: nn.Module, place: str) -> Iterator[None]:
    """Inside, the input quantizer of `model` looks at what comes in, also in eval mode, and names `place`."""
    quantizer = find_input_quantizer(model)
    if not isinstance(quantizer, InputQuant):
        yield
        return
    quantizer.place, quantizer._seen = place, 0
    try:
        yield
    finally:
        quantizer.place, quantizer._seen = None, 0


def share_told(copied: nn.Module, original: nn.Module) -> None:
    """What the input quantizer of the copy says, that of the original has said."""
    a, b = find_input_quantizer(copied), find_input_quantizer(original)
    if isinstance(a, InputQuant) and isinstance(b, InputQuant):
        a.told = b.told


def input_quantizer(model: nn.Module) -> ActQuant:
    """The quantizer that `crq.prepare` put behind the network's input."""
    found = find_input_quantizer(model)
    if found is None:
        raise CrqError("the network's input is not quantized: freeze takes the result of crq.prepare")
    return found


def find_input_quantizer(model: nn.Module) -> ActQuant | None:
    """As `input_quantizer`; None in a network of float activations, which has none."""
    if not isinstance(model, fx.GraphModule):
        return None
    node = next(n for n in model.graph.nodes if n.op == "placeholder")
    module = _only_reader(model, node)
    if isinstance(module, Preprocess):
        module = _only_reader(model, next(iter(node.users)))
    return module if isinstance(module, ActQuant) else None


def find_preprocess(model: nn.Module) -> Preprocess | None:
    """The normalization at the front of a prepared network, if it has one."""
    if not isinstance(model, fx.GraphModule):
        return None
    module = _only_reader(model, next(n for n in model.graph.nodes if n.op == "placeholder"))
    return module if isinstance(module, Preprocess) else None


def _only_reader(model: nn.Module, node: fx.Node) -> Any:
    users = list(node.users)
    return model.get_submodule(str(users[0].target)) if len(users) == 1 and users[0].op == "call_module" else None


def values_of(model: nn.Module, batches: Iterable[Any]) -> Iterator[Tensor]:
    """The images of `batches` as a prepared model takes them: floats as they are, integers as codes of its input.

    Raises `CrqError` for integers to a network that normalizes its input: they may be codes or what it normalizes; and
    for labels in the place of a batch.
    """
    quantizer, first = find_input_quantizer(model), None
    for batch in batches:
        images = images_of(batch)
        if first is None and quantizer is not None and images.dim() < 2:
            raise CrqError(
                f"a batch begins with a tensor of shape {tuple(images.shape)}: expected images [N, …] first, as in "
                "(images, labels)"
            )
        if quantizer is not None and images.is_floating_point() and not bool(torch.isfinite(images).all()):
            raise CrqError(
                "a batch holds values that are not finite (NaN or infinity): mend or leave out those samples"
            )
        first = images if first is None else first
        if images.dim() != first.dim():
            raise CrqError(
                f"a batch of shape {tuple(images.shape)} after one of shape {tuple(first.shape)}: expected batches "
                "alike. One batch of images and labels goes in a list, [(images, labels)]"
            )
        if not images.is_floating_point() and find_preprocess(model) is not None:
            raise CrqError(
                f"images of {images.dtype} for a network that normalizes its input: give floats as in training "
                "(images.float()), before the normalization"
            )
        if not images.is_floating_point() and quantizer is not None:
            images = images.to(torch.float32) * quantizer.scale
        yield images
