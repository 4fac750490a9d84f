"""Input codes that find faults: legal ones, extremes, and images that drive sums to their bounds."""

from __future__ import annotations

import numpy as np
import pytest

from crq import hw
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv, Dense
from crq.hw.ir.vectors import GIVEN_IMAGES, all_vectors, bounding, driving, extremes, random_codes, shipped_vectors
from tests.support import reference
from tests.support.random_graphs import GraphBuilder, depthwise_net, small_cnn


def test_extremes_are_the_ends_and_their_alternations() -> None:
    g = GraphBuilder((2, 2, 3), "INT4")
    images = extremes(Network(g.finish(g.conv("x", 1, (1, 1)))))
    assert (images[0] == -8).all()
    assert (images[1] == 7).all()
    assert images[2, 0].tolist() == [[-8, 7, -8], [7, -8, 7]]
    assert np.array_equal(images[3], -1 - images[2])
    assert (images[4, 0] == -8).all()
    assert (images[4, 1] == 7).all()


def test_random_codes_are_legal_reach_both_ends_and_repeat() -> None:
    network = Network(depthwise_net())
    codes = random_codes(network, 40, seed=5)
    assert codes.shape == (40, *network.inputs[0].shape)
    assert (codes.min(), codes.max()) == (-128, 127)
    assert set(np.unique(codes[1::2])) == {-128, 127}
    assert len(np.unique(codes[::2])) > 200
    assert np.array_equal(codes, random_codes(network, 40, seed=5))
    assert not np.array_equal(codes, random_codes(network, 40, seed=6))


def test_a_bipolar_input_never_gets_the_code_0() -> None:
    g = GraphBuilder((2, 5, 5), "BIPOLAR")
    network = Network(g.finish(g.conv("x", 3)))
    for codes in (all_vectors(network, 50), driving(network, network.inputs[0], network.layers[0], 0, 1)):
        assert set(np.unique(codes)) <= {-1, 1}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", ["grouped and dilated", "dense"])
def test_a_driving_image_reaches_the_end_of_its_channel(kind: str, sign: int) -> None:
    """By the loops of the reference."""
    g = GraphBuilder((4, 7, 7), "INT4", seed=2)
    if kind == "dense":
        model = g.finish(g.matmul(g.flatten("x"), 3, "INT4"))
    else:
        model = g.finish(g.conv("x", 6, (3, 3), dilations=(2, 2), pads=(1, 1, 1, 1), group=2))
    network = Network(model)
    layer = network.layers[-1]
    assert isinstance(layer, (Conv, Dense))
    for channel in range(layer.output.shape.c):
        image = driving(network, network.inputs[0], layer, channel, sign)
        sums = next(iter(reference.run(model, image[None])[f"{layer.name}_out"]))[channel]
        reached = sums.max() if sign > 0 else sums.min()
        assert reached == (layer.output.hi if sign > 0 else layer.output.lo)[channel]


def test_bounding_images_are_named_and_can_be_limited() -> None:
    network = Network(small_cnn())
    images, names = bounding(network, 3)
    assert names == ["conv1 channel 0 highest", "conv1 channel 0 lowest", "conv1 channel 1 highest"]
    assert images.shape == (3, *network.inputs[0].shape)
    none, no_names = bounding(network, 0)
    assert (none.shape, no_names) == ((0, *network.inputs[0].shape), [])


def test_all_vectors_are_the_extremes_the_bounds_and_the_random_ones() -> None:
    network = Network(small_cnn())
    found = all_vectors(network, 7, seed=3, bounding_limit=4)
    assert len(found) == 5 + 4 + 7
    assert np.array_equal(found[:5], extremes(network))
    assert np.array_equal(found[-7:], random_codes(network, 7, seed=3))


@pytest.mark.parametrize(("count", "given", "kept"), [(32, 20, GIVEN_IMAGES), (6, 20, 3), (32, 2, 2), (32, 0, 0)])
def test_given_images_come_first_and_the_number_is_kept(count: int, given: int, kept: int) -> None:
    network = Network(small_cnn())
    images = np.arange(given * 64).reshape(given, 1, 8, 8) % 256
    found, first = shipped_vectors(network, count, images if given else None)
    assert (len(found), first) == (count, kept)
    assert np.array_equal(found[:kept], images[:kept])
    bounds = bounding(network, (count - kept) // 4)[0]
    assert np.array_equal(found[kept : kept + len(bounds)], bounds)


def test_bounding_images_reach_the_proven_accumulator_range():
    g = GraphBuilder((2, 7, 7), seed=5)
    graph = g.finish(g.conv("x", 6, (3, 3), pads=(1, 1, 1, 1)))
    network = hw.Network(graph)
    from crq.hw.ir.interpret import evaluate

    images, names = bounding(network)
    sums = evaluate(network, images)
    assert len(names) == 12
    assert np.array_equal(sums.max(axis=(0, 2, 3)), network.outputs[0].hi)
    assert np.array_equal(sums.min(axis=(0, 2, 3)), network.outputs[0].lo)
