"""A file as its own float32 execution sees it, against the integer graph: what differs, and which ties explain it.

Files with general scales have no exact meaning in float32 (design §2.13), so these differences are counted, not errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from crq.hw.ir.graph import Network
from crq.hw.ir.layers import IntArray, Threshold
from crq.hw.verify.float64.evaluable import evaluable, file_images, file_inputs, file_result, results_of
from crq.hw.verify.float64.evaluate import Float64File
from crq.hw.verify.link import Link, ends, output_integers

NAME = "the file's own float32 execution"


def float_execution(file: Path, network: Network, codes: IntArray, expected: dict[str, IntArray]) -> Link:
    """Run `file` on the input values of `codes` (N, C, H, W); `expected` are the integer graph's values by layer.

    `explained` counts the differing images in which a sum sits next to a threshold of a channel listed as a tie.
    """
    proto = onnx.load(file)
    results = results_of(network)
    model = evaluable(proto, TensorProto.FLOAT, results)
    names = [given.name for given in file_inputs(model)]
    feeds = [
        {name: value.astype(np.float32) for name, value in zip(names, image, strict=True)}
        for image in file_images(model, network, codes)
    ]
    first = [value.astype(np.float64) for value in feeds[0].values()]
    shaped = _with_shapes(model, Float64File(proto, results).run(*first))
    wrong = np.concatenate(_wrong(network, shaped, feeds, expected), axis=1)
    differing = wrong.any(axis=1)
    explained = int((differing & _next_to_a_tie(network, expected, len(codes))).sum())
    return Link(
        NAME, len(codes), wrong.size, int(wrong.sum()), images_differing=int(differing.sum()), explained=explained
    )


def described(link: Link) -> str:
    """The comparison in words."""
    text = f"{link.name}: {link.differing:,} of {link.integers:,} integers differ"
    if link.equal:
        return f"{text}, {link.images:,} images"
    return f"{text}, in {link.images_differing:,} of {link.images:,} images, {link.explained:,} with a tie"


def facts(link: Link) -> dict[str, Any]:
    """The comparison for JSON."""
    return {
        "images": link.images,
        "integers": link.integers,
        "differing": link.differing,
        "images_differing": link.images_differing,
        "images_explained": link.explained,
    }


def _wrong(
    network: Network, model: ModelWrapper, feeds: Sequence[dict[str, NDArray[Any]]], expected: dict[str, IntArray]
) -> list[NDArray[np.bool_]]:  # fmt: skip
    """(images, integers) of each output of the network: which differ."""
    results = [execute_onnx(model, feed) for feed in feeds]
    found = []
    for layer, scores in ends(network).items():
        pairs = zip(results, expected[layer], strict=True)
        have = [output_integers(network, scores, file_result(model.model, scores, r), want) for r, want in pairs]
        found.append((np.stack(have) != expected[layer]).reshape(len(feeds), -1))
    return found


def _with_shapes(model: ModelProto, values: Mapping[str, Any]) -> ModelWrapper:
    """qonnx executes only what has shapes, and infers none behind its channels-last operators: those of `values`."""
    wrapper = ModelWrapper(model)
    for name in [name for node in model.graph.node for name in node.output]:
        value = values[name]
        element = TensorProto.FLOAT if value.dtype == np.float64 else helper.np_dtype_to_tensor_dtype(value.dtype)
        wrapper.set_tensor_shape(name, value.shape, element)
    return wrapper


def _next_to_a_tie(network: Network, expected: dict[str, IntArray], images: int) -> NDArray[np.bool_]:
    """(images,): a sum in a listed channel is the smallest that reaches a threshold, or the largest that does not."""
    ties = network.metadata.ties
    touched = np.zeros(images, bool)
    for layer in network:
        producer = network.producer(layer.input) if isinstance(layer, Threshold) else None
        if not isinstance(layer, Threshold) or producer is None:
            continue
        for channel in ties.get(layer.name, []):
            sums = expected[producer.name][:, channel].reshape(images, -1, 1)
            edges = np.append(layer.row(channel), np.iinfo(np.int64).max)
            place = np.searchsorted(edges, sums)  # the first edge at or above a sum
            touched |= ((sums == edges[place]) | (sums == edges[place] - 1)).any(axis=(1, 2))
    return touched
