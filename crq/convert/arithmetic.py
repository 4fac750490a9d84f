"""Calls that add, subtract, multiply and divide: of two activations, or of one and a number."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx

from crq.convert.rewriter import Rewriter, rebind
from crq.convert.scaled import Scaled
from crq.errors import CrqError

ARITHMETIC: dict[Any, str] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_", "__iadd__"), "Add"),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub, torch.subtract, "sub", "sub_", "subtract"), "Sub"),
    **dict.fromkeys((torch.rsub, "rsub"), "RSub"),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, torch.multiply, "mul", "mul_", "multiply"), "Mul"),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div, torch.divide, "div", "div_", "divide"), "Div"),
    **dict.fromkeys((operator.neg, torch.neg, torch.negative, "neg", "neg_", "negative"), "Neg"),
}
"""By function or method, what it computes."""
_IN_PLACE = (operator.iadd, operator.isub, operator.imul, operator.itruediv, "__iadd__")


def scaling(node: fx.Node) -> Scaled | None:
    """What a call does to one activation with one number; None where it does anything else."""
    kind = ARITHMETIC.get(node.target) if node.op in ("call_function", "call_method") else None
    if kind is None or node.kwargs:
        return None
    if kind == "Neg":
        return Scaled("Mul", -1.0)
    numbers = [a for a in node.args if isinstance(a, int | float) and not isinstance(a, bool)]
    if len(node.args) != 2 or len(numbers) != 1:
        return None
    if node.args[0] is numbers[0]:
        if kind == "Div":
            return None
        kind = {"Sub": "RSub", "RSub": "Sub"}.get(kind, kind)
    return None if kind == "Div" and numbers[0] == 0 else Scaled(kind, float(numbers[0]))


def rewrite_arithmetic(rewriter: Rewriter, node: fx.Node) -> None:
    """Replace a call of `ARITHMETIC` by a module, or by operator.add or sub of two activations; leave products."""
    found = scaling(node)
    in_place = node.target in _IN_PLACE or (isinstance(node.target, str) and node.target.endswith("_"))
    if found is not None:
        if in_place:
            rebind(node)
        rewriter.put(node, node.all_input_nodes[0], found)
        return
    kind, operands = ARITHMETIC[node.target], list(node.args)
    if kind not in ("Add", "Sub", "RSub"):
        return  # refused with its reason
    if len(operands) != 2 or node.kwargs or not all(isinstance(operand, fx.Node) for operand in operands):
        raise CrqError(
            f"{node.name!r} {rewriter.where(node)} must join two activations, or one and a number, without a factor"
        )
    if in_place:
        rebind(node)
    if kind == "RSub":
        node.args = (operands[1], operands[0])
    node.op, node.target = "call_function", operator.add if kind == "Add" else operator.sub
