"""The chain of equality from the file on: each link holds on a sound project, and breaks where a fault is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.verify.chain import file_links, layer_values, load_network, qonnx_link, results_of, simulation_link
from tests.support import reference
from tests.support.qonnx_files import CONV, TAIL, base, graph_of, node, quant
from tests.support.random_graphs import NETWORKS, random_input, small_cnn


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> hw.Project:
    return hw.build(small_cnn(2), tmp_path_factory.mktemp("chain") / "p", project_name="p")


def images(network: hw.Network, count: int) -> np.ndarray:
    return random_input(network.model, count).reshape(count, *network.inputs[0].shape)


@pytest.mark.parametrize("name", NETWORKS)
def test_layer_values_are_those_of_plain_loops(name: str) -> None:
    model = NETWORKS[name](3)
    network, x = hw.Network(model), random_input(model, 2)
    found, expected = layer_values(network, x.reshape(2, *network.inputs[0].shape)), reference.run(model, x)
    assert list(found) == [layer.name for layer in network]
    for layer in network:
        want = expected[layer.output.name]
        if layer.kind == "Flatten":  # which streams pixel by pixel
            want = expected[network.carried(layer.output).name]
            want = want.reshape(2, *network.carried(layer.output).shape).transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(found[layer.name].reshape(-1), want.reshape(-1), err_msg=layer.name)


def test_qonnx_executes_every_layer_to_the_same_integers(project: hw.Project) -> None:
    x = images(project.network, 3)
    expected = layer_values(project.network, x)
    link = qonnx_link(project.network, x, expected)
    assert link.equal
    assert link.integers == sum(v.size for name, v in expected.items() if project.network[name].kind != "Flatten")
    expected["act5"][1, 2, 3, 0] += 1
    wrong = qonnx_link(project.network, x, expected)
    assert (wrong.equal, wrong.differing) == (False, 1)
    assert wrong.first is not None
    assert wrong.first[:5] == ("act5", 1, 2, 3, 0)


def test_results_are_of_the_layer_that_leaves_each_unit(project: hw.Project) -> None:
    assert results_of(project) == ["act2", "pool3", "act5", "fc7", "bias8"]


def test_the_simulation_is_compared_in_both_modes(project: hw.Project) -> None:
    x = images(project.network, 3)
    expected = layer_values(project.network, x)
    for mode in ("fast", "ap"):
        link = simulation_link(project, x, expected, mode)
        assert link.equal
        assert link.name == f"C simulation ({mode}) = integer graph"
        assert link.integers == 3 * (4 * 64 + 4 * 16 + 6 * 16 + 10 + 10)


def test_a_threshold_that_another_compiler_would_read_otherwise_is_found(project: hw.Project, tmp_path: Path) -> None:
    """A comparison that is not inclusive: the codes of sums that meet a threshold are one too low."""
    copy = hw.open_project(shutil.copytree(project.directory, tmp_path / "p"))
    header = copy.directory / "firmware" / "nnet_utils" / "crq_threshold.h"
    text, count = re.subn(r"if \(x >= row\[k\]\)", "if (x > row[k])", header.read_text())
    assert count
    header.write_text(text)
    x = images(project.network, 4)
    link = simulation_link(copy, x, layer_values(project.network, x), "fast")
    assert not link.equal
    first = link.first
    assert first is not None
    assert (first.layer, first.found) == ("act2", first.expected - 1)
    thresholds = project.network["act2"].thresholds
    assert first.accumulator in thresholds[first.channel]


def test_all_links_of_a_file_in_their_order(project: hw.Project, monkeypatch) -> None:
    """qonnx, which is slow, gets the first images only."""
    monkeypatch.setattr("crq.hw.verify.chain.QONNX_IMAGES", 2)
    links = file_links(project.network, project, images(project.network, 5))
    assert [(link.name.split(" =")[0], link.images, link.equal) for link in links] == [
        ("integer graph in qonnx", 2, True), ("C simulation (fast)", 5, True), ("C simulation (ap)", 5, True),
    ]  # fmt: skip


def test_a_file_is_read_as_its_integer_graph(tmp_path: Path) -> None:
    import onnx

    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    onnx.save(graph_of(nodes, base()), tmp_path / "m.onnx")
    kinds = [layer.kind for layer in load_network(tmp_path / "m.onnx")]
    assert kinds == ["Conv", "Threshold", "GlobalSum", "Threshold", "Flatten", "Dense"]
    with pytest.raises(hw.HwError, match="no such file"):
        load_network(tmp_path / "absent.onnx")
