"""Images as the network takes them: integer codes, checked. Nothing is reshaped that could mean something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crq.hw.errors import HwError
from crq.hw.ir.ends import Entry
from crq.hw.ir.graph import Network
from crq.hw.ir.host import quantized, steps, to_codes, to_grid
from crq.hw.ir.layers import IntArray, Shape
from crq.hw.ir.ports import apart, shape_of, together

AXES = {"NCHW": ("channels", "height", "width"), "NHWC": ("height", "width", "channels")}


def image_shape(entry: Entry, layout: str | None = None) -> tuple[int, ...]:
    """Shape of one image as the file takes it, its axes in the order of `layout` (NCHW, NHWC); default: the file's."""
    if layout not in (None, *AXES):
        raise HwError(f"layout {layout!r}: expected {' or '.join(AXES)}")
    given, own = entry.facts.shape, entry.facts.layout
    if given is None:
        c, *pixels = _own_shape(entry)
    else:
        c, *pixels = (given[-1], *given[:-1]) if own == "NHWC" else given
    return (*pixels, c) if (layout or own) == "NHWC" else (c, *pixels)


def _own_shape(entry: Entry) -> tuple[int, ...]:
    """Shape of one image of the integer graph, in its own rank."""
    c, h, w = entry.tensor.shape
    return {1: (c,), 2: (c, w), 3: (c, h, w)}[entry.rank]


def axes_of(entry: Entry, layout: str | None = None) -> str:
    """What the numbers of `image_shape` count."""
    names = AXES[layout or entry.facts.layout]
    return ", ".join({1: ("inputs",), 2: tuple(n for n in names if n != "height")}.get(
        len(image_shape(entry)), names
    ))  # fmt: skip


def channels_first(entry: Entry, images: NDArray, layout: str | None = None) -> NDArray:
    """`images` (N, *image_shape) as (N, C, H, W). Raises `HwError` for any other shape."""
    found, expected = np.asarray(images), image_shape(entry, layout)
    last = (layout or entry.facts.layout) == "NHWC"
    whole = tuple(entry.tensor.shape)
    # What the file flattens may be given flat, but for an order that an image channels last would not have.
    taken = (expected, (*whole[1:], whole[0])) if last else (expected, whole, _own_shape(entry))
    if found.ndim < 2 or found.shape[1:] not in taken:
        raise HwError(
            f"images of shape {found.shape}: expected (N, {', '.join(map(str, expected))}): "
            f"{axes_of(entry, layout)}, as the file takes them; transpose or reshape them first"
        )
    first = np.moveaxis(found, -1, 1) if last else found
    return first.reshape(len(found), *entry.tensor.shape)


def by_port(network: Network, x: Any) -> list[NDArray[Any]]:
    """The images of each input of the network, of those that the file takes: one array; of several a tuple in its
    order, a list of arrays, or by name. Those that share a port follow each other as channels. Codes of several ports
    may be one array, as crq.hw.ir.ports has them. Raises `HwError` for other inputs than the file's."""
    several = len(network.inputs) > 1
    named = {name: channels for entry in network.entries for name, channels in entry.facts.names}
    if named and isinstance(x, list) and all(isinstance(part, np.ndarray) for part in x):
        x = tuple(x)  # as hls4ml has several inputs
    if not isinstance(x, tuple | Mapping):
        array = np.asarray(x)
        if not several:
            return [array]
        if array.dtype.kind in "iub" and array.shape[1:] == shape_of(network.inputs):
            return list(apart(network.inputs, array))
        raise HwError(f"images as one array of shape {array.shape}; the network takes a tuple of {_taken(network)}")
    order = network.metadata.input_order or tuple(named)
    if isinstance(x, Mapping) and set(x) == set(named):
        x = tuple(x[name] for name in order)
    arrays = [np.asarray(part) for part in (x if isinstance(x, tuple) else ())]
    channels = [named[name] for name in order]
    fits = len(arrays) == len(order) and (several or channels == [a.shape[1] if a.ndim > 1 else 0 for a in arrays])
    if not fits or not order:
        given = list(x) if isinstance(x, Mapping) else [a.shape for a in arrays]
        raise HwError(f"inputs {given}; the network takes {_taken(network)}")
    parts = dict(zip(order, arrays, strict=True))
    found = [_joined([parts[name] for name, _ in entry.facts.names]) for entry in network.entries]
    if len({len(part) for part in found}) > 1:
        raise HwError(f"inputs of shapes {[a.shape for a in arrays]}; expected as many images of each")
    return found


