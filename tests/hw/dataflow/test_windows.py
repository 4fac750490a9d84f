"""The window of each unit: a naive loop over it, which knows nothing else of the layer, gives the layer's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crq.hw.dataflow.units import Unit, units
from crq.hw.dataflow.windows import Window, window
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv, Pads, Shape
from tests.support import reference
from tests.support.random_graphs import GraphBuilder, random_input

Values = NDArray[np.int64]


def only_unit(g: GraphBuilder, output: str) -> tuple[Any, Network, Unit]:
    model = g.finish(output)
    network = Network(model)
    return model, network, units(network)[-1]


def slide(w: Window, image: Values, weights: Values) -> Values:
    """Sums of products (O, H, W) of an image (C, H, W), one loop per dimension, zero outside of the image."""
    outputs, per_group = weights.shape[:2]
    result = []
    for top in range(-w.pads.top, w.image.h + w.pads.bottom - w.span[0] + 1, w.stride[0]):
        for left in range(-w.pads.left, w.image.w + w.pads.right - w.span[1] + 1, w.stride[1]):
            sums = np.zeros(outputs, np.int64)
            for ky in range(w.kernel[0]):
                for kx in range(w.kernel[1]):
                    y, x = top + ky * w.dilation[0], left + kx * w.dilation[1]
                    if 0 <= y < w.image.h and 0 <= x < w.image.w:
                        for o in range(outputs):
                            first = o // (outputs // w.groups) * per_group
                            sums[o] += weights[o, :, ky, kx] @ image[first : first + per_group, y, x]
            result.append(sums)
    return np.array(result).T


@st.composite
def convolutions(draw: st.DrawFn, width: int | None = None) -> dict[str, Any]:
    """Arguments of `GraphBuilder.conv` over an image (4, H, W) whose window fits."""
    kernel = (draw(st.integers(1, 3)), 1 if width == 1 else draw(st.integers(1, 3)))
    dilations = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    sides = st.integers(0, 2)
    top, left, bottom, right = draw(sides), draw(sides), draw(sides), draw(sides)
    pads = (top, 0, bottom, 0) if width == 1 else (top, left, bottom, right)
    return {
        "kernel": kernel, "dilations": dilations, "pads": pads, "group": draw(st.sampled_from([1, 2, 4])),
        "strides": (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
    }  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(convolutions(), st.integers(5, 7), st.integers(5, 7))
def test_a_naive_loop_over_the_window_is_the_convolution(options: dict[str, Any], height: int, width: int) -> None:
    g = GraphBuilder((4, height, width), "INT4")
    model, network, unit = only_unit(g, g.conv("x", 4, **options))
    assert isinstance(unit.layer, Conv)
    x = random_input(model, 1)
    found = slide(window(unit), x[0], unit.layer.weights.astype(np.int64))
    expected = reference.run(model, x)[network.outputs[0].name][0]
    assert np.array_equal(found.reshape(expected.shape), expected)


@settings(deadline=None, max_examples=30)
@given(convolutions(width=1), st.integers(5, 9))
def test_an_image_one_pixel_wide_gives_the_same_values_lying(options: dict[str, Any], height: int) -> None:
    g = GraphBuilder((4, height, 1), "INT4")
    model, network, unit = only_unit(g, g.conv("x", 4, **options))
    assert isinstance(unit.layer, Conv)
    x, standing = random_input(model, 1), window(unit)
    lying = standing.lying()
    assert lying.image == Shape(4, 1, height)
    assert lying.output == Shape(4, 1, standing.output.h)
    weights = unit.layer.weights.astype(np.int64)
    upright = slide(standing, x[0], weights)
    assert np.array_equal(slide(lying, x[0].transpose(0, 2, 1), weights.transpose(0, 1, 3, 2)), upright)
    assert lying.line_bits(4) == 0
    assert lying.lying() == lying


@pytest.mark.parametrize(
    ("shape", "kernel", "pads"),
    [((2, 4, 2), (3, 1), (0, 0, 0, 0)), ((2, 4, 1), (3, 2), (0, 1, 0, 0)), ((2, 4, 1), (3, 1), (0, 1, 0, 1))],
)
def test_wider_images_and_those_padded_beside_stay_upright(shape, kernel, pads) -> None:
    g = GraphBuilder(shape)
    _, network, unit = only_unit(g, g.conv("x", 2, kernel, pads=pads))
    w = window(unit)
    assert w.lying() is w


def test_sizes_of_a_dilated_padded_window() -> None:
    """3x3 taps, every second row and every third column, over 8x10 pixels of 2 channels."""
    w = Window(Shape(2, 8, 10), Shape(4, 7, 6), (3, 3), (1, 1), (2, 3), Pads(1, 2, 2, 0))
    assert w.span == (5, 7)
    assert w.padded == (11, 12)
    assert w.elements == 5 * 7 * 2
    assert w.line_bits(3) == 4 * 12 * 2 * 3


def test_a_dense_layer_sees_one_row_of_pixels() -> None:
    g = GraphBuilder((3, 2, 4), "UINT4")
    _, network, unit = only_unit(g, g.matmul(g.flatten("x"), 5))
    w = window(unit)
    assert (w.image, w.output, w.kernel) == (Shape(3, 1, 8), Shape(5, 1, 1), (1, 8))
    assert w.padded == (1, 8)


def test_a_max_pool_treats_every_channel_alone() -> None:
    g = GraphBuilder((3, 6, 6), "UINT4")
    _, network, unit = only_unit(g, g.max_pool("x", (3, 2), (2, 1), (1, 0, 0, 1)))
    w = window(unit)
    assert (w.kernel, w.stride, w.pads, w.groups) == ((3, 2), (2, 1), Pads(1, 0, 0, 1), 3)


def test_only_layers_that_gather_pixels_are_windowed() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.max_pool(g.threshold(g.conv("x", 2, (1, 1)), 3), (2, 2))
    h = g.bias(g.negate(g.add(g.shift(h, 1), h)))
    h = g.global_sum(g.concat(h, h))
    network = Network(g.finish(g.matmul(g.flatten(h), 3)))
    gathered = {u.layer.kind for u in units(network) if u.is_windowed}
    assert gathered == {"Conv", "MaxPool", "Dense"}
    for unit in units(network):
        if not unit.is_windowed:
            w = window(unit)
            assert (w.kernel, w.span, w.image) == ((1, 1), (1, 1), unit.layer.input.shape)
