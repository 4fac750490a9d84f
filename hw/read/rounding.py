"""The parameters of qonnx's Quant: code range and rounding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from crq.hw.read.refusals import refuse

MODES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "ROUND": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "ROUND_TO_ZERO": np.trunc,
}


def rounding(node: NodeProto, attributes: Mapping[str, Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """The rounding function of a Quant; ROUND is half to even."""
    mode = attributes.get("rounding_mode", b"ROUND")
    name = (mode.decode() if isinstance(mode, bytes) else str(mode)).upper()
    if name not in MODES:
        refuse("rounding-mode", node, f"rounding mode {name!r}")
    return MODES[name]


def bounds(node: NodeProto, bits: NDArray[Any], signed: bool, narrow: bool, most: int = 8) -> tuple[int, int]:
    """Smallest and largest code of a Quant with `bits` bits (a constant of one element, at most `most`).

    One signed bit is refused: its range says {-1, 0}, while qonnx computes ±1.
    """
    if bits.size != 1 or bits.dtype.kind not in "fiu" or bits.item() not in range(1, most + 1):
        refuse("activation-bits", node, f"bit width {bits.tolist()}; expected 1 to {most}")
    n = int(bits.item())
    if n == 1 and (signed or narrow):
        refuse("activation-bits", node, "one bit, signed or narrow; BipolarQuant has the codes ±1, unsigned 0 and 1")
    return (-(2 ** (n - 1)) + narrow, 2 ** (n - 1) - 1) if signed else (0, 2**n - 1 - narrow)
