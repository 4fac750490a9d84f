"""The end of the network: integers, and the scale that turns them into scores on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from crq.hw.read.context import Context
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Int, Pending, Raw, Value


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


def join_outputs(
    ctx: Context, names: Sequence[str], finished: Sequence[tuple[Int, dict[str, Any]]]
) -> tuple[Int, dict[str, Any]]:
    """Several results as the channels of one, each with its own scale and offset."""
    made = [integers for integers, _ in finished]
    if len({integers.shape[1:] for integers in made}) > 1:
        sizes = ", ".join(f"{name!r} {list(i.shape)}" for name, i in zip(names, made, strict=True))
        refuse("several", "model", f"outputs {sizes}")

    def spread(key: str, default: float) -> list[float]:
        parts = (np.broadcast_to(np.asarray(m.get(key, default)), i.channels) for i, m in finished)
        return [float(v) for v in np.concatenate(list(parts))]

    found: dict[str, Any] = {
        "output_scale": spread("output_scale", 1.0),
        "output_names": tuple((name, i.channels) for name, i in zip(names, made, strict=True)),
    }
    offset = spread("output_offset", 0.0)
    return ctx.emit.concat("results", made), found | ({"output_offset": offset} if any(offset) else {})


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
