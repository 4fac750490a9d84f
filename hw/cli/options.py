"""Options that several verbs of the hardware share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hw.dataflow.units import Fold

_OPTIONS = (
    click.option("--part", help="FPGA part or board; default: the project's, or xc7z020clg400-1."),
    click.option("--clock-period", type=float, help="Clock period in ns; default: the project's, or 5."),
    click.option("--target-fps", type=float, help="Images per second to reach with the least area."),
    click.option(
        "--target-latency", type=float, help="Microseconds in which one image must pass, with the least area."
    ),
    click.option("--best-fit", is_flag=True, help="The highest rate that fits the part."),
    click.option("--fold", "folds", multiple=True, metavar="LAYER=PE,SIMD", help="Folding of one layer; repeatable."),
    click.option(
        "--rom", "roms", multiple=True, metavar="LAYER=lut|bram", help="Memory of a layer's weights; repeatable."
    ),
)


def folding_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a network is to be folded: `command` gets part, clock_period, target, folds and roms."""

    @functools.wraps(command)
    def with_target(
        *args: Any, target_fps: float | None, target_latency: float | None, best_fit: bool, folds: tuple[str, ...],
        roms: tuple[str, ...], **options: Any,
    ) -> Any:  # fmt: skip
        from hw.fold.search import Target

        target = Target(target_fps, target_latency, best_fit)
        return command(*args, target=target, folds=parse_folds(folds), roms=parse_roms(roms), **options)

    for option in reversed(_OPTIONS):
        with_target = option(with_target)
    return with_target


def parse_folds(texts: tuple[str, ...]) -> dict[str, Fold]:
    """The values of --fold. Raises `click.BadParameter` for one that is not LAYER=PE,SIMD."""
    from hw.dataflow.units import Fold

    result = {}
    for text in texts:
        layer, _, values = text.partition("=")
        try:
            pe, simd = (int(v) for v in values.split(","))
        except ValueError:
            raise click.BadParameter(
                f"{text!r}: expected LAYER=PE,SIMD, for example conv1=4,9", param_hint="--fold"
            ) from None
        result[layer] = Fold(pe, simd)
    return result


def parse_roms(texts: tuple[str, ...]) -> dict[str, str]:
    """The values of --rom. Raises `click.BadParameter` for one that is not LAYER=STYLE."""
    result = {}
    for text in texts:
        layer, _, style = text.partition("=")
        if not style:
            raise click.BadParameter(f"{text!r}: expected LAYER=lut or LAYER=bram", param_hint="--rom")
        result[layer] = style
    return result
