"""Images as the network takes them: integer codes, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hw.errors import HwError
from hw.ir.graph import Network
from hw.ir.host import steps, to_codes, to_grid


def input_codes(network: Network, x: ArrayLike, quantize: bool = False) -> NDArray[np.int32]:
    """Input codes (N, C, H, W) of images: integers (N, C, H, W) or (N, inputs), or floats on the input grid.

    Floats are what the file takes, before its own preprocessing; they must then lie on the grid (multiples of the
    input scale) unless `quantize`, which rounds half to even and clips. Raises `HwError` otherwise, and for codes out
    of range or a wrong shape.
    """
    array, tensor = np.asarray(x), network.input
    shape = tensor.shape
    if array.ndim < 2 or array[0].size != shape.size:
        raise HwError(f"expected images of shape (N, {shape.c}, {shape.h}, {shape.w}), found {array.shape}")
    array = array.reshape(-1, *shape)
    lo, hi = int(tensor.lo.min()), int(tensor.hi.max())
    if array.dtype.kind == "f":
        scaled = to_grid(network, array)
        if not np.isfinite(scaled).all():
            raise HwError("images hold values that are not finite")
        codes = to_codes(network, array) if quantize else np.rint(scaled)
        if not quantize and not np.array_equal(codes, scaled):
            raise HwError(
                f"images are not on the input grid: {array[codes != scaled][0]!r} is no multiple of "
                f"{network.input_scale!r}. Give integer codes, or allow rounding with quantize=True"
            )
        array = codes
    elif array.dtype.kind not in "iub":
        raise HwError(f"images of type {array.dtype}; expected integers or floats")
    if array.size and (array.min() < lo or array.max() > hi):
        raise HwError(f"input codes in [{array.min()}, {array.max()}]; the input takes [{lo}, {hi}]")
    return array.astype(np.int32)


def byte_codes(network: Network, images: NDArray[np.uint8]) -> NDArray[Any]:
    """Images of bytes (N, C, H, W) as input codes.

    Bytes are the codes of an unsigned 8-bit input without preprocessing, whatever its scale; to any other input a byte
    is the value byte/256.
    """
    images = images.reshape(-1, *network.input.shape)
    tensor = network.input
    if not steps(network) and (tensor.lo.min(), tensor.hi.max()) == (0, 255):
        return images
    return to_codes(network, images / 256)
