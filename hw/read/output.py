"""The end of the network: integers, and the scale that turns them into scores on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from hw.read.context import Context
from hw.read.refusals import refuse
from hw.read.values import Codes, Int, Pending, Raw, Value


def finish_output(ctx: Context, name: str, value: Value) -> tuple[Int, dict[str, Any]]:
    """The integer result and its metadata: `output_scale` and, where no integer bias is exact, `output_offset`.

    score = integer × scale + offset. A bias that is a whole number of units joins the integers.
    """
    if isinstance(value, Raw):
        refuse("output", f"output {name!r}", "the network's input is its output")
    result, metadata = _result(ctx, name, value)
    if result is ctx.emit.input:
        refuse("output", f"output {name!r}", "the network's input is its output: there is no layer between them")
    return result, metadata


def _result(ctx: Context, name: str, value: Codes | Pending) -> tuple[Int, dict[str, Any]]:
    if isinstance(value, Codes):
        return value.int, {"output_scale": _compact(np.atleast_1d(value.scale))}
    affine = value.chain.affine()
    if affine is None:
        refuse("output", f"output {name!r}")
    gain, offset = affine
    x = value.int
    with np.errstate(divide="ignore", invalid="ignore"):
        units = np.where(offset == 0, 0.0, offset / gain)
    if np.isfinite(units).all() and (units == np.rint(units)).all() and np.abs(units).max(initial=0) < 2**24:
        if units.any():
            x = ctx.emit.bias(f"{x.name.removesuffix('_out')}_bias", x, units.astype(np.int64))
        return x, {"output_scale": _compact(gain)}
    return x, {"output_scale": _compact(gain), "output_offset": _compact(offset)}


def _compact(values: np.ndarray) -> float | list[float]:
    single = [float(v) for v in values.astype(np.float32)]
    return single[0] if len(set(single)) == 1 else single
