"""Features last: where a network holds (N, points, features), as linear layers that points share read it.

A value is *last* where the graph has its features on the last axis. The integers are channels first everywhere, so
that transpositions between the two orders move nothing; what reads a value in the other order than it has is refused.
"""

from __future__ import annotations

from torch import fx, nn

from crq.convert.preprocessing import Preprocess
from crq.convert.scaled import Scaled
from crq.convert.supported import NONLINEAR, SUMS, is_dropout
from crq.convert.transposed import Transposed
from crq.errors import CrqError
from crq.quant.quantizers import ActQuant


def find_last(model: fx.GraphModule) -> set[fx.Node]:
    """The nodes of a prepared `model` with shapes (`infer_shapes`) whose features are last; raises naming the layer."""
    last: set[fx.Node] = set()
    for node in model.graph.nodes:
        if _is_last(model, node, last):
            last.add(node)
    return last


def takes_last(model: fx.GraphModule) -> bool:
    """Whether a prepared `model` with shapes takes its input as (N, points, features)."""
    return any(node.op == "placeholder" for node in find_last(model))


def _is_last(model: fx.GraphModule, node: fx.Node, last: set[fx.Node]) -> bool:
    if node.op == "placeholder":
        return _rank(node) > 2 and bool(_wanted(model, node))
    found = [x in last for x in node.all_input_nodes]
    module = _module(model, node)
    if isinstance(module, nn.Linear):
        if _rank(node) > 2 and not found[0]:
            raise CrqError(
                f"layer {node.target!r} (Linear) reads (N, channels, …) of shape {_shape(node.all_input_nodes[0])}, so "
                "that it would mix positions: transpose it first (x.transpose(1, 2)), flatten it, or use a Conv1d"
            )
        return _rank(node) > 2
    if isinstance(module, Transposed):
        if _rank(node) > 3 and module.to_first != found[0]:
            raise CrqError(f"{node.target!r} permutes by {module.axes} what is not in that order")
        return not found[0]
    if node.op == "output":
        if any(found):
            raise CrqError(
                "the network ends with scores of shape (N, points, classes): return x.transpose(1, 2), classes first, "
                "as cross_entropy takes them"
            )
        return False
    if len(set(found)) > 1:
        raise CrqError(f"sum {node.name!r} joins (N, points, features) and (N, channels, …): transpose one of them")
    if found[0] and not (_keeps(module) or isinstance(module, nn.Flatten) or node.target in SUMS):
        name = node.target if node.op == "call_module" else node.name
        raise CrqError(
            f"layer {name!r} reads (N, points, features) of shape {_shape(node.all_input_nodes[0])} and would take the "
            "points for channels: transpose before it (x.transpose(1, 2)) and back behind it"
        )
    return found[0] and not isinstance(module, nn.Flatten)


def _wanted(model: fx.GraphModule, node: fx.Node) -> bool | None:
    """Whether the first readers that depend on the order take `node` features last; None where there are none."""
    for user in node.users:
        module = _module(model, user)
        if isinstance(module, Transposed):
            found = _wanted(model, user)
            found = None if found is None else not found
        elif _keeps(module) or user.target in SUMS:
            found = _wanted(model, user)
        else:
            found = isinstance(module, nn.Linear)
        if found is not None:
            return found
    return None


def _keeps(module: nn.Module | None) -> bool:
    """Whether each value becomes another alone, so that the order of axes means nothing."""
    if isinstance(module, nn.PReLU):
        return module.num_parameters == 1
    plain = (ActQuant, Preprocess, Scaled, *NONLINEAR, nn.Dropout, nn.AlphaDropout)
    return isinstance(module, plain) or (
        module is not None and type(module).__name__ == "DropPath" and is_dropout(module)
    )


def _module(model: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return model.get_submodule(str(node.target)) if node.op == "call_module" else None


def _shape(node: fx.Node) -> tuple[int, ...]:
    return tuple(node.meta["shape"])


def _rank(node: fx.Node) -> int:
    return len(_shape(node))
