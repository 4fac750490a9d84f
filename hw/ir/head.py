"""What the host does with the network's scores: softmax, argmax and the like (metadata `crq.output.head`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


VALUES, INDICES, BOTH = 0, 1, 2
"""Which results of a TopK the file gives."""


class HostOperation(NamedTuple):
    """On scores x (N, C, …), class by class along axis 1: what it gives, and its Python lines for host.py."""

    do: Callable[..., Array]
    source: str


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))


def _argmax(x: Array, keepdims: int = 1) -> Array:
    return np.asarray(np.argmax(x, 1, keepdims=True) if keepdims else np.argmax(x, 1))


def _top_k(x: Array, k: int = 1, largest: int = 1, output: int = VALUES) -> Any:
    """The scores, their indices or both, best first; of equal scores the first."""
    places = np.argsort(-x if largest else x, 1, kind="stable")[:, :k]
    values = np.take_along_axis(x, places, 1)
    return {VALUES: values, INDICES: places}.get(output, (values, places))


HEADS: dict[str, HostOperation] = {
    "Softmax": HostOperation(_softmax, "x = np.exp(x - x.max(1, keepdims=True))\n    x = x / x.sum(1, keepdims=True)"),
    "LogSoftmax": HostOperation(
        _log_softmax,
        "x = x - x.max(1, keepdims=True)\n    x = x - np.log(np.exp(x).sum(1, keepdims=True))",
    ),
    "ArgMax": HostOperation(_argmax, "x = np.argmax(x, 1, keepdims={keepdims})"),
    "TopK": HostOperation(
        _top_k,
        'places = np.argsort({sign}x, 1, kind="stable")[:, :{k}]\n    values = np.take_along_axis(x, places, 1)\n'
        "    x = {given}",
    ),
    "Sigmoid": HostOperation(lambda x: 1 / (1 + np.exp(-x)), "x = 1 / (1 + np.exp(-x))"),
    "Tanh": HostOperation(np.tanh, "x = np.tanh(x)"),
    "Relu": HostOperation(lambda x: np.maximum(x, 0), "x = np.maximum(x, 0)"),
}

INDEX = "Index"
"""What no file says: the hardware gives the index of the greatest score (crq.hw.read.passes.argmax_last)."""


def _index(x: Array, keepdims: int = 1) -> Array:
    return x.astype(np.int64) if keepdims else x[:, 0].astype(np.int64)


HOST: dict[str, HostOperation] = {
    **HEADS,
    INDEX: HostOperation(_index, "x = x.astype(np.int64){first}"),
}
"""What the host may do."""

Head = tuple[tuple[str, dict[str, int]], ...]
"""Operations in order, each with what it is told."""


def finished(head: Head, scores: Array) -> Any:
    """What the file gives for its scores (N, C, …): float32, indices int64, or of a TopK both."""
    for kind, told in head:
        scores = HOST[kind].do(scores, **told)
    return scores


def head_source(head: Head) -> str:
    """Python lines that turn the scores x into what the file gives."""
    lines = []
    for kind, told in head:
        facts: dict[str, Any] = {"keepdims": bool(told.get("keepdims", 1)), "k": told.get("k", 1)}
        facts["first"] = "" if facts["keepdims"] else "[:, 0]"
        facts["sign"] = "-" if told.get("largest", 1) else ""
        facts["given"] = ("values", "places", "values, places")[told.get("output", VALUES)]
        lines.append(f"    {HOST[kind].source.format(**facts)}\n")
    return "".join(lines)
