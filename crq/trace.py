"""A user's module as a torch.fx graph of supported modules only.

Functional calls become modules (F.relu → nn.ReLU), identities vanish, dropout stays for training, and whatever cannot
be expressed is refused with the name of the module it stands in.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from crq.errors import CrqError

MACS = (nn.Conv1d, nn.Conv2d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
RELUS = (nn.ReLU, nn.ReLU6)
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d)
AVG_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
SUPPORTED = (*MACS, *NORMS, *RELUS, *MAX_POOLS, *AVG_POOLS, nn.Flatten)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
# Stochastic depth and its kin; by name, since every package has its own class.
_STOCHASTIC = ("DropPath", "DropBlock2d")

_REMEDIES = {
    "sigmoid": "use ReLU or Hardtanh-like activations",
    "softmax": "return the logits and apply softmax in the loss",
    "log_softmax": "return the logits and use cross_entropy",
    "mul": "activation × activation (as in squeeze-excite gates) needs multipliers; use a block without the gate",
}


def trace(model: nn.Module) -> fx.GraphModule:
    """Trace `model` (changed in place) and normalise its graph; raises `CrqError` naming what is not supported."""
    _split_fused_norms(model)
    tracer = _Tracer()
    graph = tracer.trace(model)
    traced = fx.GraphModule(model, graph, type(model).__name__)
    scopes = {node.name: path for node, path in tracer.scopes.items()}
    _normalise(traced, scopes)
    return traced


class _Tracer(fx.Tracer):
    """torch.fx's tracer that remembers each node's module and names the module that cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes: dict[fx.Node, str] = {}
        self._stack: list[str] = []

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> fx.Graph:
        try:
            return super().trace(root, concrete_args)
        except CrqError:
            raise
        except Exception as error:
            raise _untraceable("the model itself", root, error) from error

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        path = self.path_of_module(m)
        self._stack.append(path)
        try:
            return super().call_module(m, forward, args, kwargs)
        except CrqError:
            raise
        except Exception as error:
            raise _untraceable(f"module {path!r}", m, error) from error
        finally:
            self._stack.pop()

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        self.scopes[node] = self._stack[-1] if self._stack else ""
        return node

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_dropout(m) or super().is_leaf_module(m, module_qualified_name)


def is_dropout(module: nn.Module) -> bool:
    """Whether `module` acts in training only and is the identity in eval mode."""
    return isinstance(module, _DROPOUTS) or type(module).__name__ in _STOCHASTIC


def _untraceable(where: str, module: nn.Module, error: Exception) -> CrqError:
    reason = str(error).split("\n")[0]
    return CrqError(
        f"{where} ({type(module).__name__}) cannot be traced: {reason}. Its forward must be a fixed sequence of "
        "operations, without `if` or loops over tensor values"
    )


