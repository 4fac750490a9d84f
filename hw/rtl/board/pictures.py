"""Picture files as input codes of a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.images import image_shape, only_entry


def codes_of(network: Network, path: Path) -> NDArray[np.integer]:
    """(N, *image_shape) of a picture, read in grey or colour as the network takes it, or of a .npy file of codes.

    Raises `HwError` for a file that is neither, and for a picture of another size.
    """
    if path.suffix == ".npy":
        try:
            return np.asarray(np.load(path, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise HwError(f"{path}: {error}; expected an array of input codes") from error
    from PIL import Image, UnidentifiedImageError

    entry = only_entry(network, str(path))
    channels, height, width = entry.tensor.shape
    if channels not in (1, 3):
        raise HwError(f"{path}: the network takes {channels} channels, which no picture has; give codes as .npy")
    try:
        with Image.open(path) as opened:
            picture = np.asarray(opened.convert("L" if channels == 1 else "RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise HwError(f"{path}: {error}; expected a picture or a .npy file of codes") from error
    if picture.shape[:2] != (height, width):
        raise HwError(
            f"{path}: a picture of {picture.shape[1]}×{picture.shape[0]} pixels; the network takes {width}×{height}"
        )
    first = picture.reshape(height, width, channels).transpose(2, 0, 1)
    ordered = first if entry.facts.layout == "NCHW" else first.transpose(1, 2, 0)
    return ordered.reshape(1, *image_shape(entry))
