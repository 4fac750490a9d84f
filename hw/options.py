"""Options that several verbs of the hardware share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hw.units import Fold


def folding_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--part, --clock-period, --target-fps and --fold, for verbs that take a project or a file (hw.source)."""
    for option in (
        click.option(
            "--fold", "folds", multiple=True, metavar="LAYER=PE,SIMD", help="Folding of one layer; repeatable."
        ),
        click.option("--target-fps", type=float, help="Images per second to reach with the least area."),
        click.option("--clock-period", type=float, help="Clock period in ns; default: the project's, or 5."),
        click.option("--part", help="FPGA part or board; default: the project's, or xc7z020clg400-1."),
    ):
        command = option(command)
    return command


def parse_folds(texts: tuple[str, ...]) -> dict[str, Fold]:
    """The values of --fold. Raises `click.BadParameter` for one that is not LAYER=PE,SIMD."""
    from hw.units import Fold

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