def _split_fused_norms(model: nn.Module) -> None:
    """Replace timm's BatchNormAct2d (a batch norm with `drop` and `act` inside) by the three modules in sequence."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d) and type(child) is not nn.BatchNorm2d and hasattr(child, "act"):
                plain = nn.BatchNorm2d(child.num_features, child.eps, child.momentum, child.affine)
                plain.load_state_dict(child.state_dict(), strict=False)
                parts = [plain, getattr(child, "drop", nn.Identity()), child.act]
                kept = [part for part in parts if isinstance(part, nn.Module) and not isinstance(part, nn.Identity)]
                setattr(parent, name, nn.Sequential(*kept))


class _Rewriter:
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


def _normalise(traced: fx.GraphModule, scopes: dict[str, str]) -> None:
    rewriter = _Rewriter(traced, scopes)
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op == "call_module":
            _module(rewriter, node, modules[str(node.target)])
        elif node.op in ("call_function", "call_method"):
            _call(rewriter, node)
        elif node.op == "placeholder" and (node.args or not node.users):
            raise CrqError(f"the model's input {node.target!r} is optional or unused; expected one tensor input")
        elif node.op == "output" and not isinstance(node.args[0], fx.Node):
            raise CrqError("the model must return one tensor, the logits, not a tuple, list or dictionary")
    if sum(node.op == "placeholder" for node in traced.graph.nodes) != 1:
        raise CrqError("the model must take exactly one tensor input")
    traced.graph.eliminate_dead_code()
    for node in traced.graph.nodes:
        if node.op == "get_attr":
            raise CrqError(
                f"tensor {node.target!r} is used as a value {rewriter.where(node)}; only layers may hold constants"
            )
        if node.op == "call_method" or (node.op == "call_function" and node.target not in (operator.add, torch.cat)):
            raise _unsupported(rewriter, node)
        if node.op == "call_function":
            kind = "add" if node.target is operator.add else "cat"
            scope = scopes.get(node.name, "")
            traced.meta.setdefault("names", {})[node.name] = f"{scope}.{kind}" if scope else kind
    traced.delete_all_unused_submodules()
    traced.graph.lint()
    traced.recompile()


def _unsupported(rewriter: _Rewriter, node: fx.Node) -> CrqError:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    remedy = _REMEDIES.get(str(name).strip("_"), "")
    if str(name).strip("_") in ("mul", "sub", "truediv", "div") and len(node.all_input_nodes) == 1:
        remedy = "scaling and shifting by constants belong to the data, before the network, or into a batch norm"
    return CrqError(f"operation {name!r} {rewriter.where(node)} is not supported" + (f": {remedy}" if remedy else ""))


def _module(rewriter: _Rewriter, node: fx.Node, module: nn.Module) -> None:
    name = str(node.target)
    if isinstance(module, nn.Identity):
        rewriter.drop(node)
        return
    if isinstance(module, nn.Hardtanh) and type(module) is nn.Hardtanh:
        raise CrqError(f"module {name!r} (Hardtanh) is not supported: use ReLU or ReLU6")
    if type(module) not in SUPPORTED and not is_dropout(module):
        remedy = _REMEDIES.get(type(module).__name__.lower(), "")
        supported = ", ".join(kind.__name__ for kind in SUPPORTED)
        raise CrqError(
            f"module {name!r} ({type(module).__name__}) is not supported"
            + (f": {remedy}" if remedy else f"; supported are {supported}, dropout, additions and concatenations")
        )
    if len(node.args) + len(node.kwargs) != 1:
        raise CrqError(
            f"module {name!r} is called with {len(node.args) + len(node.kwargs)} arguments, expected one tensor"
        )
    if node.kwargs:
        node.args, node.kwargs = tuple(node.kwargs.values()), {}
    if getattr(module, "inplace", False):
        _rebind(node)
        setattr(module, "inplace", False)  # noqa: B010, the union of modules has no such attribute for mypy
    if isinstance(module, (nn.Conv1d, nn.Conv2d)) and module.padding_mode != "zeros":
        raise CrqError(f"layer {name!r} pads with {module.padding_mode!r}; only padding_mode='zeros' is supported")
    if isinstance(module, NORMS) and module.running_mean is None:
        raise CrqError(f"batch norm {name!r} keeps no running statistics; use track_running_stats=True")
    if isinstance(module, nn.Flatten) and (module.start_dim != 1 or module.end_dim != -1):
        raise CrqError(f"module {name!r} must flatten dimensions 1 to -1, not {module.start_dim} to {module.end_dim}")
    if isinstance(module, (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)) and not _is_one(module.output_size):
        raise CrqError(
            f"module {name!r} pools to {module.output_size}; only a global average (output size 1) is supported"
        )


def _rebind(node: fx.Node) -> None:
    """An in-place operation changes its operand for whoever reads it later: let them read the result."""
    node.all_input_nodes[0].replace_all_uses_with(node, delete_user_cb=lambda user: user is not node and user > node)


def _is_one(size: Any) -> bool:
    return size == 1 or (isinstance(size, (tuple, list)) and all(part == 1 for part in size))


def _arguments(node: fx.Node, *names: str, **defaults: Any) -> dict[str, Any]:
    """Positional and keyword arguments of a call under their names; an unknown or missing one raises KeyError."""
    values = dict(defaults)
    values.update(zip(names, node.args, strict=False))
    values.update(node.kwargs)
    if len(node.args) > len(names) or not set(values) <= set(names):
        raise KeyError(node.name)
    return values


def _call(rewriter: _Rewriter, node: fx.Node) -> None:
    handler = _HANDLERS.get(node.target)
    if handler is None or not node.all_input_nodes:
        return  # refused after dead code is gone: x.size(0) feeding a view is only then unused
    try:
        handler(rewriter, node)
    except (KeyError, TypeError) as error:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        raise CrqError(f"{name!r} {rewriter.where(node)} is called with arguments that are not supported") from error


def _relu(rewriter: _Rewriter, node: fx.Node) -> None:
    a = _arguments(node, "input", "inplace", inplace=False)
    if a["inplace"] or str(getattr(node.target, "__name__", node.target)).endswith("_"):
        _rebind(node)
    rewriter.put(node, a["input"], nn.ReLU6() if node.target is F.relu6 else nn.ReLU())


def _pool(kind: type[nn.Module], *names: str) -> Callable[[_Rewriter, fx.Node], None]:
    def handle(rewriter: _Rewriter, node: fx.Node) -> None:
        a = _arguments(node, "input", *names)
        x = a.pop("input")
        if not a.get("return_indices", False):
            a.pop("return_indices", None)
        rewriter.put(node, x, kind(**a))

    return handle


def _global_pool(kind: type[nn.Module]) -> Callable[[_Rewriter, fx.Node], None]:
    def handle(rewriter: _Rewriter, node: fx.Node) -> None:
        a = _arguments(node, "input", "output_size")
        if not _is_one(a["output_size"]):
            raise CrqError(
                f"an adaptive pool {rewriter.where(node)} pools to {a['output_size']}; only size 1 is supported"
            )
        rewriter.put(node, a["input"], kind(1))

    return handle


def _mean(rewriter: _Rewriter, node: fx.Node) -> None:
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


def _flatten(rewriter: _Rewriter, node: fx.Node) -> None:
    a = _arguments(node, "input", "start_dim", "end_dim", start_dim=0, end_dim=-1)
    if (a["start_dim"], a["end_dim"]) != (1, -1):
        raise CrqError(f"flatten {rewriter.where(node)} must start at dimension 1 and end at -1")
    rewriter.put(node, a["input"], nn.Flatten())


def _view(rewriter: _Rewriter, node: fx.Node) -> None:
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
    rewriter.put(node, node.args[0], nn.Flatten())  # type: ignore[arg-type]


def _dropout(kind: type[nn.Module]) -> Callable[[_Rewriter, fx.Node], None]:
    def handle(rewriter: _Rewriter, node: fx.Node) -> None:
        # `training` was read when the model was traced; a module follows train() and eval().
        a = _arguments(node, "input", "p", "training", "inplace", p=0.5, training=True, inplace=False)
        if a["inplace"]:
            _rebind(node)
        rewriter.put(node, a["input"], kind(a["p"]))

    return handle


def _same(rewriter: _Rewriter, node: fx.Node) -> None:
    rewriter.drop(node)


def _add(rewriter: _Rewriter, node: fx.Node) -> None:
    operands = list(node.args)
    if len(operands) != 2 or node.kwargs or not all(isinstance(operand, fx.Node) for operand in operands):
        raise CrqError(f"an addition {rewriter.where(node)} must add two activations, not a constant or a scaled one")
    if node.target in (operator.iadd, "add_", "__iadd__"):
        _rebind(node)
    node.op, node.target = "call_function", operator.add


def _cat(rewriter: _Rewriter, node: fx.Node) -> None:
    a = _arguments(node, "tensors", "dim", dim=0)
    if a["dim"] != 1:
        raise CrqError(f"a concatenation {rewriter.where(node)} must be along dimension 1 (channels), not {a['dim']}")
    node.target, node.args, node.kwargs = torch.cat, (list(a["tensors"]), 1), {}


_MAX = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_AVG = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
_HANDLERS: dict[Any, Callable[[_Rewriter, fx.Node], None]] = {
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
    **dict.fromkeys((F.dropout, torch.dropout), _dropout(nn.Dropout)),
    F.dropout1d: _dropout(nn.Dropout1d),
    F.dropout2d: _dropout(nn.Dropout2d),
    F.alpha_dropout: _dropout(nn.AlphaDropout),
    "contiguous": _same,
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_", "__iadd__"), _add),
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat),
}
