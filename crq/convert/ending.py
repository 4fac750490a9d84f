"""The end of a network: its last sums or codes, with an integer bias, and the scale of the scores."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from crq.convert import steps as ops
from crq.convert.values import Pending
from crq.errors import CrqError

INT32 = np.iinfo(np.int32)


def ending(value: Pending) -> tuple[ops.Output, NDArray[np.bool_]]:
    """The last step, and by channel whether its scale is not zero.

    The sums may be a layer's, of two activations, or over all pixels; or codes themselves.
    Raises `CrqError` for a bias beyond 32 bits.
    """
    source = value.source
    alpha = (1.0 if value.alpha is None else np.float64(value.alpha)) / value.divisor
    gain = np.atleast_1d(alpha * (1.0 if value.gain is None else value.gain))
    # A channel of zero scale has constant output: it keeps the input grid, so that its bias stays on a grid.
    alive = gain != 0
    scale = (np.where(alive, gain, 1.0) * source.scale).astype(np.float32)
    bias = np.zeros(len(source.lo)) if value.bias is None else np.rint(value.bias / scale.astype(np.float64))
    if not np.isfinite(scale).all() or (scale == 0).any() or not (np.abs(bias) < INT32.max).all():
        raise CrqError(
            f"layer {source.name!r}: its bias does not fit 32 bits on the grid of its weights (scale {scale}); "
            f"alpha or batch norm has vanished, retrain the layer"
        )
    return ops.Output(torch.from_numpy(bias.astype(np.int64)), torch.from_numpy(scale), source.scale), alive
