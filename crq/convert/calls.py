"""Functional calls of a traced graph as modules, one handler each: F.relu → nn.ReLU, x.flatten(1) → nn.Flatten."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from crq.convert.supported import is_dropout
from crq.errors import CrqError


class Rewriter:
    """Replaces one node by module calls; remembers names already taken."""

    def __init__(self, traced: fx.GraphModule, scopes: dict[str, str]) -> None:
        self.traced, self.graph, self.scopes = traced, traced.graph, scopes

    def where(self, node: fx.Node) -> str:
        scope = self.scopes.get(node.name, "")
        return f"in module {scope!r}" if scope else "in the model's forward"

    def put(self, node: fx.Node, x: fx.Node, *modules: nn.Module) -> None:
        """Replace `node` by `modules` applied to `x` in turn."""
        value = x
        with self.graph.inserting_before(node):
            for module in modules:
                value = self.graph.call_module(self.name(node, module), (value,))
                self.scopes[value.name] = self.scopes.get(node.name, "")
        node.replace_all_uses_with(value)
        self.graph.erase_node(node)

    def drop(self, node: fx.Node) -> None:
        node.replace_all_uses_with(node.all_input_nodes[0])
        self.graph.erase_node(node)

    def name(self, node: fx.Node, module: nn.Module) -> str:
        """Register `module`, for an operation of the user's code, under the scope and the operation's name."""
        scope = self.scopes.get(node.name, "")
        kind = type(module).__name__.lower()
        return add_module(self.traced, f"{scope}.{kind}" if scope else kind, module)


def add_module(traced: fx.GraphModule, name: str, module: nn.Module) -> str:
    """Register `module` under `name`, or `name_1`, `name_2` … where taken; returns the name used."""
    base, count = name.replace(".", "_"), 0
    name = base
    while hasattr(traced, name):
        count += 1
        name = f"{base}_{count}"
    traced.add_submodule(name, module)
    return name


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


def rebind(node: fx.Node) -> None:
    """An in-place operation changes its operand for whoever reads it later: let them read the result.

    Refused where a flattening shares the operand's memory, for then it changes what was read before, too.
    """
    x = node.all_input_nodes[0]
    if any(_is_view(user) for user in x.users if user < node) or (_is_view(x) and len(x.all_input_nodes[0].users) > 1):
        raise CrqError(f"in-place operation {node.name!r} changes a tensor that a flattening shares; use a copying one")
    node.all_input_nodes[0].replace_all_uses_with(node, delete_user_cb=lambda user: user is not node and user > node)


def _is_view(node: fx.Node) -> bool:
    module = node.graph.owning_module
    return (
        node.op == "call_module"
        and module is not None
        and isinstance(module.get_submodule(str(node.target)), nn.Flatten)
    )


def is_one(size: Any) -> bool:
    return size == 1 or (isinstance(size, (tuple, list)) and all(part == 1 for part in size))


def _arguments(node: fx.Node, *names: str, **defaults: Any) -> dict[str, Any]:
    """Positional and keyword arguments of a call under their names; an unknown or missing one raises KeyError."""
    values = dict(defaults)
    values.update(zip(names, node.args, strict=False))
    values.update(node.kwargs)
    if len(node.args) > len(names) or not set(values) <= set(names):
        raise KeyError(node.name)
    return values


def _relu(rewriter: Rewriter, node: fx.Node) -> None:
    a = _arguments(node, "input", "inplace", inplace=False)
    if a["inplace"] or str(getattr(node.target, "__name__", node.target)).endswith("_"):
        rebind(node)
    rewriter.put(node, a["input"], nn.ReLU6() if node.target is F.relu6 else nn.ReLU())


def _pool(kind: type[nn.Module], *names: str) -> Callable[[Rewriter, fx.Node], None]:
    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        a = _arguments(node, "input", *names)
        x = a.pop("input")
        if not a.get("return_indices", False):
            a.pop("return_indices", None)
        rewriter.put(node, x, kind(**a))

    return handle


def _global_pool(kind: type[nn.Module]) -> Callable[[Rewriter, fx.Node], None]:
    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        a = _arguments(node, "input", "output_size")
        if not is_one(a["output_size"]):
            raise CrqError(
                f"an adaptive pool {rewriter.where(node)} pools to {a['output_size']}; only size 1 is supported"
            )
        rewriter.put(node, a["input"], kind(1))

    return handle


def _mean(rewriter: Rewriter, node: fx.Node) -> None:
    a = _arguments(node, "input", "dim", "keepdim", keepdim=False)
    dims = a["dim"] if isinstance(a["dim"], (tuple, list)) else [a["dim"]]
    if sorted(dims) in ([2, 3], [-2, -1]):
        pool: nn.Module = nn.AdaptiveAvgPool2d(1)
    elif list(dims) in ([2], [-1]):
        pool = nn.AdaptiveAvgPool1d(1)
    else:
        raise CrqError(
            f"mean over dimensions {dims} {rewriter.where(node)}: only the mean over all of H and W is supported"
        )
    rewriter.put(node, a["input"], *([pool] if a["keepdim"] else [pool, nn.Flatten()]))


def _flatten(rewriter: Rewriter, node: fx.Node) -> None:
    a = _arguments(node, "input", "start_dim", "end_dim", start_dim=0, end_dim=-1)
    if (a["start_dim"], a["end_dim"]) != (1, -1):
        raise CrqError(f"flatten {rewriter.where(node)} must start at dimension 1 and end at -1")
    rewriter.put(node, a["input"], nn.Flatten())


def _view(rewriter: Rewriter, node: fx.Node) -> None:
    shape = node.args[1:]
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    # (N, -1) with N read from the input, or (-1, features): the next layer's in_features rejects a wrong count.
    first_is_batch = len(shape) == 2 and (isinstance(shape[0], fx.Node) and shape[1] == -1 or shape[0] == -1)
    if not first_is_batch or node.kwargs:
        raise CrqError(
            f"{node.target!r} {rewriter.where(node)} must be (batch, -1): keep the batch dimension, flatten the rest "
            "(torch.flatten(x, 1))"
        )
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
        a = _arguments(node, "input", "p", "training", "inplace", p=0.5, training=True, inplace=False)
        if a["inplace"]:
            rebind(node)
        rewriter.put(node, a["input"], kind(a["p"]))

    return handle


def _same(rewriter: Rewriter, node: fx.Node) -> None:
    rewriter.drop(node)


def _add(rewriter: Rewriter, node: fx.Node) -> None:
    operands = list(node.args)
    if len(operands) != 2 or node.kwargs or not all(isinstance(operand, fx.Node) for operand in operands):
        raise CrqError(f"an addition {rewriter.where(node)} must add two activations, not a constant or a scaled one")
    if node.target in (operator.iadd, "add_", "__iadd__"):
        rebind(node)
    node.op, node.target = "call_function", operator.add


def _cat(rewriter: Rewriter, node: fx.Node) -> None:
    a = _arguments(node, "tensors", "dim", dim=0)
    if a["dim"] != 1:
        raise CrqError(f"a concatenation {rewriter.where(node)} must be along dimension 1 (channels), not {a['dim']}")
    node.target, node.args, node.kwargs = torch.cat, (list(a["tensors"]), 1), {}


_MAX = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_AVG = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
_DROPOUT_CALLS: dict[Any, type[nn.Module]] = {
    F.dropout: nn.Dropout, torch.dropout: nn.Dropout, F.dropout1d: nn.Dropout1d, F.dropout2d: nn.Dropout2d,
    F.alpha_dropout: nn.AlphaDropout,
}  # fmt: skip
_HANDLERS: dict[Any, Callable[[Rewriter, fx.Node], None]] = {
    **dict.fromkeys((F.relu, torch.relu, torch.relu_, F.relu6, "relu", "relu_"), _relu),
    **dict.fromkeys((F.max_pool2d, torch.max_pool2d), _pool(nn.MaxPool2d, *_MAX)),
    **dict.fromkeys((F.max_pool1d, torch.max_pool1d), _pool(nn.MaxPool1d, *_MAX)),
    F.avg_pool2d: _pool(nn.AvgPool2d, *_AVG),
    F.avg_pool1d: _pool(nn.AvgPool1d, *_AVG[:-1]),
    F.adaptive_avg_pool2d: _global_pool(nn.AdaptiveAvgPool2d),
    F.adaptive_avg_pool1d: _global_pool(nn.AdaptiveAvgPool1d),
    **dict.fromkeys(("mean", torch.mean), _mean),
    **dict.fromkeys(("flatten", torch.flatten), _flatten),
    **dict.fromkeys(("view", "reshape", torch.reshape), _view),
    **{call: _dropout(kind) for call, kind in _DROPOUT_CALLS.items()},
    "contiguous": _same,
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_", "__iadd__"), _add),
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat),
}
