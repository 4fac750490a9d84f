"""One comparison of integers: what makes it equal, and how it says what is not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.verify.link import Difference, Link, compare, compare_layers, output_integers
from tests.support import reference
from tests.support.random_graphs import GraphBuilder, random_input


def made() -> tuple[Network, dict[str, np.ndarray]]:
    """A network, and its integers on three images by plain loops."""
    g = GraphBuilder((2, 5, 4), "UINT4", seed=2)
    x = g.max_pool(g.threshold(g.conv("x", 3, pads=(1, 1, 1, 1)), 2), (1, 2))
    model = g.finish(g.bias(g.matmul(g.flatten(x), 4)))
    network = Network(model)
    found = reference.run(model, random_input(model, 3))
    return network, {layer.name: found[layer.output.name].reshape(3, *layer.output.shape) for layer in network}


NETWORK, VALUES = made()
LAYERS = [layer.name for layer in NETWORK if layer.kind != "Flatten"]  # which has another order in the file


def changed(layer: str, at: tuple[int, ...], by: int = 1) -> dict[str, np.ndarray]:
    values = {name: value.copy() for name, value in VALUES.items()}
    values[layer][at] += by
    return values


def test_equal_layers_are_counted_and_said_to_be_equal() -> None:
    link = compare_layers(NETWORK, "this = that", VALUES, VALUES, LAYERS)
    assert link.equal
    assert link.integers == sum(VALUES[name].size for name in LAYERS)
    assert str(link) == f"equal    this = that: 3 images, {link.integers:,} integers"
    assert link.facts() == {
        "name": "this = that", "images": 3, "integers": link.integers, "differing": 0, "first": None, "missing": [],
    }  # fmt: skip


@pytest.mark.parametrize("lacking", ["found", "expected", "network"])
def test_a_comparison_that_lacks_a_wanted_layer_is_not_equal(lacking: str) -> None:
    less = {name: value for name, value in VALUES.items() if name != "act2"}
    expected, found = (less if lacking == side else VALUES for side in ("expected", "found"))
    wanted, lost = (LAYERS, "act2") if lacking != "network" else ([*LAYERS, "nosuch"], "nosuch")
    link = compare_layers(NETWORK, "this = that", expected, found, wanted)
    assert (link.equal, link.differing, link.missing) == (False, 0, (lost,))
    assert str(link) == f"FAILED   this = that: layers were left out\n         not compared: {lost}"
    assert link.facts()["missing"] == [lost]


def test_a_layer_that_is_not_wanted_may_be_missing_or_wrong() -> None:
    wanted = [name for name in LAYERS if name != "conv1"]
    assert compare_layers(NETWORK, "l", VALUES, changed("conv1", (0, 0, 0, 0)), wanted).equal
    assert compare_layers(NETWORK, "l", VALUES, {n: VALUES[n] for n in wanted}, wanted).equal


def test_what_compared_nothing_is_not_equal() -> None:
    link = compare_layers(NETWORK, "this = that", VALUES, {}, LAYERS)
    assert not link.equal
    missing = ", ".join(sorted(LAYERS))
    assert str(link) == f"FAILED   this = that: it compared nothing\n         not compared: {missing}"
    assert (link.facts()["integers"], link.facts()["missing"]) == (0, sorted(LAYERS))
    unwanted = compare_layers(NETWORK, "this = that", VALUES, VALUES, [])
    assert not unwanted.equal
    assert str(unwanted) == "FAILED   this = that: it compared nothing"


def test_the_first_difference_is_named_with_the_sum_behind_its_threshold() -> None:
    found = changed("act2", (1, 2, 4, 3), by=-1)
    found["act2"][2, 0, 0, 0] += 1  # a later image
    found["bias6"][0, 0, 0, 0] += 1  # a later layer
    link = compare_layers(NETWORK, "this = that", VALUES, found, LAYERS)
    code, accumulator = int(VALUES["act2"][1, 2, 4, 3]), int(VALUES["conv1"][1, 2, 4, 3])
    assert link.first == Difference("act2", 1, 2, 4, 3, code, code - 1, accumulator)
    assert link.differing == 3
    assert str(link).splitlines() == [
        f"DIFFERS  this = that: 3 of {link.integers:,} integers",
        f"         first: layer 'act2', image 1, channel 2, pixel (4, 3): expected {code}, found {code - 1}; "
        f"accumulator {accumulator}",
    ]
    first = json.loads(json.dumps(link.facts()))["first"]
    assert (first["layer"], first["image"], first["channel"], first["accumulator"]) == ("act2", 1, 2, accumulator)


def test_a_difference_in_a_layer_without_thresholds_has_no_accumulator() -> None:
    link = compare_layers(NETWORK, "l", VALUES, changed("pool3", (0, 1, 3, 1)), LAYERS)
    assert link.first is not None
    assert link.first.accumulator is None
    assert "pixel (3, 1)" in str(link)
    assert "accumulator" not in str(link)


def test_without_the_sums_a_difference_behind_thresholds_has_no_accumulator() -> None:
    """The live PyTorch model gives codes alone."""
    codes = {name: value for name, value in VALUES.items() if name.startswith(("act", "pool"))}
    link = compare_layers(NETWORK, "l", codes, changed("act2", (1, 2, 4, 3)), codes.keys())
    assert link.first is not None
    assert link.first[:5] == ("act2", 1, 2, 4, 3)
    assert link.first.accumulator is None


def test_no_images_are_no_verdict() -> None:
    link = compare("l", np.zeros((0, 3, 1, 1), np.int64), np.zeros((0, 3, 1, 1), np.int64))
    assert (link.equal, link.integers) == (False, 0)


def test_a_difference_and_a_missing_layer_are_both_told() -> None:
    found = changed("pool3", (0, 0, 0, 0))
    del found["bias6"]
    link = compare_layers(NETWORK, "this = that", VALUES, found, LAYERS)
    assert not link.equal
    lines = str(link).splitlines()
    assert lines[0].startswith("DIFFERS  this = that: 1 of")
    assert lines[-1] == "         not compared: bias6"


@given(st.integers(1, 6), st.integers(1, 9), st.data())
def test_compare_counts_integers_and_images_that_differ(images: int, size: int, data: st.DataObject) -> None:
    small = arrays(np.int64, (images, size), elements=st.integers(-1, 1))
    found, expected = data.draw(small), data.draw(small)
    link = compare("l", found, expected, figures={})
    pairs = [
        [a != b for a, b in zip(*rows, strict=True)] for rows in zip(found.tolist(), expected.tolist(), strict=True)
    ]
    assert (link.images, link.integers) == (images, images * size)
    assert link.differing == sum(map(sum, pairs))
    assert link.images_differing == sum(map(any, pairs))
    assert link.equal == (found.tolist() == expected.tolist())


@pytest.mark.parametrize("shape", [(2, 4), (3, 3), (4, 3)])
def test_integers_of_other_sizes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(HwError, match=r"this = that: integers of shape .* against \(3, 4\)"):
        compare("this = that", np.zeros(shape, np.int64), np.zeros((3, 4), np.int64))


def test_sizes_are_compared_not_shapes() -> None:
    assert compare("l", np.zeros((3, 4), np.int64), np.zeros((3, 2, 2), np.int64)).equal


def test_a_link_made_of_counts_alone_has_no_place() -> None:
    assert str(Link("file = PyTorch", 5, 1050, 2)) == "DIFFERS  file = PyTorch: 2 of 1,050 integers"


def graph(flattened: bool) -> Network:
    """Three channels of 2 × 2 pixels, with a scale of the output."""
    g = GraphBuilder((3, 2, 2), "UINT4")
    pool = g.max_pool("x", (1, 1))
    return Network(g.finish(g.flatten(pool) if flattened else pool, output_scale=0.25))


def test_outputs_are_integers_in_the_order_of_the_stream() -> None:
    """A file flattens (C, H, W), the stream (H, W, C)."""
    integers = np.arange(12).reshape(3, 2, 2)
    values = (integers * 0.25).reshape(1, -1)
    for flattened in (False, True):
        network = graph(flattened)
        order = integers.transpose(1, 2, 0) if flattened else integers
        expected = order.reshape(network.outputs[0].shape)
        np.testing.assert_array_equal(output_integers(network, network.scores[0], values, expected), expected)
        off = output_integers(network, network.scores[0], values + 0.25 * (integers.reshape(1, -1) == 5), expected)
        assert np.argwhere((off != expected).reshape(-1)).tolist() == [[order.reshape(-1).tolist().index(5)]]


def test_a_scale_per_channel_stays_with_its_channel_where_pixels_are_flattened() -> None:
    scales = [0.5, 0.25, 2.0]
    g = GraphBuilder((3, 2, 2), "UINT4")
    model = g.finish(g.flatten(g.max_pool("x", (1, 1))))
    model.set_metadata_prop("crq.output.scale", json.dumps(scales))
    network = Network(model)
    integers = np.arange(12).reshape(3, 2, 2)
    values = integers * np.array(scales)[:, None, None]
    expected = integers.transpose(1, 2, 0).reshape(network.outputs[0].shape)
    np.testing.assert_array_equal(output_integers(network, network.scores[0], values, expected), expected)
