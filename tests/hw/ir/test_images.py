"""Images to input codes: what is taken, in which shapes, and the messages for all else."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.images import as_file, byte_codes, channels_first, image_shape, input_codes, pixels_for
from tests.support import random_graphs
from tests.support.random_graphs import GraphBuilder

ONE = (1, 2, 3, 4)


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


@pytest.mark.parametrize("shape", [(2, 24), (2, 3, 4, 2), (1, 48), (4, 3, 4), (2, 2, 4, 3), (24,), ()])
def test_nothing_is_reshaped_that_could_mean_something_else(signed: Network, shape: tuple[int, ...]) -> None:
    message = r"expected \(N, 2, 3, 4\): channels, height, width, as the file takes them; transpose or reshape them"
    with pytest.raises(HwError, match=message):
        input_codes(signed, np.zeros(shape, np.int64))


def test_a_channels_last_array_is_taken_where_it_is_said(signed: Network) -> None:
    x = (np.arange(48) % 16 - 8).reshape(2, 3, 4, 2)
    assert np.array_equal(input_codes(signed, x, layout="NHWC"), x.transpose(0, 3, 1, 2))
    with pytest.raises(HwError, match=r"expected \(N, 3, 4, 2\): height, width, channels"):
        input_codes(signed, x.transpose(0, 3, 1, 2), layout="NHWC")


def test_codes_return_to_the_files_own_shape(signed: Network) -> None:
    x = (np.arange(48) % 16 - 8).reshape(2, 2, 3, 4)
    assert np.array_equal(as_file(signed, x), x)
    flat = dense()
    assert as_file(flat, np.zeros((3, 24, 1, 1))).shape == (3, 24)
    assert channels_first(flat.entries[0], np.zeros((3, 24))).shape == (3, 24, 1, 1)


def dense() -> Network:
    """24 inputs, codes in [0, 255]."""
    g = GraphBuilder((24,), "UINT8")
    return Network(g.finish(g.matmul("x", 2)))


def test_a_data_sets_images_are_flattened_for_a_network_of_inputs_alone(signed: Network) -> None:
    x = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 4), dtype=np.uint8)
    assert np.array_equal(pixels_for(dense(), x).reshape(5, 24), x.reshape(5, 24))
    with pytest.raises(HwError, match="the data's images are 1×4×6, the network takes 2×3×4"):
        pixels_for(signed, x.reshape(5, 1, 4, 6))
    with pytest.raises(HwError, match="the network takes 24×1×1"):
        pixels_for(dense(), x[:, :1])


def test_floats_lie_on_the_grid_or_are_rounded_half_to_even_and_clipped(signed: Network) -> None:
    x = np.zeros((1, 2, 3, 4))
    x.reshape(-1)[:6] = np.array([-9, -2.5, -1.5, 0.5, 2.5, 8]) / 256
    assert input_codes(signed, x, quantize=True).reshape(-1)[:6].tolist() == [-8, -2, -2, 0, 2, 7]
    with pytest.raises(
        HwError, match=r"not on the input grid: .*0\.0097.* is no multiple of 0\.00390625.*quantize=True"
    ):
        input_codes(signed, np.full(ONE, 2.5 / 256))
    x.reshape(-1)[:6] = np.array([-8, -2, 0, 1, 2, 7]) / 256
    assert input_codes(signed, x).reshape(-1)[:6].tolist() == [-8, -2, 0, 1, 2, 7]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full(ONE, 8), r"input codes in \[8, 8\]; the input takes \[-8, 7\]"),
        (np.full(ONE, 8.0 / 256), r"input codes in \[8.*, 8.*\]; the input takes \[-8, 7\]"),
        (np.full(ONE, np.inf), "not finite"),
        (np.full(ONE, 1j), "images of type complex128; expected integers or floats"),
        (np.full(ONE, "a"), "images of type <U1"),
    ],
)
def test_what_is_no_image_is_refused(signed: Network, images: np.ndarray, message: str) -> None:
    with pytest.raises(HwError, match=message):
        input_codes(signed, images)


def test_bytes_of_a_signed_input_are_values_of_256ths(signed: Network) -> None:
    """Its scale is 2**-8: a byte is its own code, clipped."""
    assert byte_codes(signed, np.full(ONE, 3, np.uint8)).tolist() == np.full(ONE, 3).tolist()
    assert byte_codes(signed, np.full(ONE, 200, np.uint8)).max() == 7


def test_bytes_are_the_codes_of_our_own_inputs() -> None:
    network = Network(random_graphs.small_cnn())
    images = np.random.default_rng(0).integers(0, 256, (4, *network.inputs[0].shape), dtype=np.uint8)
    found = byte_codes(network, images)
    assert np.array_equal(found, images)


def test_a_byte_goes_through_the_files_own_first_steps() -> None:
    """0.5 is 2·0.5 - 1 = 0 to the file, and 1 is 1."""
    g = GraphBuilder((1, 2, 2), "INT4")
    graph = g.finish(g.conv("x", 1, (1, 1)), input_scale=0.25)
    graph.set_metadata_prop("crq.input.preprocessing", '[["Mul", 2.0], ["Sub", 1.0]]')
    found = byte_codes(Network(graph), np.array([[[[128, 255], [0, 192]]]], np.uint8))
    assert found.reshape(-1).tolist() == [0, 4, -4, 2]


def test_codes_outside_a_range_that_is_narrower_than_the_type_are_refused() -> None:
    g = GraphBuilder((2, 3, 4), "INT4")
    graph = g.finish(g.conv("x", 2))
    graph.set_metadata_prop("crq.input.range", "[-7, 7]")
    network = Network(graph)
    for outside in (np.full((1, 2, 3, 4), -8), np.full((1, 2, 3, 4), 4.0)):
        with pytest.raises(HwError, match=r"the input takes \[-7, 7\]"):
            input_codes(network, outside)


@pytest.mark.parametrize("last", [False, True], ids=["NCHW", "NHWC"])
def test_a_file_that_flattens_its_image_takes_the_image(last: bool) -> None:
    g = GraphBuilder((18,), "UINT4")
    graph = g.finish(g.matmul("x", 3))
    shape = (3, 3, 2) if last else (2, 3, 3)
    graph.set_metadata_prop("crq.input.shape", str(list(shape)))
    if last:
        graph.set_metadata_prop("crq.input.layout", "NHWC")
    network = Network(graph)
    codes = np.arange(18).reshape(1, 18, 1, 1) % 16
    images = as_file(network, codes)
    assert images.shape == (1, *shape) == (1, *image_shape(network.entries[0]))
    first = images.transpose(0, 3, 1, 2) if last else images
    assert np.array_equal(first.reshape(1, 18), codes.reshape(1, 18))
    assert np.array_equal(input_codes(network, images), codes)
    assert np.array_equal(input_codes(network, first, layout="NCHW"), codes)
    if last:  # whose order would that be?
        with pytest.raises(HwError, match=r"expected \(N, 3, 3, 2\): height, width, channels"):
            input_codes(network, codes.reshape(1, 18))
    else:
        assert np.array_equal(input_codes(network, codes.reshape(1, 18)), codes)


@pytest.mark.parametrize("layout", ["nhwc", "NCWH", ""])
def test_a_layout_that_is_none_is_refused(signed: Network, layout: str) -> None:
    with pytest.raises(HwError, match=f"layout '{layout}': expected NCHW or NHWC"):
        input_codes(signed, np.zeros(ONE, np.int64), layout=layout)
