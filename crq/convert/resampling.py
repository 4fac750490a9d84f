"""Calls that put zeros around images and beside channels, enlarge them, or move pixels between channels and images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import fx, nn

from crq.convert.arguments import arguments
from crq.convert.channels import Channels
from crq.convert.rewriter import Rewriter, name_of
from crq.errors import CrqError


def pad(rewriter: Rewriter, node: fx.Node) -> None:
    a = arguments(node, "input", "pad", "mode", "value", mode="constant", value=None)
    x, given = a["input"], [int(p) for p in a["pad"]]
    shape: tuple[int, ...] = x.meta["shapes"][0] if "shapes" in x.meta else ()
    rank = len(shape) - 2 if shape else len(given) // 2
    around, channels = given[: 2 * rank], given[2 * rank :]
    around += [0] * (2 * rank - len(around))
    if not shape and len(given) > 4 and not (a["value"] or min(given) < 0):
        raise CrqError(
            f"'pad' {rewriter.where(node)} pads by {given}: whether channels are among these axes is known with images "
            "alone; give crq.prepare an example_input"
        )
    if a["mode"] != "constant" or a["value"] or rank not in (1, 2) or len(channels) not in (0, 2) or min(given) < 0:
        raise CrqError(
            f"'pad' {rewriter.where(node)} pads by {given}, {a['mode']} {a['value'] or 0}: only zeros around the "
            "pixels, or beside the channels, are supported"
        )
    modules: list[nn.Module] = []
    if any(channels):
        modules.append(Channels([-1] * channels[0] + list(range(shape[1])) + [-1] * channels[1]))
    if any(around):
        ends: Any = tuple(around)
        modules.append(nn.ZeroPad1d(ends) if rank == 1 else nn.ZeroPad2d(ends))
    if modules:
        rewriter.put(node, x, *modules)
    else:
        rewriter.drop(node)


_INTERPOLATE = ("input", "size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")


def interpolate(rewriter: Rewriter, node: fx.Node) -> None:
    defaults = dict.fromkeys(_INTERPOLATE[1:]) | {"mode": "nearest"}
    a = arguments(node, *_INTERPOLATE, **defaults)
    rewriter.put(node, a["input"], upsample(rewriter, node, a["input"], a["size"], a["scale_factor"], a["mode"]))


def upsample(rewriter: Rewriter, node: fx.Node, x: fx.Node, size: Any, factor: Any, mode: str) -> nn.Module:
    """The enlargement of `x` to `size`, or by `factor`; refused unless it repeats every pixel equally often."""
    factors: Any = factor
    if size is not None:
        image = rewriter.image(x)
        if image is None:
            raise CrqError(
                f"{name_of(node)!r} {rewriter.where(node)} enlarges to {size}: give crq.prepare an example_input"
            )
        wanted = size if isinstance(size, (tuple, list)) else [size] * len(image)
        factors = [want / have for want, have in zip(wanted, image, strict=True)]
    each = list(factors) if isinstance(factors, (tuple, list)) else [factors]
    if mode != "nearest" or any(f is None or f != int(f) or f < 1 for f in each):
        raise CrqError(
            f"{name_of(node)!r} {rewriter.where(node)} enlarges by {factors}, mode {mode!r}: only the nearest pixel, "
            "whole factors, repeats codes; use them, or a ConvTranspose2d"
        )
    return nn.Upsample(scale_factor=int(each[0]) if len(each) == 1 else tuple(int(f) for f in each))


def shuffle(kind: type[nn.Module], factor: str) -> Callable[[Rewriter, fx.Node], None]:
    def handle(rewriter: Rewriter, node: fx.Node) -> None:
        a = arguments(node, "input", factor)
        rewriter.put(node, a["input"], kind(a[factor]))

    return handle
