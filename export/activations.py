"""Activation functions as ONNX operators of opset 13: what is newer is spelled out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Node = Callable[..., str]
"""Writes an operator: (type, inputs, attributes) to the tensor of its result."""
Constant = Callable[..., str]
"""A tensor of the values, one number or one per channel; scalar: without dimensions."""
Spelling = Callable[..., str]


def _operator(op: str, *attributes: str) -> Spelling:
    def spell(node: Node, constant: Constant, x: str, *values: Sequence[float]) -> str:
        return node(op, x, **{key: value for key, (value,) in zip(attributes, values, strict=True)})

    return spell


def _gelu(node: Node, constant: Constant, x: str, root: Sequence[float]) -> str:
    share = node("Add", node("Erf", node("Mul", x, constant(root))), constant(1.0))
    return node("Mul", node("Mul", x, share), constant(0.5))


def _gelu_tanh(node: Node, constant: Constant, x: str, cubic: Sequence[float], root: Sequence[float]) -> str:
    cube = node("Pow", x, constant(3.0, scalar=True))
    inner = node("Mul", node("Add", x, node("Mul", cube, constant(cubic))), constant(root))
    return node("Mul", node("Mul", x, node("Add", node("Tanh", inner), constant(1.0))), constant(0.5))


SPELLINGS: dict[str, Spelling] = {
    "LeakyRelu": _operator("LeakyRelu", "alpha"),
    "PRelu": lambda node, constant, x, slope: node("PRelu", x, constant(slope)),
    "Clip": lambda node, constant, x, low, high: node("Clip", x, *(constant(end, scalar=True) for end in (low, high))),
    "HardSigmoid": _operator("HardSigmoid", "alpha", "beta"),
    "Sigmoid": _operator("Sigmoid"),
    "Softplus": _operator("Softplus"),
    "Tanh": _operator("Tanh"),
    "Softsign": _operator("Softsign"),
    "Elu": _operator("Elu", "alpha"),
    "Celu": _operator("Celu", "alpha"),
    "Selu": _operator("Selu", "alpha", "gamma"),
    "HardSwish": lambda node, constant, x, alpha, beta: node(
        "Mul", x, node("HardSigmoid", x, alpha=alpha[0], beta=beta[0])
    ),
    "Swish": lambda node, constant, x: node("Mul", x, node("Sigmoid", x)),
    "Gelu": _gelu,
    "GeluTanh": _gelu_tanh,
    "Mish": lambda node, constant, x: node("Mul", x, node("Tanh", node("Softplus", x))),
}
"""By kind, as `crq.convert.activations.FUNCTIONS` has them: (node, constant, x, the constants) to the result."""
