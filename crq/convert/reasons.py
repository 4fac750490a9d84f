"""Why modules and operations have no place in a network of integers, and what to use instead."""

from __future__ import annotations

_ACTIVATION = "it has no integer form here; use ReLU, LeakyReLU, SiLU or another of docs/training.md"
_NORM = "it divides each image by a statistic of its own, which needs multipliers; use batch norm, which is constant"
_PRODUCT = "activation × activation (as in {}) needs multipliers; use a block without {}"

# By the name of the module or function, in lower case and without underscores.
REASONS: dict[str, str] = {
    **dict.fromkeys(("logsigmoid", "threshold", "hardshrink", "softshrink", "tanhshrink", "rrelu", "glu"), _ACTIVATION),
    **dict.fromkeys(("softmax", "logsoftmax"), "return the scores, and train with cross_entropy"),
    **dict.fromkeys(("mul", "imul", "multiply"), _PRODUCT.format("squeeze-excite gates", "the gate")),
    **dict.fromkeys(
        ("matmul", "bmm", "einsum", "baddbmm", "scaleddotproductattention", "multiheadattention"),
        _PRODUCT.format("attention", "it"),
    ),
    **dict.fromkeys(
        ("layernorm", "groupnorm", "instancenorm", "instancenorm1d", "instancenorm2d", "rmsnorm", "localresponsenorm"),
        _NORM,
    ),
    **dict.fromkeys(
        ("lstm", "gru", "lstmcell", "grucell"),
        "the gates of a recurrence multiply activations; use convolutions over time",
    ),
    "unflatten": "of a vector nothing makes a map: end an encoder with a convolution over its whole map, whose "
    "1 × 1 result a ConvTranspose2d takes",
    **dict.fromkeys(("rnn", "rnncell"), "a step waits for the one before; use convolutions over time"),
}


def remedy(name: str) -> str:
    """The reason and the way out for a module or operation called `name`; empty if there is none to give."""
    if name.startswith("Parametrized"):
        return "its weights are computed; torch.nn.utils.parametrize.remove_parametrizations makes it a plain layer"
    return REASONS.get(name.lower().replace("_", ""), "")
