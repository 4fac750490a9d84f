"""A file evaluated in float64, node by node, by onnx's reference evaluator: what its integer graph must mean (§2.13).

Nothing of the reader takes part but its record of which layer is which tensor, so what the reader gets wrong shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto
from onnx.reference import ReferenceEvaluator

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import IntArray
from crq.hw.ir.metadata import FileTensor
from crq.hw.ir.ports import apart
from crq.hw.verify.float64.evaluable import evaluable, file_images, file_inputs, file_result, results_of
from crq.hw.verify.float64.operators import OPERATORS
from crq.hw.verify.float64.ties import BOUNDARIES, boundaries, undecided
from crq.hw.verify.link import Link, compare_layers, ends, output_integers


class Float64File:
    """The model's float32 constants, casts and tensors as float64; `run` gives every tensor for one image."""

    def __init__(self, model: ModelProto, results: Sequence[str] = ()) -> None:
        self.model = evaluable(model, TensorProto.DOUBLE, results)
        inputs = file_inputs(self.model)
        self.shapes = {i.name: tuple(d.dim_value for d in i.type.tensor_type.shape.dim) for i in inputs}
        try:
            self._evaluator = ReferenceEvaluator(self.model, new_ops=list(OPERATORS))  # it appends its own to the list
        except NotImplementedError as error:
            raise HwError(f"onnx's reference evaluator cannot run the file in float64: {error}") from error

    def run(self, *images: NDArray[np.float64]) -> dict[str, Any]:
        """Every tensor by name, for an image of each input."""
        feed = {name: x.reshape(shape) for (name, shape), x in zip(self.shapes.items(), images, strict=True)}
        return dict(self._evaluator.run(None, feed, intermediate=True))


class Match(NamedTuple):
    """A layer (or the input) of the integer graph whose codes a quantizer of the file gives."""

    layer: str
    source: FileTensor


def float64_link(file: Path, network: Network, codes: IntArray, expected: dict[str, IntArray]) -> Link:
    """`file` in float64 against `expected`, the integer graph's values by layer: its quantizers, and the output.

    A code may differ where float64 does not decide it (ties.py); what follows in that image is not compared,
    and the link's name counts such images.
    """
    model = Float64File(onnx.load(file), results_of(network))
    quantizers = boundaries(model.model)
    matches = _matches(model.model, quantizers, network)
    last = ends(network)
    parts = apart(network.inputs, codes)
    found: dict[str, list[IntArray]] = {}
    left = 0
    for image, given in enumerate(file_images(model.model, network, codes)):
        values = model.run(*given)
        want = {tensor.name: part[image] for tensor, part in zip(network.inputs, parts, strict=True)}
        want |= {name: of_layer[image] for name, of_layer in expected.items()}
        have, tied = _quantized(quantizers, matches, values, want)
        for name, scores in last.items():
            result = file_result(model.model, scores, values)
            have[name] = want[name] if tied else output_integers(network, scores, result, want[name])
        for name, integers in have.items():
            found.setdefault(name, []).append(integers)
        left += tied
    name = "the file in float64 = integer graph" + (f" ({left} images up to an undecided code)" if left else "")
    stacked = {layer: np.stack(images) for layer, images in found.items()}
    recorded = [layer.name for layer in network if layer.name in network.metadata.sources]
    return compare_layers(network, name, expected, stacked, {*recorded, *last})


def _quantized(
    quantizers: list[NodeProto], matches: dict[str, Match], values: dict[str, Any], want: dict[str, IntArray]
) -> tuple[dict[str, IntArray], bool]:
    """The file's codes of one image by layer, the wanted ones from the first undecided code on; and if there is one."""
    found, tied = {}, False
    for node in quantizers:
        unsure = undecided(node, values)
        match = matches.get(node.output[0])
        if match is None:
            tied |= bool(unsure.any())
            continue
        layer, source = match
        codes = source.codes(values[source.tensor]).reshape(want[layer].shape)
        unsure = source.channels_first(unsure).reshape(want[layer].shape)
        found[layer] = want[layer] if tied else np.where(unsure, want[layer], codes)
        tied |= bool((unsure & (codes != want[layer])).any())
    return found, tied


def _matches(model: ModelProto, quantizers: list[NodeProto], network: Network) -> dict[str, Match]:
    """By the result of a node of `quantizers`: that is the source itself, or one that the source scales back."""
    producers = {name: node for node in model.graph.node for name in node.output}
    known = {node.output[0] for node in quantizers}
    layers = {*(tensor.name for tensor in network.inputs), *(layer.name for layer in network)}
    found = {}
    for layer, source in network.metadata.sources.items():
        node = producers.get(source.tensor)
        while node is not None and node.op_type not in BOUNDARIES:
            node = producers.get(node.input[0])
        if layer in layers and node is not None and node.output[0] in known:
            found[node.output[0]] = Match(layer, source)
    return found
