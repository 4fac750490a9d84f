"""What the walk behind `freeze` holds of a value: codes, or integers on their way to a quantizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.convert import steps as ops
from crq.convert.activations import Activation
from crq.convert.thresholds import IntArray


class Codes(NamedTuple):
    """The result of step `name`: integers in [lo, hi] (int64, per channel) worth `scale` each.

    pad: zeros around the image, which the convolution that reads it adds: (before, after) by axis, outermost first.
    """

    name: str
    scale: float
    lo: IntArray
    hi: IntArray
    pad: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Pending:
    """Integers of `source` on their way to a quantizer: value = activation((integer·scale/divisor·alpha)·gain + bias).

    gain and bias are float64, per channel; `pools` are max pools that wait until after the quantizer (they commute
    with every non-decreasing step); `relu` means negative values are already gone.
    """

    source: Codes
    alpha: np.float32 | None = None
    gain: NDArray[np.float64] | None = None
    bias: NDArray[np.float64] | None = None
    divisor: int = 1
    relu: bool = False
    activation: Activation | None = None
    pools: tuple[ops.MaxPool, ...] = ()


Value = Codes | Pending
