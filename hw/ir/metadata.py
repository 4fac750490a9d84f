"""Which tensor of the file each layer's codes are (metadata `crq.sources` of the integer graph)."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

KEY = "crq.sources"


class Source(NamedTuple):
    """A quantizer's result: value = code × scale, `scale` one number or one per channel."""

    tensor: str
    scale: float | list[float]
    layout: str
    """NCHW or NHWC, whatever the tensor's rank: where the file has its channels."""

    def channels_first(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.moveaxis(values, -1, 1) if self.layout == "NHWC" else values

    def codes(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Codes of the tensor's `values`, channels first."""
        first = self.channels_first(values)
        scale = np.asarray(self.scale, np.float64)
        return np.rint(first / (scale.reshape(-1, *[1] * (first.ndim - 2)) if scale.ndim else scale)).astype(np.int64)


def sources(model: ModelWrapper) -> dict[str, Source]:
    """By name of the layer, or of the graph's input."""
    recorded = json.loads(model.get_metadata_prop(KEY) or "{}")
    return {layer: Source(**facts) for layer, facts in recorded.items()}


def move_source(model: ModelWrapper, old: str, new: str) -> None:
    """The codes that layer `old` gave are now those of layer `new`."""
    recorded = json.loads(model.get_metadata_prop(KEY) or "{}")
    if old in recorded:
        recorded[new] = recorded.pop(old)
        model.set_metadata_prop(KEY, json.dumps(recorded))
