"""Images to input codes: what is taken, in which shapes, and the messages for all else."""

from __future__ import annotations

import numpy as np
import pytest

from hw.errors import HwError
from hw.ir.graph import Network
from hw.ir.images import byte_codes, input_codes
from tests.support import random_graphs
from tests.support.random_graphs import GraphBuilder


@pytest.fixture(scope="module")
def signed() -> Network:
    """(2, 3, 4) codes in [-8, 7], worth 2**-8 each."""
    g = GraphBuilder((2, 3, 4), "INT4")
    return Network(g.finish(g.conv("x", 2, (1, 1))))


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, bool])
def test_integers_of_any_type_are_codes(signed: Network, dtype: type) -> None:
    x = np.arange(24).reshape(1, 2, 3, 4) % 2
    found = input_codes(signed, x.astype(dtype))
    assert found.dtype == np.int32
    assert np.array_equal(found, x)


def test_rows_are_images_in_the_order_of_channels_rows_columns(signed: Network) -> None:
    x = (np.arange(48) % 16 - 8).reshape(2, 24)
    assert np.array_equal(input_codes(signed, x), x.reshape(2, 2, 3, 4))


def test_floats_lie_on_the_grid_or_are_rounded_half_to_even_and_clipped(signed: Network) -> None:
    x = np.zeros((1, 2, 3, 4))
    x.reshape(-1)[:6] = np.array([-9, -2.5, -1.5, 0.5, 2.5, 8]) / 256
    assert input_codes(signed, x, quantize=True).reshape(-1)[:6].tolist() == [-8, -2, -2, 0, 2, 7]
    with pytest.raises(
        HwError, match=r"not on the input grid: .*0\.0097.* is no multiple of 0\.00390625.*quantize=True"
    ):
        input_codes(signed, np.full((1, 24), 2.5 / 256))
    x.reshape(-1)[:6] = np.array([-8, -2, 0, 1, 2, 7]) / 256
    assert input_codes(signed, x).reshape(-1)[:6].tolist() == [-8, -2, 0, 1, 2, 7]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 4)), r"expected images of shape \(N, 2, 3, 4\), found \(2, 3, 4\)"),
        (np.zeros(24), r"expected images of shape \(N, 2, 3, 4\), found \(24,\)"),
        (np.full((1, 24), 8), r"input codes in \[8, 8\]; the input takes \[-8, 7\]"),
        (np.full((1, 24), 8.0 / 256), r"input codes in \[8.*, 8.*\]; the input takes \[-8, 7\]"),
        (np.full((1, 24), np.inf), "not finite"),
        (np.full((1, 24), 1j), "images of type complex128; expected integers or floats"),
        (np.full((1, 24), "a"), "images of type <U1"),
    ],
)
def test_what_is_no_image_is_refused(signed: Network, images: np.ndarray, message: str) -> None:
    with pytest.raises(HwError, match=message):
        input_codes(signed, images)


def test_bytes_of_a_signed_input_are_values_of_256ths(signed: Network) -> None:
    """Its scale is 2**-8: a byte is its own code, clipped."""
    assert byte_codes(signed, np.full((1, 24), 3, np.uint8)).tolist() == np.full((1, 2, 3, 4), 3).tolist()
    assert byte_codes(signed, np.full((1, 24), 200, np.uint8)).max() == 7


def test_bytes_are_the_codes_of_our_own_inputs_and_nothing_is_copied() -> None:
    network = Network(random_graphs.small_cnn())
    images = np.random.default_rng(0).integers(0, 256, (4, *network.input.shape), dtype=np.uint8)
    found = byte_codes(network, images)
    assert np.shares_memory(found, images)
    assert np.array_equal(found, images)


def test_a_byte_goes_through_the_files_own_first_steps() -> None:
    """0.5 is 2·0.5 - 1 = 0 to the file, and 1 is 1."""
    g = GraphBuilder((1, 2, 2), "INT4")
    graph = g.finish(g.conv("x", 1, (1, 1)), input_scale=0.25)
    graph.set_metadata_prop("crq.input.preprocessing", '[["Mul", 2.0], ["Sub", 1.0]]')
    found = byte_codes(Network(graph), np.array([[128, 255, 0, 192]], np.uint8))
    assert found.reshape(-1).tolist() == [0, 4, -4, 2]


def test_codes_outside_a_range_that_is_narrower_than_the_type_are_refused() -> None:
    g = GraphBuilder((2, 3, 4), "INT4")
    graph = g.finish(g.conv("x", 2))
    graph.set_metadata_prop("crq.input.range", "[-7, 7]")
    network = Network(graph)
    for outside in (np.full((1, 2, 3, 4), -8), np.full((1, 2, 3, 4), 4.0)):
        with pytest.raises(HwError, match=r"the input takes \[-7, 7\]"):
            input_codes(network, outside)
