"""A user's module as a torch.fx graph of supported modules only.

Functional calls become modules (F.relu → nn.ReLU), so does a constant normalization of the input, identities vanish,
dropout stays for training, and whatever cannot be expressed is refused with the name of the module it stands in.
"""

from __future__ import annotations

import inspect
import operator
from typing import Any

import torch
from torch import Tensor, fx, nn

from crq.convert.arithmetic import scaling
from crq.convert.calls import is_one, pool_to, rewrite_call
from crq.convert.moves import MOVES, gather_moves, is_move
from crq.convert.normalization import record_normalization
from crq.convert.preprocessing import Preprocess
from crq.convert.reasons import remedy
from crq.convert.resampling import upsample
from crq.convert.rewriter import Rewriter, name_of, rebind
from crq.convert.supported import ADAPTIVE, NORMS, PADS, SUMS, SUPPORTED, UPSAMPLES, is_dropout
from crq.convert.tracer import NamingTracer, ShapedTracer
from crq.errors import CrqError


def trace(model: nn.Module, example_input: Tensor | None = None) -> fx.GraphModule:
    """Trace `model` (changed in place) and normalise its graph; raises `CrqError` naming what is not supported.

    example_input: with it the model's Python code may depend on the shapes of values, other than the batch size.
    """
    _refuse_several_inputs(model, example_input)
    _split_fused_norms(model)
    tracer = NamingTracer() if example_input is None else ShapedTracer(example_input)
    graph = tracer.trace(model)
    # For whoever pickles the result: a tracer with shapes would ask for an example, and annotations that are text
    # (from __future__ import annotations) are no names to import.
    graph._tracer_cls = NamingTracer
    for node in graph.nodes:
        node.type = None
    traced = fx.GraphModule(model, graph, type(model).__name__)
    scopes = {node.name: path for node, path in tracer.scopes.items()}
    if isinstance(tracer, ShapedTracer) and tracer.fixed:
        traced.meta["image_shape"] = tuple(tracer.image_shape)
    _normalise(traced, scopes)
    return traced


