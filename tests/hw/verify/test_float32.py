"""A file's own float32 execution beside the integer graph: differences are counted, and those at a tie explained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.verify.chain import layer_values, load_network
from crq.hw.verify.float32 import described, facts, float_execution
from crq.hw.verify.link import Link
from tests.support.legal_files import HEAD, LEGAL, model, tail
from tests.support.qonnx_files import node, quant


def executed(file: Path, network: Network, codes: np.ndarray) -> Link:
    return float_execution(file, network, codes, layer_values(network, codes))


def draw(network: Network, count: int) -> np.ndarray:
    lo, hi = int(network.inputs[0].lo.min()), int(network.inputs[0].hi.max())
    return np.random.default_rng(0).integers(lo, hi + 1, (count, *network.inputs[0].shape))


@pytest.fixture
def exact(tmp_path: Path) -> Path:
    """All scales are powers of two: float32 holds every value."""
    nodes = [*HEAD, node("Relu", "c", "r"), quant("r", "q", "q1"), *tail("q")[2:]]
    nodes[-2] = node("Flatten", "q", "fl")
    dense = np.random.default_rng(1).integers(-1, 2, (180, 3)).astype(np.float32)
    scales = {"qi_s": np.float32(0.25), "q1_s": np.float32(0.5), "f": dense}
    onnx.save(model(nodes, **scales), tmp_path / "exact.onnx")
    return tmp_path / "exact.onnx"


def test_what_float32_holds_exactly_is_equal(exact: Path) -> None:
    network = load_network(exact)
    link = executed(exact, network, draw(network, 12))
    assert (link.equal, link.images, link.integers, link.images_differing, link.explained) == (True, 12, 36, 0, 0)
    assert described(link) == "the file's own float32 execution: 0 of 36 integers differ, 12 images"


def test_a_wrong_integer_graph_differs_and_no_tie_explains_it(exact: Path) -> None:
    network = load_network(exact)
    codes = draw(network, 12)
    expected = layer_values(network, codes)
    expected[network.layers[-1].name][[3, 7], 1] += 1
    link = float_execution(exact, network, codes, expected)
    assert (link.differing, link.images_differing, link.explained) == (2, 2, 0)
    assert described(link).endswith("2 of 36 integers differ, in 2 of 12 images, 0 with a tie")
    assert facts(link) == {
        "images": 12, "integers": 36, "differing": 2, "images_differing": 2, "images_explained": 0,
    }  # fmt: skip


def test_only_an_image_with_a_sum_beside_a_threshold_of_a_listed_channel_is_explained(exact: Path) -> None:
    graph = read_qonnx(exact)
    network = Network(graph)
    codes = draw(network, 40)
    expected = layer_values(network, codes)
    quantizer = next(layer for layer in network if layer.kind == "Threshold")
    sums, edges = expected[network.producer(quantizer.input).name], quantizer.thresholds
    channel = 2
    near = [
        any(int(s) in (t, t - 1) for t in edges[channel].tolist() for s in image[channel].ravel()) for image in sums
    ]
    quiet = next(i for i in range(40) if not near[i]) if not all(near) else None
    graph.set_metadata_prop("crq.ties", f'{{"{quantizer.name}": [{channel}]}}')
    expected[network.layers[-1].name][:, 0] += 1  # every image differs
    link = float_execution(exact, Network(graph), codes, expected)
    assert (link.images_differing, link.explained) == (40, sum(near))
    assert sum(near) > 0
    assert quiet is None or sum(near) < 40


def test_an_image_that_is_equal_needs_no_explanation(exact: Path) -> None:
    graph = read_qonnx(exact)
    network = Network(graph)
    quantizer = next(layer for layer in network if layer.kind == "Threshold")
    graph.set_metadata_prop("crq.ties", f'{{"{quantizer.name}": [0, 1, 2, 3, 4]}}')
    assert executed(exact, Network(graph), draw(network, 10)).explained == 0


@pytest.mark.parametrize("name", ["NHWC input", "1-D pool", "qonnx channels last", "output flattened from pixels"])
def test_files_of_other_layouts_are_fed_and_read_right(name: str, tmp_path: Path) -> None:
    """A wrong order of channels or pixels would differ nearly everywhere."""
    onnx.save(LEGAL[name], tmp_path / "m.onnx")
    network = load_network(tmp_path / "m.onnx")
    link = executed(tmp_path / "m.onnx", network, draw(network, 10))
    assert link.integers == 10 * network.outputs[0].shape.size
    assert link.images_differing is not None
    assert link.images_differing <= 2
