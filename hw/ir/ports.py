"""Images of a network, and results, where it has several ports: their tensors side by side in one array, and apart.

Of one port they are an array (N, C, H, W). Of several they are (N, values): of each image the values of the first
port, in the order (channel, row, column), then those of the second, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.layers import Tensor


def numbered(name: str, port: int) -> str:
    """That of a port, counted from 0: the first has no number, the second is 2."""
    return f"{name}{port + 1}" if port else name


def apart(ports: Sequence[Tensor], images: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """The array (N, C, H, W) of each of `ports`."""
    ends = np.cumsum([port.shape.size for port in ports])[:-1]
    parts = np.split(_flat(images), ends, axis=1) if len(ports) > 1 else [images]
    return tuple(part.reshape(len(images), *port.shape) for port, part in zip(ports, parts, strict=True))


def together(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The inverse: an array of one port as it is, those of several side by side."""
    return parts[0] if len(parts) == 1 else np.concatenate([_flat(part) for part in parts], axis=1)


def _flat(images: NDArray[Any]) -> NDArray[Any]:
    return images.reshape(len(images), prod(images.shape[1:]))


def rows(ports: Sequence[Tensor], images: NDArray[Any]) -> NDArray[Any]:
    """Images as they stream, (N, values): each port row by row, pixel by pixel, (row, column, channel)."""
    return np.concatenate([_flat(part.transpose(0, 2, 3, 1)) for part in apart(ports, images)], axis=1)


def shape_of(ports: Sequence[Tensor]) -> tuple[int, ...]:
    """Of one image."""
    return tuple(ports[0].shape) if len(ports) == 1 else (sum(port.shape.size for port in ports),)


def whole(integers: NDArray[Any] | tuple[NDArray[Any], ...]) -> NDArray[Any]:
    """One array of integers by port: of one port an array as it is, of several a tuple."""
    return together(integers) if isinstance(integers, tuple) else integers
