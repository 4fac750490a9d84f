"""Input codes that find faults: random ones, extremes, and images that drive accumulators to their bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv, Dense, Flatten, IntArray, Tensor
from crq.hw.ir.ports import apart, shape_of, together

GIVEN_IMAGES = 8  # of a testbench, at most


def extremes(network: Network) -> IntArray:
    """All lowest, all highest, both checkerboards, and alternating channels; int64 (5, C, H, W)."""
    return together([_extremes(tensor) for tensor in network.inputs])


def _extremes(tensor: Tensor) -> IntArray:
    shape, lo, hi = tensor.shape, tensor.lo, tensor.hi
    low = np.broadcast_to(lo[:, None, None], shape)
    high = np.broadcast_to(hi[:, None, None], shape)
    c, y, x = np.indices(shape)
    return np.stack([low, high, *(np.where(m % 2 == 0, low, high) for m in (y + x, y + x + 1, c))]).astype(np.int64)


def random_codes(network: Network, count: int, seed: int = 0) -> IntArray:
    """Half of the images uniform over all codes, half of lowest and highest codes only."""
    rng = np.random.default_rng(seed)
    return together([_legal(network, _random(tensor, count, rng), tensor) for tensor in network.inputs])


def _random(tensor: Tensor, count: int, rng: np.random.Generator) -> IntArray:
    shape = (count, *tensor.shape)
    lo, hi = tensor.lo[:, None, None], tensor.hi[:, None, None]
    uniform = rng.integers(lo, hi + 1, shape)
    sparse = np.where(rng.random(shape) < rng.random((count, 1, 1, 1)), hi, lo)
    uniform[1::2] = sparse[1::2]
    return uniform.astype(np.int64)


def bounding(network: Network, limit: int | None = None) -> tuple[IntArray, list[str]]:
    """Images (N, C, H, W) that drive each output channel of the first MAC layers to its greatest and smallest sum.

    Exact for layers that read an input: there every operand can be chosen freely; other inputs are random. `limit`
    bounds the images. Returns the images and, for each, what it bounds.
    """
    images: list[tuple[Tensor, IntArray]] = []
    names: list[str] = []
    for layer in network:
        if isinstance(layer, (Conv, Dense)) and (source := _source(network, layer.input)) in network.inputs:
            for channel in range(layer.output.shape.c):
                for sign in (1, -1):
                    images.append((source, driving(network, source, layer, channel, sign)))
                    names.append(f"{layer.name} channel {channel} {'highest' if sign > 0 else 'lowest'}")
    keep = len(images) if limit is None else limit
    images = images[:keep]
    parts = apart(network.inputs, random_codes(network, len(images)))
    for tensor, part in zip(network.inputs, parts, strict=True):
        for i, (source, image) in enumerate(images):
            if source is tensor:
                part[i] = image
    return together(parts), names[:keep]


def driving(
    network: Network, operand: Tensor, layer: Conv | Dense, channel: int, sign: int,
    pixel: tuple[int, int] | None = None,
) -> IntArray:  # fmt: skip
    """One image (C, H, W) of `operand`, which `layer` reads: the greatest (+1) or least (-1) sum of `channel`.

    At the output's `pixel`, or near its centre.
    """
    return _legal(network, _driving(operand, layer, channel, sign, pixel), operand)


def kinds_of_pixels(layer: Conv | Dense) -> list[tuple[int, int]]:
    """An output pixel for every way in which padding cuts the kernel, the centre first."""
    if isinstance(layer, Dense):
        return [(0, 0)]
    image, out, pads = layer.input.shape, layer.output.shape, (layer.pads.top, layer.pads.left)
    ways = []
    for axis, (size, count) in enumerate(((image.h, out.h), (image.w, out.w))):
        taps = np.arange(layer.kernel[axis]) * layer.dilation[axis] - pads[axis]
        order = sorted(range(count), key=lambda at: abs(at - count // 2))
        inside = {
            at: tuple((taps + at * layer.stride[axis] >= 0) & (taps + at * layer.stride[axis] < size)) for at in order
        }
        ways.append(list({mask: at for at, mask in reversed(inside.items())}.values())[::-1])
    return [(y, x) for y in ways[0] for x in ways[1]]


def _legal(network: Network, codes: IntArray, tensor: Tensor) -> IntArray:
    """A bipolar tensor has no code 0."""
    if network.model.get_tensor_datatype(tensor.name).name == "BIPOLAR":
        return np.where(codes == 0, 1, codes)
    return codes


def _source(network: Network, tensor: Tensor) -> Tensor:
    producer = network.producer(tensor)
    return producer.input if isinstance(producer, Flatten) else tensor


def _driving(
    tensor: Tensor, layer: Conv | Dense, channel: int, sign: int, pixel: tuple[int, int] | None = None
) -> IntArray:
    """The operands of one output pixel take the end of their range that its weights ask for."""
    lo, hi = tensor.lo[:, None, None], tensor.hi[:, None, None]
    image = np.broadcast_to(np.where((lo <= 0) & (hi >= 0), 0, lo), tensor.shape).astype(np.int64)
    if isinstance(layer, Dense):
        shape = tensor.shape
        codes = layer.weights[channel].reshape(shape.h, shape.w, shape.c).transpose(2, 0, 1).astype(np.int64) * sign
        return np.where(codes > 0, hi, np.where(codes < 0, lo, image))
    codes = layer.weights[channel].astype(np.int64) * sign  # (C / groups, KH, KW)
    first = channel // (layer.weights.shape[0] // layer.groups) * codes.shape[0]
    out = layer.output.shape
    row, column = pixel or (out.h // 2, out.w // 2)
    top, left = row * layer.stride[0] - layer.pads.top, column * layer.stride[1] - layer.pads.left
    for c, ky, kx in np.argwhere(codes != 0):
        y, x = top + ky * layer.dilation[0], left + kx * layer.dilation[1]
        if 0 <= y < tensor.shape.h and 0 <= x < tensor.shape.w:
            ends = tensor.hi if codes[c, ky, kx] > 0 else tensor.lo
            image[first + c, y, x] = ends[first + c]
    return image


def all_vectors(network: Network, count: int, seed: int = 0, bounding_limit: int | None = None) -> IntArray:
    """All of the above: extremes, bounding images and `count` random ones."""
    return np.concatenate([extremes(network), bounding(network, bounding_limit)[0], random_codes(network, count, seed)])


def shipped_vectors(network: Network, count: int, given: NDArray[np.integer] | None) -> tuple[IntArray, int]:
    """`count` images that ship with a project, and how many of them are `given`.

    At most `GIVEN_IMAGES` and half of them come first, as they are the ones that are known; of the rest a quarter is
    bounding, the others are random.
    """
    first = (
        np.empty((0, *shape_of(network.inputs)), np.int64) if given is None else given[: min(GIVEN_IMAGES, count // 2)]
    )
    rest = count - len(first)
    bounds = bounding(network, rest // 4)[0]
    return np.concatenate([first.astype(np.int64), bounds, random_codes(network, rest - len(bounds))]), len(first)
