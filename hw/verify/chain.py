"""The chain of equality from the file on (design §2.11): integer graph, qonnx, C simulation; the first difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qonnx.core.onnx_exec import execute_onnx

from hw.ir.graph import Network
from hw.ir.interpret import evaluate
from hw.ir.layers import Flatten, IntArray, Mac, Threshold
from hw.project import Project

QONNX_IMAGES = 50
"""Images given to qonnx, which runs them one by one."""


class Difference(NamedTuple):
    """The first integer that differs: in network order, then image, channel, row, column."""

    layer: str
    image: int
    channel: int
    row: int
    column: int
    expected: int
    found: int
    accumulator: int | None
    """The sum that the layer's threshold read, where there is one."""

    def __str__(self) -> str:
        text = (
            f"layer {self.layer!r}, image {self.image}, channel {self.channel}, pixel ({self.row}, {self.column}): "
            f"expected {self.expected}, found {self.found}"
        )
        return text if self.accumulator is None else f"{text}; accumulator {self.accumulator}"


class Link(NamedTuple):
    """One comparison of the chain."""

    name: str
    images: int
    integers: int
    differing: int
    first: Difference | None = None

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {**self._asdict(), "first": self.first._asdict() if self.first else None}

    def __str__(self) -> str:
        if not self.differing:
            return f"equal    {self.name}: {self.images:,} images, {self.integers:,} integers"
        where = f"\n         first: {self.first}" if self.first else ""
        return f"DIFFERS  {self.name}: {self.differing:,} of {self.integers:,} integers{where}"


def layer_values(network: Network, codes: IntArray) -> dict[str, IntArray]:
    """Every layer's integers (N, C, H, W) by name, in order, by the NumPy reference."""
    values: dict[str, IntArray] = {}
    evaluate(network, codes, lambda name, result: values.update({name: result}))
    return values


def compare_layers(network: Network, name: str, expected: dict[str, IntArray], found: dict[str, NDArray[Any]]) -> Link:
    """Compare every layer that both know; the first difference carries the accumulator behind its threshold."""
    integers = differing = 0
    first = None
    for layer in network:
        if layer.name not in found:
            continue
        want = expected[layer.name]
        have = np.asarray(found[layer.name], np.int64).reshape(want.shape)
        wrong = want != have
        integers += want.size
        differing += int(wrong.sum())
        if first is None and wrong.any():
            n, c, h, w = (int(i) for i in np.argwhere(wrong)[0])
            producer = network.producer(layer.input) if isinstance(layer, Threshold) else None
            accumulator = int(expected[producer.name][n, c, h, w]) if isinstance(producer, Mac) else None
            first = Difference(layer.name, n, c, h, w, int(want[n, c, h, w]), int(have[n, c, h, w]), accumulator)
    return Link(name, len(next(iter(expected.values()))), integers, differing, first)


def output_integers(network: Network, values: NDArray[Any], expected: IntArray) -> IntArray:
    """One image's output `values`, as a file gives them, as integers in the order and shape of `expected`.

    Its order is that of the stream where the network ends by flattening, (H, W, C) for the file's (C, H, W). A channel
    of scale 0 has no integers: there they are the expected ones if the value is the offset, else one more.
    """
    last = network.layers[-1]
    shape = last.input.shape if isinstance(last, Flatten) else network.output.shape
    index = np.arange(shape.size).reshape(shape)
    order = (index.transpose(1, 2, 0) if isinstance(last, Flatten) else index).reshape(-1)
    scale, offset = (
        np.repeat(v.astype(np.float64).reshape(-1), shape.size // v.size)[order]
        for v in (network.output_scale, network.output_offset)
    )
    found, want = values.reshape(-1)[order], expected.reshape(-1)
    integers = np.rint((found - offset) / np.where(scale == 0, 1.0, scale)).astype(np.int64)
    is_offset = np.isclose(found, offset, rtol=1e-6, atol=0.0)
    result: IntArray = np.where(scale == 0, np.where(is_offset, want, want + 1), integers).reshape(expected.shape)
    return result


def qonnx_link(network: Network, codes: IntArray, expected: dict[str, IntArray]) -> Link:
    """The integer graph executed by qonnx, every layer."""
    found: dict[str, list[NDArray[Any]]] = {layer.name: [] for layer in network}
    shape = network.model.get_tensor_shape(network.input.name)
    for image in codes:
        feed = {network.input.name: image.reshape(shape).astype(np.float32)}
        context = execute_onnx(network.model, feed, return_full_exec_context=True)
        for layer in network:
            found[layer.name].append(context[layer.output.name])
    flattened = {
        name: np.concatenate(values) for name, values in found.items() if network[name].kind != "Flatten"
    }  # the stream flattens in (H, W, C) order, ONNX in (C, H, W)
    return compare_layers(network, "integer graph in qonnx = NumPy", expected, flattened)


def simulation_link(project: Project, codes: IntArray, expected: dict[str, IntArray], mode: str) -> Link:
    """The project's C simulation, every unit's output."""
    found = project.trace(codes, mode=mode)
    return compare_layers(project.network, f"C simulation ({mode}) = integer graph", expected, found)


def file_links(network: Network, project: Project, codes: IntArray) -> list[Link]:
    """All links from the integer graph on. qonnx gets the first `QONNX_IMAGES` only."""
    expected = layer_values(network, codes)
    few = {name: values[:QONNX_IMAGES] for name, values in expected.items()}
    links = [qonnx_link(network, codes[:QONNX_IMAGES], few)]
    links += [simulation_link(project, codes, expected, mode) for mode in ("fast", "ap")]
    return links


def load_network(path: Path) -> Network:
    """The integer graph of a file."""
    from hw.read import read_qonnx

    return Network(read_qonnx(path))
