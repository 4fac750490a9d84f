"""A file as its own float32 execution sees it, against the integer graph: what differs, and which ties explain it.

Files with general scales have no exact meaning in float32 (design §2.13), so these differences are counted, not errors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from hw.graph import Network
from hw.layers import IntArray, Threshold
from hw.preprocessing import to_values


class FloatExecution(NamedTuple):
    """Output integers of the file in float32 (qonnx) that are not the integer graph's."""

    images: int
    integers: int
    differing: int
    images_differing: int
    images_explained: int
    """Differing images in which a sum sits next to a threshold of a channel listed as a tie."""

    def __str__(self) -> str:
        text = f"the file's own float32 execution: {self.differing:,} of {self.integers:,} integers differ"
        if not self.differing:
            return f"{text}, {self.images:,} images"
        return f"{text}, in {self.images_differing:,} of {self.images:,} images, {self.images_explained:,} with a tie"


def float_execution(file: Path, network: Network, codes: IntArray, expected: dict[str, IntArray]) -> FloatExecution:
    """Run `file` on the input values of `codes` (N, C, H, W); `expected` are the integer graph's values by layer."""
    model = ModelWrapper(one_image(onnx.load(file))).transform(InferShapes())
    constants = {i.name for i in model.graph.initializer}
    given = next(i for i in model.graph.input if i.name not in constants)
    dims = [d.dim_value for d in given.type.tensor_type.shape.dim][1:]
    result = model.graph.output[0].name
    found = []
    for value in to_values(network, codes):
        x = np.moveaxis(value, 0, -1) if network.model.get_metadata_prop("crq.input.layout") else value
        found.append(execute_onnx(model, {given.name: x.reshape(1, *dims).astype(np.float32)})[result].reshape(-1))
    scale, offset = (np.asarray(v, np.float64) for v in (network.output_scale, network.output_offset))
    last = expected[network.layers[-1].name].reshape(len(codes), -1)
    wrong = np.rint((np.stack(found) - offset) / scale) != last
    images = wrong.any(axis=1)
    explained = images & _next_to_a_tie(network, expected, len(codes))
    return FloatExecution(len(codes), wrong.size, int(wrong.sum()), int(images.sum()), int(explained.sum()))


def one_image(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model`, changed in place: batch size 1, no other declared shapes."""
    constants = {i.name for i in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in constants:
            value.type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    return model


def _next_to_a_tie(network: Network, expected: dict[str, IntArray], images: int) -> NDArray[np.bool_]:
    """(images,): a sum in a listed channel is the smallest that reaches a threshold, or the largest that does not."""
    ties = json.loads(network.model.get_metadata_prop("crq.ties") or "{}")
    touched = np.zeros(images, bool)
    for layer in network:
        producer = network.producer(layer.input) if isinstance(layer, Threshold) else None
        if not isinstance(layer, Threshold) or producer is None:
            continue
        for channel in ties.get(layer.name, []):
            sums = expected[producer.name][:, channel].reshape(images, -1, 1)
            edges = layer.thresholds[channel % len(layer.thresholds)]
            touched |= ((sums == edges) | (sums == edges - 1)).any(axis=(1, 2))
    return touched
