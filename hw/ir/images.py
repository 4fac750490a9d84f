"""Images as the network takes them: integer codes, checked. Nothing is reshaped that could mean something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.host import steps, to_codes, to_grid
from crq.hw.ir.layers import IntArray, Shape

AXES = {"NCHW": ("channels", "height", "width"), "NHWC": ("height", "width", "channels")}


def image_shape(network: Network, layout: str | None = None) -> tuple[int, ...]:
    """Shape of one image as the file takes it, its axes in the order of `layout` (NCHW, NHWC); default: the file's."""
    if layout not in (None, *AXES):
        raise HwError(f"layout {layout!r}: expected {' or '.join(AXES)}")
    given, own = network.metadata.input_shape, network.metadata.input_layout
    if given is None:
        c, *pixels = _own_shape(network)
    else:
        c, *pixels = (given[-1], *given[:-1]) if own == "NHWC" else given
    return (*pixels, c) if (layout or own) == "NHWC" else (c, *pixels)


def _own_shape(network: Network) -> tuple[int, ...]:
    """Shape of one image of the integer graph, in its own rank."""
    c, h, w = network.input.shape
    return {1: (c,), 2: (c, w), 3: (c, h, w)}[len(network.model.get_tensor_shape(network.input.name)) - 1]


def axes_of(network: Network, layout: str | None = None) -> str:
    """What the numbers of `image_shape` count."""
    names = AXES[layout or network.metadata.input_layout]
    return ", ".join({1: ("inputs",), 2: tuple(n for n in names if n != "height")}.get(
        len(image_shape(network)), names
    ))  # fmt: skip


def channels_first(network: Network, images: NDArray, layout: str | None = None) -> NDArray:
    """`images` (N, *image_shape) as (N, C, H, W). Raises `HwError` for any other shape."""
    found, expected = np.asarray(images), image_shape(network, layout)
    last = (layout or network.metadata.input_layout) == "NHWC"
    whole = tuple(network.input.shape)
    # What the file flattens may be given flat, but for an order that an image channels last would not have.
    taken = (expected, (*whole[1:], whole[0])) if last else (expected, whole, _own_shape(network))
    if found.ndim < 2 or found.shape[1:] not in taken:
        raise HwError(
            f"images of shape {found.shape}: expected (N, {', '.join(map(str, expected))}): "
            f"{axes_of(network, layout)}, as the file takes them; transpose or reshape them first"
        )
    first = np.moveaxis(found, -1, 1) if last else found
    return first.reshape(len(found), *network.input.shape)


def joined_images(network: Network, x: Any) -> NDArray[Any]:
    """Images of a network with several inputs, given as a tuple in the file's order or by name, as one array whose
    channels follow each other. Raises `HwError` for other inputs than the file's."""
    names = network.metadata.input_names
    if not isinstance(x, tuple | Mapping):
        return np.asarray(x)
    expected = ", ".join(f"{name!r} (N, {c}, …)" for name, c in names) or "one array"
    if isinstance(x, Mapping) and set(x) == {name for name, _ in names}:
        x = tuple(x[name] for name, _ in names)
    arrays = [np.asarray(part) for part in (x if isinstance(x, tuple) else ())]
    if [a.shape[1] if a.ndim > 1 else 0 for a in arrays] != [c for _, c in names]:
        given = list(x) if isinstance(x, Mapping) else [a.shape for a in arrays]
        raise HwError(f"inputs {given}; the network takes {expected}")
    if len({(len(a), *a.shape[2:]) for a in arrays}) > 1 or len({a.dtype.kind for a in arrays}) > 1:
        raise HwError(f"inputs of shapes {[a.shape for a in arrays]} and types {[str(a.dtype) for a in arrays]}; "
                      "expected as many images of each, of one size, all integers or all floats")  # fmt: skip
    return np.concatenate(arrays, axis=1)


def input_codes(network: Network, x: ArrayLike, quantize: bool = False, layout: str | None = None) -> NDArray[np.int32]:
    """Input codes (N, C, H, W) of images (N, *image_shape): integer codes, or floats on the input grid.

    Floats are what the file takes. They must lie on the grid (multiples of the input scale) unless `quantize`, which
    rounds half to even and clips; those of a file with preprocessing of its own always are, as its host does it.
    `layout`: NCHW or NHWC, by default the file's.
    Raises `HwError` otherwise, and for codes out of range or a wrong shape.
    """
    array, tensor = channels_first(network, joined_images(network, x), layout), network.input
    lo, hi = tensor.lo[:, None, None], tensor.hi[:, None, None]
    if array.dtype.kind == "f":
        several = bool(network.metadata.input_names)  # whose last step is their scales, and no preprocessing
        scaled, quantize = to_grid(network, array), quantize or len(steps(network)) > several
        if not np.isfinite(scaled).all():
            raise HwError("images hold values that are not finite")
        codes = to_codes(network, array) if quantize else np.rint(scaled)
        if not quantize and not np.array_equal(codes, scaled):
            scale = "the scale of its input" if several else repr(network.input_scale)
            raise HwError(
                f"images are not on the input grid: {array[codes != scaled][0]!r} is no multiple of {scale}. Give "
                "integer codes, or allow rounding with quantize=True"
            )
        array = codes
    elif array.dtype.kind not in "iub":
        raise HwError(f"images of type {array.dtype}; expected integers or floats")
    if array.size and ((array < lo) | (array > hi)).any():
        raise HwError(f"input codes in [{array.min()}, {array.max()}]; the input takes [{lo.min()}, {hi.max()}]")
    return array.astype(np.int32)


def pixels_for(network: Network, images: NDArray) -> NDArray:
    """Images (N, C, H, W) of a data set in the network's shape: a network of C·H·W inputs takes them flattened.

    Raises `HwError` for images of another shape.
    """
    wanted = network.input.shape
    shapes = {tuple(wanted), tuple(image_shape(network, "NCHW"))}
    if images.shape[1:] not in shapes and not (wanted.pixels == 1 and wanted.size == np.prod(images.shape[1:])):
        raise HwError(
            f"the data's images are {_by(Shape(*images.shape[1:])) if images.ndim == 4 else images.shape[1:]}, the "
            f"network takes {_by(wanted)} (channels × height × width): name the data it was trained on"
        )
    return images.reshape(len(images), *wanted)


def _by(shape: Shape) -> str:
    return "×".join(map(str, shape))


def as_file(network: Network, codes: NDArray) -> NDArray:
    """Codes (N, C, H, W) as (N, *image_shape): the inverse of `channels_first`."""
    first = codes.reshape(len(codes), *image_shape(network, "NCHW"))
    return np.moveaxis(first, 1, -1) if network.metadata.input_layout == "NHWC" else first


def takes_bytes(network: Network) -> bool:
    """Whether a byte is a code as it is: an unsigned 8-bit input without preprocessing, whatever its scale."""
    return not steps(network) and (network.input.lo.min(), network.input.hi.max()) == (0, 255)


def takes_256ths(network: Network) -> bool:
    """Whether the codes are bytes worth byte/256: the default of `TernaryConfig`, and what recipes train on."""
    return takes_bytes(network) and network.input_scale == 2**-8


def byte_codes(network: Network, images: NDArray[np.uint8]) -> IntArray:
    """Images of bytes (N, C, H, W) as input codes: as they are where the network `takes_bytes`, else byte/256."""
    pixels = pixels_for(network, images)
    return pixels.astype(np.int64) if takes_bytes(network) else to_codes(network, pixels / 256)