def _refuse_several_inputs(model: nn.Module, example_input: Any) -> None:
    parameters = inspect.signature(model.forward).parameters.values()
    needed = [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1 or isinstance(example_input, tuple | list):
        raise CrqError(
            f"the model takes the inputs {', '.join(needed)}; crq.prepare takes a model of one tensor. Train one of "
            "several with Brevitas and export QONNX, which crq builds (examples/image_and_table); or join inputs of "
            "one size as channels, torch.cat([a, b], 1), and slice them in forward: x[:, :3], x[:, 3:]"
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
    _refuse_hopeless(rewriter)
    _refuse_lost_axis(rewriter)
    gather_moves(rewriter)
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op == "call_module":
            _module(rewriter, node, modules[str(node.target)])
        elif node.op in ("call_function", "call_method"):
            rewrite_call(rewriter, node)
        elif node.op == "placeholder" and (node.args or not node.users):
            raise CrqError(f"the model's input {node.target!r} is optional or unused; expected one tensor input")
        elif node.op == "output" and not isinstance(node.args[0], fx.Node):
            raise CrqError(
                "the model must return one tensor, the logits, not a tuple, list or dictionary: let one last layer "
                "give the scores of all, nn.Linear(n, a + b), and split them outside"
            )
    if sum(node.op == "placeholder" for node in traced.graph.nodes) != 1:
        raise CrqError("the model must take exactly one tensor input")
    traced.graph.eliminate_dead_code()
    for node in traced.graph.nodes:
        if node.op == "get_attr":
            raise CrqError(
                f"tensor {node.target!r} is used as a value {rewriter.where(node)}; only layers may hold constants: "
                "what is added per channel belongs into the bias of the layer before, or into a batch norm"
            )
        if node.op == "call_method" or (node.op == "call_function" and node.target not in (*SUMS, torch.cat)):
            raise _unsupported(rewriter, node)
        if node.op == "call_function":
            kind = {operator.add: "add", operator.sub: "sub"}.get(node.target, "cat")
            scope = scopes.get(node.name, "")
            traced.meta.setdefault("names", {})[node.name] = f"{scope}.{kind}" if scope else kind
    traced.delete_all_unused_submodules()
    traced.graph.lint()
    traced.recompile()


def _refuse_hopeless(rewriter: Rewriter) -> None:
    """First of all what no spelling could save: what else is wrong may be of its making."""
    for node in rewriter.graph.nodes:
        if node.op == "call_module" and remedy(name_of(node)):
            raise _unsupported_module(node)
        elif node.op in ("call_function", "call_method") and _hopeless(node):
            raise _unsupported(rewriter, node)


def _refuse_lost_axis(rewriter: Rewriter) -> None:
    """Scores (N,) that a regressor made of (N, 1) at its end."""
    last = next(node for node in rewriter.graph.nodes if node.op == "output").args[0]
    if isinstance(last, fx.Node) and is_move(last) and _loses_axis(last):
        raise CrqError(
            f"{name_of(last)!r} {rewriter.where(last)} takes away the axis of the scores: return them as the last "
            "layer gives them, (N, 1), and drop the axis in the loss, as mse_loss(model(x)[:, 0], y)"
        )


def _loses_axis(node: fx.Node) -> bool:
    if "shapes" in node.meta:
        return len(node.meta["shapes"][0]) < 2
    given = node.args[1:] if not node.kwargs else tuple(node.kwargs.values())
    lost = {"squeeze": ((), (-1,), (1,)), "view": ((-1,),), "reshape": ((-1,),), "flatten": ((),)}
    return given in lost.get(name_of(node), ())


def _hopeless(node: fx.Node) -> bool:
    return "plain" not in node.meta and bool(remedy(name_of(node))) and scaling(node) is None


def _unsupported(rewriter: Rewriter, node: fx.Node) -> CrqError:
    name = name_of(node)
    reason = remedy(name)
    if name.strip("_") in ("add", "mul", "imul", "sub", "truediv", "div") and any(map(_is_constant, node.args)):
        reason = "only numbers are constants here; a factor per channel belongs into a batch norm"
    elif is_move(node):
        reason = f"{MOVES}; do another reordering to the images before they reach the network"
    reason = reason or "docs/training.md lists the layers and operations that are"
    return CrqError(f"operation {name!r} {rewriter.where(node)} is not supported: {reason}")


def _is_constant(argument: object) -> bool:
    return not isinstance(argument, fx.Node) or argument.op == "get_attr"


def _unsupported_module(node: fx.Node) -> CrqError:
    reason = remedy(name_of(node))
    supported = ", ".join(kind.__name__ for kind in SUPPORTED if kind.__module__.startswith("torch"))
    return CrqError(
        f"module {str(node.target)!r} ({name_of(node)}) is not supported"
        + (f": {reason}" if reason else f"; supported are {supported}, dropout, additions and concatenations")
    )


def _module(rewriter: Rewriter, node: fx.Node, module: nn.Module) -> None:
    name = str(node.target)
    if isinstance(module, Preprocess):
        return
    if isinstance(module, nn.Identity):
        rewriter.drop(node)
        return
    if type(module) not in SUPPORTED and not is_dropout(module):
        raise _unsupported_module(node)
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
        raise CrqError(
            f"layer {name!r} pads with {module.padding_mode!r}, image pixels again, for which the hardware has no "
            "circuit; it pads with zeros: use padding_mode='zeros' and train with that"
        )
    if isinstance(module, NORMS) and module.running_mean is None:
        raise CrqError(f"batch norm {name!r} keeps no running statistics; use track_running_stats=True")
    if isinstance(module, nn.Flatten) and (module.start_dim != 1 or module.end_dim != -1):
        raise CrqError(f"module {name!r} must flatten dimensions 1 to -1, not {module.start_dim} to {module.end_dim}")
    if isinstance(module, PADS) and min(module.padding) < 0:
        raise CrqError(
            f"layer {name!r} ({type(module).__name__}) pads by {tuple(module.padding)}: it cuts pixels off; cut them "
            "with a slice, x[:, :, 1:-1], in the model's forward"
        )
    if isinstance(module, UPSAMPLES):
        found = upsample(rewriter, node, node.all_input_nodes[0], module.size, module.scale_factor, module.mode)
        rewriter.put(node, node.all_input_nodes[0], found)
    if isinstance(module, ADAPTIVE):
        maximum = isinstance(module, (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d))
        if maximum or not is_one(module.output_size):
            pool_to(rewriter, node, node.all_input_nodes[0], module.output_size, maximum)
