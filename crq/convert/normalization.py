"""Finds a constant normalization at the front of a traced network and makes one module of it, the host's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn

from crq.convert.arithmetic import ARITHMETIC
from crq.convert.preprocessing import Preprocess
from crq.convert.rewriter import Rewriter
from crq.errors import CrqError

_FLOAT = ("float", "contiguous")


def is_normalization(module: nn.Module) -> bool:
    """Whether `module` is a Normalize of torchvision's kind: (x - mean) / std, both of one number per channel."""
    return type(module).__name__ == "Normalize" and hasattr(module, "mean") and hasattr(module, "std")


def record_normalization(rewriter: Rewriter) -> None:
    """Replace the constant arithmetic between the network's input and its first layer by one `Preprocess`.

    Constants are numbers, buffers and tensors, and parameters that ask for no gradient. Raises `CrqError` for constants
    that are not finite or divide by zero. What else stands there is left as it is.
    """
    placeholders = [node for node in rewriter.graph.nodes if node.op == "placeholder"]
    if len(placeholders) != 1:
        return
    steps: list[tuple[str, Tensor]] = []
    node, chain = placeholders[0], []
    while (found := _step(rewriter, node)) is not None:
        node, new = found
        chain.append(node)
        steps += new
    if not steps:
        return
    for kind, constant in steps:
        if not bool(torch.isfinite(constant).all()) or (kind in ("Mul", "Div") and not bool((constant != 0).all())):
            raise CrqError(
                f"the normalization {rewriter.where(node)} has a constant that is not finite, or a factor or divisor 0"
            )
    rewriter.put(node, placeholders[0], Preprocess(steps))
    for left in reversed(chain[:-1]):
        rewriter.graph.erase_node(left)
    rewriter.graph.eliminate_dead_code()  # what the constants were made of


def _step(rewriter: Rewriter, node: fx.Node) -> tuple[fx.Node, list[tuple[str, Tensor]]] | None:
    """The only reader of `node` with the steps that it is, or None."""
    readers = [user for user in node.users if user.op != "call_method" or user.target != "size"]
    if len(readers) != 1 or (node.op != "placeholder" and len(node.users) != 1):
        return None
    user = readers[0]
    if user.op == "call_module":
        module = rewriter.traced.get_submodule(str(user.target))
        return (user, list(_normalize(module))) if is_normalization(module) else None
    if user.op == "call_method" and user.target in _FLOAT and len(user.args) == 1:
        return user, []
    kind = ARITHMETIC.get(user.target) if user.op in ("call_function", "call_method") else None
    if kind in (None, "Neg") or len(user.args) != 2 or user.kwargs:
        return None
    first = user.args[0] is node
    constant = _constant(rewriter, user.args[1] if first else user.args[0])
    if constant is None or (not first and kind == "Div"):
        return None
    if not first:
        kind = {"Sub": "RSub", "RSub": "Sub"}.get(kind, kind)
    return user, [(kind, constant)]


def _normalize(module: Any) -> Iterator[tuple[str, Tensor]]:
    for kind, values in (("Sub", module.mean), ("Div", module.std)):
        constant = torch.as_tensor(values, dtype=torch.float32).detach()
        yield kind, constant.reshape(-1, 1, 1) if constant.dim() == 1 else constant


def _constant(rewriter: Rewriter, value: Any) -> Tensor | None:
    """The value of an operand that does not depend on the input, or None; what asks for a gradient is none."""
    found = _evaluate(rewriter.traced, value)
    if isinstance(found, bool) or not isinstance(found, int | float | Tensor):
        return None
    tensor = torch.as_tensor(found)
    return None if tensor.requires_grad or tensor.is_complex() else tensor.to(torch.float32)


def _evaluate(traced: fx.GraphModule, value: Any) -> Any:
    if not isinstance(value, fx.Node):
        plain = isinstance(value, int | float | Tensor | slice | type(None) | type(...))
        return value if plain else _each(traced, value)
    if value.op == "get_attr":
        found: Any = traced
        for part in str(value.target).split("."):
            found = getattr(found, part)
        return found
    if value.op not in ("call_function", "call_method"):
        return NotImplemented
    arguments = [_evaluate(traced, argument) for argument in value.args]
    if any(argument is NotImplemented for argument in arguments) or value.kwargs or not arguments:
        return NotImplemented
    if value.op == "call_method":
        return getattr(arguments[0], str(value.target))(*arguments[1:])
    return value.target(*arguments)  # type: ignore[operator]


def _each(traced: fx.GraphModule, values: Any) -> Any:
    if not isinstance(values, tuple | list):
        return NotImplemented
    found = [_evaluate(traced, value) for value in values]
    return NotImplemented if any(value is NotImplemented for value in found) else type(values)(found)
