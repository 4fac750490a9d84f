"""Shapes that the integers can follow, checked as soon as an input batch is known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn

from crq.convert.fits import check_fit
from crq.convert.points import find_last
from crq.convert.supported import NORMS, SUMS, is_dropout
from crq.errors import CrqError


class _Shapes(fx.Interpreter):
    """Runs a network and notes the shape of every value. Where that fails it prints nothing; torch's ShapeProp does."""

    def __init__(self, model: fx.GraphModule, images: torch.Size) -> None:
        super().__init__(model)
        self.images = images
        self.extra_traceback = False  # it would add lines to errors

    def run_node(self, n: fx.Node) -> Any:
        if n.op == "call_module" and n.all_input_nodes:
            module, shape = self.fetch_attr(str(n.target)), shape_of(n.all_input_nodes[0])
            check_fit(str(n.target), module, shape, self.images)
            _check_axes(str(n.target), module, shape)
        result = super().run_node(n)
        if isinstance(result, Tensor):
            n.meta["shape"] = result.shape
        return result


def _check_axes(name: str, module: nn.Module, shape: torch.Size) -> None:
    """torch takes a batch of signals for one image in layers for images, and features for a signal."""
    rank = {"1d": 3, "2d": 4}.get(type(module).__name__[-2:])
    if rank and len(shape) != rank and not isinstance(module, NORMS) and not is_dropout(module):
        kind = {2: "features", 3: "signals", 4: "images"}.get(len(shape), "values")
        raise CrqError(
            f"layer {name!r} ({type(module).__name__}) reads {kind} of shape {tuple(shape)}, batch first, and would "
            f"take their axes for others: use a layer for {kind}, or give it (N, C, {'L' if rank == 3 else 'H, W'})"
        )


def infer_shapes(model: fx.GraphModule, batch: Tensor) -> None:
    """Give every node of a prepared model in eval mode its shape for `batch`; they are in `shape_of`.

    Raises `CrqError` naming the layer for a batch that does not fit (`Misfit` where a layer takes another number of
    channels), for layers that read axes in another order than they have (`crq.convert.points`), for additions that
    broadcast, and for images of another size than a trace that depends on it was made for.
    """
    traced = model.meta.get("image_shape", batch.shape[1:])
    if tuple(batch.shape[1:]) != tuple(traced):
        raise CrqError(
            f"the network's code depends on the size of its images and was traced for {tuple(traced)}, not "
            f"{tuple(batch.shape[1:])}: call crq.prepare with an example_input of the size it will have"
        )
    try:
        with torch.no_grad():
            _Shapes(model, batch.shape[1:]).run(batch)
    except CrqError:
        raise
    except (RuntimeError, ValueError, TypeError) as error:
        cause = str(error).split("\n")[0]
        raise CrqError(f"the network does not accept images of shape {tuple(batch.shape[1:])}: {cause}") from error
    modules = dict(model.named_modules())
    end = next(iter(reversed(model.graph.nodes))).args[0]
    if isinstance(modules.get(str(end.target)), nn.Flatten) and shape_of(end.all_input_nodes[0])[2:].numel() > 1:
        raise CrqError(
            f"{end.name!r} flattens pixels at the end of the network: leave it out, and return the scores as they are, "
            "classes or channels first"
        )
    for node in model.graph.nodes:
        if node.op == "call_module" and getattr(modules[str(node.target)], "ceil_mode", False):
            _check_ceil(node, modules[str(node.target)])
        elif node.op == "call_function" and node.target in SUMS:
            shapes = [tuple(shape_of(x)) for x in node.all_input_nodes]
            if len(set(shapes)) > 1:
                raise CrqError(f"{node.name!r} broadcasts {shapes[0]} and {shapes[1]}; add and subtract equal shapes")
    find_last(model)


def shape_of(node: fx.Node) -> torch.Size:
    """The shape that `infer_shapes` found, batch first."""
    shape: torch.Size = node.meta["shape"]
    return shape


def _check_ceil(node: fx.Node, pool: Any) -> None:
    """ceil_mode adds no window where the windows fill the image."""
    for axis, size in enumerate(shape_of(node.all_input_nodes[0])[2:]):
        sizes = (pool.kernel_size, pool.stride or pool.kernel_size, pool.padding)
        kernel, stride, pad = (v[axis] if isinstance(v, tuple) else v for v in sizes)
        if (size + 2 * pad - kernel) % stride:
            raise CrqError(
                f"layer {node.target!r}: its windows do not fill {size} pixels; ceil_mode, which adds one across the "
                "edge, is not supported: pad the image or use ceil_mode=False"
            )
