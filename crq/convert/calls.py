"""Functional calls of a traced graph as modules, one handler each: F.relu → nn.ReLU, x.flatten(1) → nn.Flatten."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from crq.convert.arguments import arguments
from crq.convert.arithmetic import ARITHMETIC, rewrite_arithmetic
from crq.convert.pixels import Row
from crq.convert.reasons import remedy
from crq.convert.resampling import interpolate, pad, shuffle
from crq.convert.rewriter import Rewriter, name_of, rebind
from crq.convert.supported import is_dropout
from crq.convert.transposed import Transposed
from crq.errors import CrqError


def rewrite_call(rewriter: Rewriter, node: fx.Node) -> None:
    """Replace one functional call by modules, or leave it where none is known; raises `CrqError` for odd arguments."""
    handler = _HANDLERS.get(node.target)
    if handler is None or not node.all_input_nodes:
        return  # refused after dead code is gone: x.size(0) feeding a view is only then unused
    try:
        handler(rewriter, node)
    except (KeyError, TypeError) as error:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        raise CrqError(f"{name!r} {rewriter.where(node)} is called with arguments that are not supported") from error


def is_one(size: Any) -> bool:
    return size == 1 or (isinstance(size, (tuple, list)) and all(part == 1 for part in size))


def _relu(rewriter: Rewriter, node: fx.Node) -> None:
    a = arguments(node, "input", "inplace", inplace=False)
    if a["inplace"] or str(getattr(node.target, "__name__", node.target)).endswith("_"):
        rebind(node)
    rewriter.put(node, a["input"], nn.ReLU6() if node.target is F.relu6 else nn.ReLU())


def _activation(kind: type[nn.Module], *names: str) -> Callable[[Rewriter, fx.Node], None]:
    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        a = arguments(node, "input", *names, "inplace", inplace=False)
        x = a.pop("input")
        if a.pop("inplace") or name_of(node).endswith("_"):
            rebind(node)
        rewriter.put(node, x, kind(**a))

    return handle


def _pool(kind: type[nn.Module], *names: str) -> Callable[[Rewriter, fx.Node], None]:
    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        a = arguments(node, "input", *names)
        x = a.pop("input")
        if not a.get("return_indices", False):
            a.pop("return_indices", None)
        rewriter.put(node, x, kind(**a))

    return handle


def pool_to(rewriter: Rewriter, node: fx.Node, x: fx.Node, size: Any, maximum: bool = False) -> None:
    """Replace `node`, an adaptive pool of `x` to `size`, by one with a window where the shape of `x` gives one."""
    rank = 1 if "1d" in name_of(node) else 2
    if is_one(size) and not maximum:
        rewriter.put(node, x, nn.AdaptiveAvgPool1d(1) if rank == 1 else nn.AdaptiveAvgPool2d(1))
        return
    image = rewriter.image(x)
    if image is None:
        raise CrqError(f"{name_of(node)!r} {rewriter.where(node)} pools to {size}: give crq.prepare an example_input")
    asked = size if isinstance(size, (tuple, list)) else [size] * rank
    if not len(asked) == len(image) == rank:
        raise CrqError(
            f"{name_of(node)!r} {rewriter.where(node)} pools to {size} what has the rows and columns {image}: use the "
            f"pool for {'signals, 1d' if len(image) == 1 else 'images, 2d'}"
        )
    sizes = [have if want is None else want for want, have in zip(asked, image, strict=True)]
    if any(have % want for want, have in zip(sizes, image, strict=True)):
        raise CrqError(
            f"{name_of(node)!r} {rewriter.where(node)} pools {image} pixels to {sizes}, in windows of different sizes; "
            "pool to a divisor, or to 1"
        )
    window: Any = tuple(have // want for want, have in zip(sizes, image, strict=True))
    kinds = (nn.MaxPool1d, nn.MaxPool2d) if maximum else (nn.AvgPool1d, nn.AvgPool2d)
    rewriter.put(node, x, *([] if is_one(window) else [kinds[rank - 1](window)]))


def _adaptive(maximum: bool) -> Callable[[Rewriter, fx.Node], None]:
    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        a = arguments(node, "input", "output_size", "return_indices", return_indices=False)
        if a["return_indices"]:
            raise KeyError(node.name)
        pool_to(rewriter, node, a["input"], a["output_size"], maximum)

    return handle


def _clamp(rewriter: Rewriter, node: fx.Node) -> None:
    """Between two numbers a Hardtanh; above 0 a ReLU."""
    a = arguments(node, "input", "min", "max", min=None, max=None)
    low, high = a["min"], a["max"]
    if str(getattr(node.target, "__name__", node.target)).endswith("_"):
        rebind(node)
    if (low, high) == (0, None):
        rewriter.put(node, a["input"], nn.ReLU())
    elif all(isinstance(v, (int, float)) for v in (low, high)):
        rewriter.put(node, a["input"], nn.Hardtanh(low, high))
    else:
        raise CrqError(
            f"{name_of(node)!r} {rewriter.where(node)} clips between {low} and {high}: give two numbers, or min=0"
        )


def _layer(kind: type[nn.Module], *names: str) -> Callable[[Rewriter, fx.Node], None]:
    """F.conv2d and its kin, on a module's own parameters: the layer takes that module's name."""

    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        a = arguments(node, "input", "weight", "bias", *names, bias=None)
        x, parameters = a.pop("input"), {key: a.pop(key) for key in ("weight", "bias")}
        held = {key: _parameter(rewriter, value) for key, value in parameters.items() if value is not None}
        if not all(isinstance(tensor, nn.Parameter) for tensor in held.values()):
            raise CrqError(
                f"{name_of(node)!r} {rewriter.where(node)} has weights that its forward computes "
                "(as weight standardization does); only parameters can become ternary: give the layer some of its own"
            )
        weight = held["weight"]
        groups = a.get("groups", 1)
        sizes = (weight.shape[1] * groups, weight.shape[0], *([tuple(weight.shape[2:])] if weight.dim() > 2 else []))
        layer = kind(*sizes, **a, bias="bias" in held, device="meta")
        for key, tensor in held.items():
            setattr(layer, key, tensor)
        scope, _, name = str(parameters["weight"].target).rpartition(".")
        if not scope or name != "weight" or scope != rewriter.scopes.get(node.name):
            rewriter.put(node, x, layer)
            return
        parent, _, child = scope.rpartition(".")
        setattr(rewriter.traced.get_submodule(parent), child, layer)
        with rewriter.graph.inserting_before(node):
            value = rewriter.graph.call_module(scope, (x,))
        value.meta["shapes"] = node.meta.get("shapes", ())
        rewriter.replace(node, value)

    return handle


def _parameter(rewriter: Rewriter, node: Any) -> Any:
    found: Any = rewriter.traced if isinstance(node, fx.Node) and node.op == "get_attr" else None
    for part in str(node.target).split(".") if found is not None else ():
        found = getattr(found, part)
    return found


def _mean(rewriter: Rewriter, node: fx.Node) -> None:
    a = arguments(node, "input", "dim", "keepdim", keepdim=False)
    dims = a["dim"] if isinstance(a["dim"], (tuple, list)) else [a["dim"]]
    rank = _rank(a["input"])
    image = rewriter.image(a["input"]) if rank == 4 and len(dims) == 1 and dims[0] % 4 > 1 else None
    if image is not None:  # over the rows or the columns alone
        rows = dims[0] % 4 == 2
        pool: Any = nn.AvgPool2d((image[0], 1) if rows else (1, image[1]))
        rewriter.put(node, a["input"], pool, *_without(rewriter, node, a["keepdim"], rows))
        return
    if sorted(dims) in ([2, 3], [-2, -1]):
        pools: list[nn.Module] = [nn.AdaptiveAvgPool2d(1)]
    elif rank == 3 and list(dims) in ([1], [-2]) and not a["keepdim"]:  # of points, features last
        pools = [Transposed(rank, to_first=True), nn.AdaptiveAvgPool1d(1)]
    elif list(dims) in ([2], [-1]):
        pools = [nn.AdaptiveAvgPool1d(1)]
    else:
        raise CrqError(
            f"mean over dimensions {dims} {rewriter.where(node)}: only the mean over H, W, both, or points is supported"
            + ("" if rank else "; for H or W alone give crq.prepare an example_input")
        )
    rewriter.put(node, a["input"], *(pools if a["keepdim"] else [*pools, nn.Flatten()]))


def _amax(rewriter: Rewriter, node: fx.Node) -> None:
    a = arguments(node, "input", "dim", "keepdim", keepdim=False)
    _largest(rewriter, node, a["input"], a["dim"], a["keepdim"])


def _max(rewriter: Rewriter, node: fx.Node) -> None:
    """The values of x.max(dim), read by x.max(dim)[0]; their indices have no integer form."""
    a = arguments(node, "input", "dim", "keepdim", keepdim=False)
    readers = [user for user in node.users if user.users or user.args[1:] == (0,)]
    if any(user.target is not operator.getitem or user.args[1:] != (0,) for user in readers):
        raise KeyError(node.name)
    for user in readers:
        _largest(rewriter, user, a["input"], a["dim"], a["keepdim"])


def _largest(rewriter: Rewriter, node: fx.Node, x: fx.Node, dim: Any, keepdim: bool) -> None:
    """Replace `node` by the maximum of `x` over all pixels, or over points with their features last."""
    rank, image = _rank(x), rewriter.image(x)
    dims = sorted(d % rank for d in (dim if isinstance(dim, (tuple, list)) else [dim])) if rank else []
    if image is not None and rank == 4 and len(dims) == 1 and dims[0] > 1:  # over the rows or the columns alone
        rows = dims[0] == 2
        pool: Any = nn.MaxPool2d((image[0], 1) if rows else (1, image[1]))
        rewriter.put(node, x, pool, *_without(rewriter, node, keepdim, rows))
        return
    if rank == 3 and dims == [1] and not keepdim:
        points: Any = x.meta["shapes"][0][1]
        modules = [Transposed(rank, to_first=True), nn.MaxPool1d(points)]
    elif image is not None and rank in (3, 4) and dims == list(range(2, rank)):
        modules = [nn.MaxPool1d(image) if rank == 3 else nn.MaxPool2d(image)]
    else:
        more = "" if rank else "; give crq.prepare an example_input"
        raise CrqError(
            f"maximum over dimensions {dim} {rewriter.where(node)}: only that over all pixels, or over points, is "
            f"supported{more}"
        )
    rewriter.put(node, x, *(modules if keepdim else [*modules, nn.Flatten()]))


def _without(rewriter: Rewriter, node: fx.Node, keepdim: bool, rows: bool) -> list[nn.Module]:
    """What takes away the axis of size 1 that a pool over the rows or the columns leaves."""
    if not keepdim and not rows:
        raise CrqError(f"{name_of(node)!r} {rewriter.where(node)} over the columns needs keepdim=True")
    return [] if keepdim else [Row(to_signal=True)]


def _rank(x: fx.Node) -> int:
    """How many axes `x` has; 0 where the network was traced without shapes."""
    return len(x.meta["shapes"][0]) if "shapes" in x.meta else 0


def _flatten(rewriter: Rewriter, node: fx.Node) -> None:
    a = arguments(node, "input", "start_dim", "end_dim", start_dim=0, end_dim=-1)
    if (a["start_dim"], a["end_dim"]) != (1, -1):
        raise CrqError(
            f"flatten {rewriter.where(node)} must start at dimension 1 and end at -1, a vector before a Linear; where "
            "points share a layer, use a 1 × 1 convolution on the image"
        )
    rewriter.put(node, a["input"], nn.Flatten())


def _view(rewriter: Rewriter, node: fx.Node) -> None:
    shape = node.args[1:]
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    # (N, -1) with N read from the input, or (-1, features): the next layer's in_features rejects a wrong count.
    first_is_batch = len(shape) == 2 and (isinstance(shape[0], fx.Node) and shape[1] == -1 or shape[0] == -1)
    if not first_is_batch or node.kwargs:
        way = "keep the batch dimension, flatten the rest (torch.flatten(x, 1))"
        if len(shape) > 2:
            way = f"of a map take x.mean((2, 3)) or 1 × 1 convolutions, which pixels share; {remedy('unflatten')}"
        raise CrqError(f"{node.target!r} {rewriter.where(node)} must be (batch, -1): {way}")
    if isinstance(shape[1], int) and shape[1] != -1 and not _feeds_linear(rewriter, node, shape[1]):
        raise CrqError(
            f"{node.target!r} {rewriter.where(node)} to (-1, {shape[1]}) is a flattening only before a Linear of "
            f"{shape[1]} features; write torch.flatten(x, 1)"
        )
    rewriter.put(node, node.args[0], nn.Flatten())  # type: ignore[arg-type]


def _feeds_linear(rewriter: Rewriter, node: fx.Node, features: int) -> bool:
    """Whether every reader, dropouts skipped, is a Linear whose in_features fix the number of rows to the batch."""
    for user in node.users:
        module = rewriter.traced.get_submodule(str(user.target)) if user.op == "call_module" else None
        if user.target in _DROPOUT_CALLS or (module is not None and is_dropout(module)):
            if not _feeds_linear(rewriter, user, features):
                return False
        elif not isinstance(module, nn.Linear) or module.in_features != features:
            return False
    return bool(node.users)


def _dropout(kind: type[nn.Module]) -> Callable[[Rewriter, fx.Node], None]:
    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        # `training` was read when the model was traced; a module follows train() and eval().
        a = arguments(node, "input", "p", "training", "inplace", p=0.5, training=True, inplace=False)
        if a["inplace"]:
            rebind(node)
        rewriter.put(node, a["input"], kind(a["p"]))

    return handle


def _same(rewriter: Rewriter, node: fx.Node) -> None:
    rewriter.drop(node)


def _cat(rewriter: Rewriter, node: fx.Node) -> None:
    a = arguments(node, "tensors", "dim", dim=0)
    rank, dim = _rank(node), a["dim"]
    if dim != 1 and (not rank or dim + rank != 1):
        raise CrqError(
            f"a concatenation {rewriter.where(node)} must be along dimension 1 (channels), not {dim}"
            + ("; to count from the end give crq.prepare an example_input" if dim < 0 and not rank else "")
        )
    node.target, node.args, node.kwargs = torch.cat, (list(a["tensors"]), 1), {}


_MAX = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_AVG = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
_DROPOUT_CALLS: dict[Any, type[nn.Module]] = {
    F.dropout: nn.Dropout, torch.dropout: nn.Dropout, F.dropout1d: nn.Dropout1d, F.dropout2d: nn.Dropout2d,
    F.alpha_dropout: nn.AlphaDropout,
}  # fmt: skip
_HANDLERS: dict[Any, Callable[[Rewriter, fx.Node], None]] = {
    **dict.fromkeys((F.relu, torch.relu, torch.relu_, F.relu6, "relu", "relu_"), _relu),
    **dict.fromkeys((F.leaky_relu, F.leaky_relu_), _activation(nn.LeakyReLU, "negative_slope")),
    **dict.fromkeys((F.hardtanh, F.hardtanh_), _activation(nn.Hardtanh, "min_val", "max_val")),
    **dict.fromkeys((F.elu, F.elu_), _activation(nn.ELU, "alpha")),
    **dict.fromkeys((F.celu, torch.celu, torch.celu_), _activation(nn.CELU, "alpha")),
    **dict.fromkeys((F.selu, torch.selu, torch.selu_), _activation(nn.SELU)),
    **dict.fromkeys((torch.sigmoid, F.sigmoid, "sigmoid", "sigmoid_"), _activation(nn.Sigmoid)),
    **dict.fromkeys((torch.tanh, F.tanh, "tanh", "tanh_"), _activation(nn.Tanh)),
    F.softplus: _activation(nn.Softplus, "beta", "threshold"),
    F.softsign: _activation(nn.Softsign),
    F.hardsigmoid: _activation(nn.Hardsigmoid),
    F.hardswish: _activation(nn.Hardswish),
    F.silu: _activation(nn.SiLU),
    F.gelu: _activation(nn.GELU, "approximate"),
    F.mish: _activation(nn.Mish),
    **dict.fromkeys((F.max_pool2d, torch.max_pool2d), _pool(nn.MaxPool2d, *_MAX)),
    **dict.fromkeys((F.max_pool1d, torch.max_pool1d), _pool(nn.MaxPool1d, *_MAX)),
    F.avg_pool2d: _pool(nn.AvgPool2d, *_AVG),
    F.avg_pool1d: _pool(nn.AvgPool1d, *_AVG[:-1]),
    **dict.fromkeys((F.adaptive_avg_pool2d, F.adaptive_avg_pool1d), _adaptive(maximum=False)),
    **dict.fromkeys((F.adaptive_max_pool2d, F.adaptive_max_pool1d), _adaptive(maximum=True)),
    F.pad: pad,
    F.interpolate: interpolate,
    F.pixel_shuffle: shuffle(nn.PixelShuffle, "upscale_factor"),
    F.pixel_unshuffle: shuffle(nn.PixelUnshuffle, "downscale_factor"),
    **dict.fromkeys((torch.clamp, torch.clip, torch.clamp_, "clamp", "clip", "clamp_", "clip_"), _clamp),
    **dict.fromkeys((F.conv2d, torch.conv2d), _layer(nn.Conv2d, "stride", "padding", "dilation", "groups")),
    **dict.fromkeys((F.conv1d, torch.conv1d), _layer(nn.Conv1d, "stride", "padding", "dilation", "groups")),
    F.linear: _layer(nn.Linear),
    **dict.fromkeys(("mean", torch.mean), _mean),
    **dict.fromkeys(("amax", torch.amax), _amax),
    **dict.fromkeys(("max", torch.max), _max),
    **dict.fromkeys(("flatten", torch.flatten), _flatten),
    **dict.fromkeys(("view", "reshape", torch.reshape), _view),
    **{call: _dropout(kind) for call, kind in _DROPOUT_CALLS.items()},
    "contiguous": _same,
    **dict.fromkeys(ARITHMETIC, rewrite_arithmetic),
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat),
}
