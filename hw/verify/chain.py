"""The chain of equality from the file on: integer graph, qonnx, C simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.onnx_exec import execute_onnx

from crq.hw.forms.built import Simulated
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import IntArray
from crq.hw.ir.ports import apart
from crq.hw.ir.scores import EXACT_FLOAT32
from crq.hw.read.reader import read_qonnx
from crq.hw.verify.link import Link, compare_layers

QONNX_IMAGES = 50
"""Images given to qonnx, which runs them one by one."""


def layer_values(network: Network, codes: IntArray) -> dict[str, IntArray]:
    """Every layer's integers (N, C, H, W) by name, in order, by the NumPy reference."""
    values: dict[str, IntArray] = {}
    evaluate(network, codes, lambda name, result: values.update({name: result}))
    return values


def qonnx_link(network: Network, codes: IntArray, expected: dict[str, IntArray]) -> Link:
    """The integer graph executed by qonnx, every layer."""
    found: dict[str, list[NDArray[Any]]] = {layer.name: [] for layer in network}
    shapes = {tensor.name: network.model.get_tensor_shape(tensor.name) for tensor in network.inputs}
    for image in zip(*apart(network.inputs, codes), strict=True):
        given = zip(shapes.items(), image, strict=True)
        feed = {name: part.reshape(shape).astype(np.float32) for (name, shape), part in given}
        context = execute_onnx(network.model, feed, return_full_exec_context=True)
        for layer in network:
            found[layer.name].append(context[layer.output.name])
    flattened = {
        name: np.concatenate(values) for name, values in found.items() if network[name].kind != "Flatten"
    }  # the stream flattens in (H, W, C) order, ONNX in (C, H, W)
    return compare_layers(network, "integer graph in qonnx = NumPy", expected, flattened, flattened.keys())


def fits_float32(network: Network) -> bool:
    """Whether float32 holds every integer of every tensor."""
    tensors = [*network.inputs, *(layer.output for layer in network)]
    return all(max(abs(int(t.lo.min())), int(t.hi.max())) <= EXACT_FLOAT32 for t in tensors)


def simulation_link(built: Simulated, codes: IntArray, expected: dict[str, IntArray], mode: str) -> Link:
    """The built project's simulation, every unit's output."""
    found = built.trace(codes, mode=mode, layout="NCHW")
    name = f"{built.simulator} ({mode}) = integer graph"
    return compare_layers(built.network, name, expected, found, results_of(built))


def results_of(built: Simulated) -> list[str]:
    """The layers whose integers leave a unit of the hardware: the last of each unit."""
    return list(built.traced)


def file_links(network: Network, built: Simulated, codes: IntArray) -> list[Link]:
    """All links from the integer graph on. qonnx gets the first `QONNX_IMAGES` only, and none of a network whose
    integers its float32 does not hold."""
    expected = layer_values(network, codes)
    links = []
    if fits_float32(network):
        few = {name: values[:QONNX_IMAGES] for name, values in expected.items()}
        links.append(qonnx_link(network, codes[:QONNX_IMAGES], few))
    links += [simulation_link(built, codes, expected, mode) for mode in built.checked]
    return links


def load_network(path: Path) -> Network:
    """The integer graph of a file."""
    return Network(read_qonnx(path))
