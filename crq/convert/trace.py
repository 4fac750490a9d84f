"""A user's module as a torch.fx graph of supported modules only.

Functional calls become modules (F.relu → nn.ReLU), so does a constant normalization of the input, identities vanish,
dropout stays for training, and whatever cannot be expressed is refused with the name of the module it stands in.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

from crq.convert.calls import Rewriter, is_one, rebind, rewrite_call
from crq.convert.normalization import is_normalization, record_normalization
from crq.convert.preprocessing import Preprocess
from crq.convert.supported import NORMS, SUPPORTED, is_dropout
from crq.errors import CrqError

_ACTIVATION = "use ReLU or ReLU6"
# By the name of the module or function, in lower case and without underscores.
_REMEDIES = {
    **dict.fromkeys(("hardtanh", "tanh", "hardsigmoid", "hardswish", "gelu", "silu", "leakyrelu", "elu"), _ACTIVATION),
    "sigmoid": f"{_ACTIVATION}; at the end return the scores, and train with binary_cross_entropy_with_logits",
    "softmax": "return the scores, and train with cross_entropy",
    "logsoftmax": "return the scores, and train with cross_entropy",
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
        return is_dropout(m) or is_normalization(m) or super().is_leaf_module(m, module_qualified_name)


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


def _normalise(traced: fx.GraphModule, scopes: dict[str, str]) -> None:
    rewriter = Rewriter(traced, scopes)
    record_normalization(rewriter)
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op == "call_module":
            _module(rewriter, node, modules[str(node.target)])
        elif node.op in ("call_function", "call_method"):
            rewrite_call(rewriter, node)
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


def _unsupported(rewriter: Rewriter, node: fx.Node) -> CrqError:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    remedy = _remedy(str(name))
    if str(name).strip("_") in ("mul", "sub", "truediv", "div") and len(node.all_input_nodes) == 1:
        remedy = "scaling and shifting by constants belong in front of the first layer, or into a batch norm"
    return CrqError(f"operation {name!r} {rewriter.where(node)} is not supported" + (f": {remedy}" if remedy else ""))


def _remedy(name: str) -> str:
    return _REMEDIES.get(name.lower().replace("_", ""), "")


def _module(rewriter: Rewriter, node: fx.Node, module: nn.Module) -> None:
    name = str(node.target)
    if isinstance(module, Preprocess):
        return
    if isinstance(module, nn.Identity):
        rewriter.drop(node)
        return
    if type(module) not in SUPPORTED and not is_dropout(module):
        remedy = _remedy(type(module).__name__)
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
        rebind(node)
        setattr(module, "inplace", False)  # noqa: B010, the union of modules has no such attribute for mypy
    if isinstance(module, (nn.Conv1d, nn.Conv2d)) and module.padding_mode != "zeros":
        raise CrqError(f"layer {name!r} pads with {module.padding_mode!r}; only padding_mode='zeros' is supported")
    if isinstance(module, NORMS) and module.running_mean is None:
        raise CrqError(f"batch norm {name!r} keeps no running statistics; use track_running_stats=True")
    if isinstance(module, nn.Flatten) and (module.start_dim != 1 or module.end_dim != -1):
        raise CrqError(f"module {name!r} must flatten dimensions 1 to -1, not {module.start_dim} to {module.end_dim}")
    if isinstance(module, (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)) and not is_one(module.output_size):
        raise CrqError(
            f"module {name!r} pools to {module.output_size}; only a global average (output size 1) is supported"
        )
