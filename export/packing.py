"""Ternary codes at 2 bits each: the byte layout of ONNX INT2 (design §4).

Four codes per byte, least significant first, two's complement (00 = 0, 01 = +1, 11 = -1), row-major, zero padded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crq.export.errors import ExportError

CODES_PER_BYTE = 4


def pack(codes: NDArray[np.integer]) -> NDArray[np.uint8]:
    """uint8 (ceil(n / 4),) holding the n codes of `codes` (any shape, values -1, 0, +1)."""
    flat = np.ascontiguousarray(codes).reshape(-1)
    if flat.size and (flat.min() < -1 or flat.max() > 1):
        raise ExportError(f"codes outside {{-1, 0, +1}}: found {flat.min()} to {flat.max()}")
    padded = np.zeros(-(-flat.size // CODES_PER_BYTE) * CODES_PER_BYTE, np.uint8)
    padded[: flat.size] = flat.astype(np.int8).view(np.uint8) & 3
    a, b, c, d = padded.reshape(-1, CODES_PER_BYTE).T
    packed: NDArray[np.uint8] = (a | b << 2 | c << 4 | d << 6).astype(np.uint8, copy=False)
    return packed


def unpack(packed: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.int8]:
    """The int8 codes that `pack` wrote. Raises `ExportError` on a wrong length, the code 10 or dirty padding."""
    n = int(np.prod(shape, dtype=np.int64))
    if packed.dtype != np.uint8 or packed.size != -(-n // CODES_PER_BYTE):
        raise ExportError(f"{packed.size} bytes of {packed.dtype} cannot hold {n} codes of 2 bits in uint8")
    flat = unpack_table()[packed].reshape(-1)
    if (flat == -2).any():
        raise ExportError("the bit pattern 10 is no ternary code")
    if flat[n:].any():
        raise ExportError("padding after the last code is not zero")
    return flat[:n].reshape(tuple(shape))


def unpack_table() -> NDArray[np.int8]:
    """int8 (256, 4): the four codes of every byte, as the packed file's Gather node reads them."""
    fields = (np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3
    return np.array([0, 1, -2, -1], np.int8)[fields]