def _taken(network: Network) -> str:
    named = {name: entry for entry in network.entries for name, _ in entry.facts.names}
    own = {name: channels for entry in network.entries for name, channels in entry.facts.names}
    order = network.metadata.input_order or tuple(named)
    if len(network.inputs) == 1:
        return ", ".join(f"{name!r} (N, {own[name]}, …)" for name in order) or "one array"
    shapes = {name: image_shape(entry) for name, entry in named.items() if len(entry.facts.names) == 1}
    listed = {name: ", ".join(map(str, shapes[name])) if name in shapes else f"{own[name]}, …" for name in order}
    return ", ".join(f"{name!r} (N, {shape})" for name, shape in listed.items())


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Images of inputs that share a port as one array whose channels follow each other."""
    if len({(len(a), *a.shape[2:]) for a in arrays}) > 1 or len({a.dtype.kind for a in arrays}) > 1:
        raise HwError(f"inputs of shapes {[a.shape for a in arrays]} and types {[str(a.dtype) for a in arrays]}; "
                      "expected as many images of each, of one size, all integers or all floats")  # fmt: skip
    return np.concatenate(arrays, axis=1) if len(arrays) > 1 else arrays[0]


def input_codes(network: Network, x: Any, quantize: bool = False, layout: str | None = None) -> NDArray[np.int32]:
    """Input codes (N, C, H, W) of images (N, *image_shape): integer codes, or floats on the input grid. Of a network
    with several inputs the images are those that `by_port` takes, the codes as crq.hw.ir.ports has them.

    Floats are what the file takes. They must lie on the grid (multiples of the input scale) unless `quantize`, which
    rounds half to even and clips; those of a file with preprocessing of its own always are, as its host does it.
    `layout`: NCHW or NHWC, by default the file's.
    Raises `HwError` otherwise, and for codes out of range or a wrong shape.
    """
    parts = by_port(network, x)
    own = isinstance(x, np.ndarray) and len(parts) > 1  # it has the shapes of the graph already
    found = [
        _codes(entry, part if own else channels_first(entry, part, layout), quantize)
        for entry, part in zip(network.entries, parts, strict=True)
    ]
    return together(found).astype(np.int32)


def _codes(entry: Entry, array: NDArray[Any], quantize: bool) -> NDArray[Any]:
    """Those of one input's images (N, C, H, W)."""
    lo, hi = entry.tensor.lo[:, None, None], entry.tensor.hi[:, None, None]
    if array.dtype.kind == "f":
        several = len(entry.facts.names) > 1  # whose last step is their scales, and no preprocessing
        scaled, quantize = to_grid(entry, array), quantize or len(steps(entry)) > several
        if not np.isfinite(scaled).all():
            raise HwError("images hold values that are not finite")
        codes = quantized(entry, array) if quantize else np.rint(scaled)
        if not quantize and not np.array_equal(codes, scaled):
            scale = "the scale of its input" if several else repr(entry.facts.scale)
            raise HwError(
                f"images are not on the input grid: {float(array[codes != scaled][0])!r} is no multiple of {scale}. "
                "Give integer codes, or allow rounding with quantize=True"
            )
        array = codes
    elif array.dtype.kind not in "iub":
        raise HwError(f"images of type {array.dtype}; expected integers or floats")
    if array.size and ((array < lo) | (array > hi)).any():
        raise HwError(f"input codes in [{array.min()}, {array.max()}]; the input takes [{lo.min()}, {hi.max()}]")
    return array


def only_entry(network: Network, what: str) -> Entry:
    """The one input of a network that has one. Raises `HwError` for `what`, which takes no other."""
    if len(network.entries) > 1:
        raise HwError(f"{what}: the network has inputs of {len(network.entries)} sizes, {_taken(network)}; "
                      "give them from Python as a tuple: hw.open_project(folder).simulate((…))")  # fmt: skip
    return network.entries[0]


def pixels_for(network: Network, images: NDArray) -> NDArray:
    """Images (N, C, H, W) of a data set in the network's shape: a network of C·H·W inputs takes them flattened.

    Raises `HwError` for images of another shape.
    """
    entry = only_entry(network, "a data set's images")
    wanted = entry.tensor.shape
    shapes = {tuple(wanted), tuple(image_shape(entry, "NCHW"))}
    if images.shape[1:] not in shapes and not (wanted.pixels == 1 and wanted.size == np.prod(images.shape[1:])):
        raise HwError(
            f"the data's images are {_by(Shape(*images.shape[1:])) if images.ndim == 4 else images.shape[1:]}, the "
            f"network takes {_by(wanted)} (channels × height × width): name the data it was trained on"
        )
    return images.reshape(len(images), *wanted)


def _by(shape: Shape) -> str:
    return "×".join(map(str, shape))


def as_file(network: Network, codes: NDArray) -> Any:
    """Codes (N, C, H, W) as (N, *image_shape), the inverse of `channels_first`; of several ports a tuple in the file's
    order."""
    parts = zip(network.entries, apart(network.inputs, codes), strict=True)
    found = [_as_file(entry, part) for entry, part in parts]
    if len(found) == 1:
        return found[0]
    named: dict[str, NDArray] = {}
    for entry, part in zip(network.entries, found, strict=True):
        axis = -1 if entry.facts.layout == "NHWC" else 1
        cuts = np.cumsum([channels for _, channels in entry.facts.names])[:-1]
        pieces = np.split(part, cuts, axis) if len(cuts) else [part]
        named |= {name: piece for (name, _), piece in zip(entry.facts.names, pieces, strict=True)}
    return tuple(named[name] for name in network.metadata.input_order)


def _as_file(entry: Entry, codes: NDArray) -> NDArray:
    first = codes.reshape(len(codes), *image_shape(entry, "NCHW"))
    return np.moveaxis(first, 1, -1) if entry.facts.layout == "NHWC" else first


def takes_bytes(network: Network) -> bool:
    """Whether a byte is a code as it is: unsigned 8-bit inputs without preprocessing, whatever their scale."""
    entries = network.entries
    return all(not steps(e) and (e.tensor.lo.min(), e.tensor.hi.max()) == (0, 255) for e in entries)


def takes_256ths(network: Network) -> bool:
    """Whether the codes are bytes worth byte/256: the default of `TernaryConfig`, and what recipes train on."""
    return takes_bytes(network) and all(entry.facts.scale == 2**-8 for entry in network.entries)


def byte_codes(network: Network, images: NDArray[np.uint8]) -> IntArray:
    """Images of bytes (N, C, H, W) as input codes: as they are where the network `takes_bytes`, else byte/256."""
    pixels = pixels_for(network, images)
    return pixels.astype(np.int64) if takes_bytes(network) else to_codes(network, pixels / 256)
