"""The end of the network: integers, and the scale that turns them into scores on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from crq.hw.ir.ends import OutputFacts
from crq.hw.read.context import Context
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Int, Pending, Raw, Sizes, Value


def finish_output(ctx: Context, name: str, value: Value) -> tuple[Int, dict[str, Any]]:
    """The integer result and its facts (crq.hw.ir.ends): `scale` and, where no integer bias is exact, `offset`.

    score = integer × scale + offset. A bias that is a whole number of units joins the integers.
    """
    if isinstance(value, Raw):
        refuse("output", f"output {name!r}", "an input of the network is its output")
    result, facts = _result(ctx, name, value)
    if any(result is port.codes for port in ctx.ports.values()):
        refuse("output", f"output {name!r}", "an input of the network is its output: there is no layer between them")
    return result, facts


class Output(NamedTuple):
    """An output of the file, of these integers, and what they are worth (crq.hw.ir.ends)."""

    name: str
    integers: Int
    facts: dict[str, Any]


def by_port(ctx: Context, outputs: Sequence[Output]) -> tuple[list[Int], list[OutputFacts]]:
    """Results of one size as the channels of one, each with its own scale and offset; the others as they are, and what
    the host has yet to do something to."""
    if len(outputs) == 1:
        return [outputs[0].integers], [OutputFacts(**outputs[0].facts)]
    sizes: dict[Sizes | str, list[Output]] = {}
    for output in outputs:
        size = (len(output.integers.shape), *output.integers.shape[1:])
        sizes.setdefault(output.name if output.facts.get("head") else size, []).append(output)
    integers: list[Int] = []
    facts: list[OutputFacts] = []
    for group in sizes.values():
        names = tuple((output.name, output.integers.channels) for output in group)
        if len(group) > 1:
            integers.append(ctx.emit.concat("results", [output.integers for output in group]))
            facts.append(OutputFacts(names=names, **_spread(group)))
        else:
            integers.append(group[0].integers)
            facts.append(OutputFacts(names=names, **group[0].facts))
    return integers, facts


def _spread(group: Sequence[Output]) -> dict[str, Any]:
    """The facts of all channels."""

    def values(key: str, default: float) -> list[float]:
        parts = (np.broadcast_to(np.asarray(o.facts.get(key, default)), o.integers.channels) for o in group)
        return [float(v) for v in np.concatenate(list(parts))]

    offset = values("offset", 0.0)
    return {"scale": values("scale", 1.0)} | ({"offset": offset} if any(offset) else {})


def _result(ctx: Context, name: str, value: Codes | Pending) -> tuple[Int, dict[str, Any]]:
    if isinstance(value, Codes):
        return value.int, {"scale": _compact(np.atleast_1d(value.scale))}
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
        return x, {"scale": _compact(gain)}
    return x, {"scale": _compact(gain), "offset": _compact(offset)}


def _compact(values: np.ndarray) -> float | list[float]:
    single = [float(v) for v in values.astype(np.float32)]
    return single[0] if len(set(single)) == 1 else single
