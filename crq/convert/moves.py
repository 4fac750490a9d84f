"""Operations that only move elements, alone or in a row: views, transposes, slices, splits.

They are run on the numbers of the elements. What comes out says what they are together: nothing, a flattening, features
moved to the last axis or back, a row as a signal, or a choice of channels and pixels (a slice, one part of a split, a
channel shuffle).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from crq.convert.channels import Channels
from crq.convert.pixels import Pixels, Row
from crq.convert.rewriter import Rewriter
from crq.convert.tracer import BATCHES
from crq.convert.transposed import Transposed

_FUNCTIONS = (
    operator.getitem, torch.chunk, torch.split, torch.tensor_split, torch.unbind, torch.narrow, torch.reshape,
    torch.flatten, torch.unflatten, torch.permute, torch.transpose, torch.squeeze, torch.unsqueeze, torch.select,
)  # fmt: skip
_METHODS = ("contiguous", "view", "chunk", "split", "tensor_split", "unbind", "narrow", "reshape", "flatten",
            "unflatten", "permute", "transpose", "squeeze", "unsqueeze", "select")  # fmt: skip
MOVES = (
    "what only moves elements may flatten, cut out or split (slices with positive steps, one channel, row or column), "
    "shuffle channels, take channels to the last axis and back, or read one row as a signal"
)
"""What is said of a move that is none of these."""
_AT = 1
"""Which of the batch sizes is tried."""


def is_move(node: fx.Node) -> bool:
    """Whether `node` gives elements of its first operand, in another shape or order."""
    if node.op == "call_method":
        return node.target in _METHODS
    return node.op == "call_function" and (node.target in _FUNCTIONS or _is_property(node))


def _is_property(node: fx.Node) -> bool:
    return node.target is getattr and node.args[1:] in (("mT",), ("T",))


def gather_moves(rewriter: Rewriter) -> None:
    """Replace the moves of a graph that was traced with shapes by modules; what they cannot say is left as it is."""
    moved: dict[fx.Node, tuple[fx.Node, Any]] = {}
    for node in rewriter.graph.nodes:
        if is_move(node) and isinstance(x := node.args[0], fx.Node) and (x in moved or "shapes" in x.meta):
            base, elements = moved[x] if x in moved else (x, _numbers(x))
            moved[node] = base, _run(node, elements)
    for node, (base, elements) in moved.items():
        readers = [user for user in node.users if user not in moved]
        if readers and (modules := _modules(rewriter, node, base, elements)) is not None:
            value = rewriter.insert(node, base, *modules)
            node.replace_all_uses_with(value, delete_user_cb=lambda user: user not in moved)
    for node in reversed(moved):
        if not node.users:
            rewriter.graph.erase_node(node)


def _numbers(node: fx.Node) -> Tensor:
    shape = node.meta["shapes"][_AT]
    return torch.arange(shape.numel()).reshape(shape)


def _run(node: fx.Node, elements: Any) -> Any:
    def value(argument: fx.Node) -> Any:
        return elements if argument is node.args[0] else argument.meta["plain"][_AT]

    args: Any = fx.node.map_arg(node.args, value)
    kwargs: Any = fx.node.map_arg(node.kwargs, value)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    return node.target(*args, **kwargs)  # type: ignore[operator]


def _modules(rewriter: Rewriter, node: fx.Node, base: fx.Node, elements: Any) -> list[nn.Module] | None:
    """What gives `elements` of the images of `base`; None if no module does, or not for every batch size."""
    shapes = node.meta.get("shapes", ())
    if not shapes or any(shape != (n, *shapes[0][1:]) for n, shape in zip(BATCHES, shapes, strict=True)):
        return None
    whole = _numbers(base)
    if torch.equal(elements, whole):
        return []
    if whole.dim() < 2:
        return None
    if torch.equal(elements, whole.flatten(1)):
        return [nn.Flatten()]
    if whole.dim() in (3, 4):
        for turned in (Transposed(whole.dim(), to_first) for to_first in (True, False)):
            if torch.equal(elements, turned(whole)):
                return [turned]
            if torch.equal(elements, turned(whole).flatten(1)):
                return [turned, nn.Flatten()]
    for to_signal, row in ((True, whole.dim() == 4 and whole.shape[2] == 1), (False, whole.dim() == 3)):
        if row and torch.equal(elements, Row(to_signal)(whole)):
            return [Row(to_signal)]
    if not elements.numel():
        return None
    found, after = None, list[nn.Module]()
    if elements.dim() == whole.dim():
        found = _chosen(elements[0], whole[0])
    elif whole.dim() == 4 and elements.dim() == 3:
        found, after = _chosen(elements[0][:, None], whole[0]), [Row(to_signal=True)]
    elif whole.dim() in (3, 4) and elements.dim() == 2:
        found, after = _chosen(_unflattened(elements[0], whole[0]), whole[0]), [nn.Flatten()]
    if found is not None and any(isinstance(module, Pixels) for module in found):
        rewriter.image(base)
    return None if found is None else [*found, *after]


def _unflattened(elements: Tensor, whole: Tensor) -> Tensor:
    """`elements` (F,) of `whole` (C, …) as (C', …), if they are a slice of it, flattened; (F, 1, …) if not."""
    channels = elements // whole[0].numel()
    pixels = int((channels == channels[0]).long().cumprod(0).sum())  # of the first channel, which come first
    places = np.unravel_index((elements[:pixels] % whole[0].numel()).numpy(), whole.shape[1:])
    sides = [len(np.unique(place)) for place in places]
    if len(elements) % pixels or np.prod(sides) != pixels:
        return elements.reshape(-1, *(1 for _ in sides))
    return elements.reshape(-1, *sides)


def _chosen(elements: Tensor, whole: Tensor) -> list[nn.Module] | None:
    """A choice of channels, of pixels, or both, that gives `elements` (C', …) of `whole` (C, …)."""
    if elements.max() >= whole.numel():  # of other images
        return None
    first, modules = elements.reshape(len(elements), -1)[:, 0] // whole[0].numel(), list[nn.Module]()
    places = np.unravel_index((elements[0] % whole[0].numel()).numpy(), whole.shape[1:]) if whole.dim() > 1 else ()
    slices = []
    for axis, place in enumerate(places):
        along = np.moveaxis(place, axis, 0).reshape(place.shape[axis], -1)[:, 0].tolist()
        step = along[1] - along[0] if len(along) > 1 else 1
        slices.append((along[0], along[-1] + 1, step))
    if first.tolist() != list(range(len(whole))):
        modules.append(Channels(first.tolist()))
    if slices != [(0, n, 1) for n in whole.shape[1:]]:
        modules.append(Pixels(slices))
    if not modules or any(step < 1 for *_, step in slices):
        return None
    return modules if torch.equal(elements[None], nn.Sequential(*modules)(whole[None])) else None
