"""Options that several verbs share: those of `BuildOptions`, made from its fields."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import click

from crq.options import TARGETS, BuildOptions, Folding, Form

FOLDING = (
    "target", "part", "clock_period", "target_fps", "target_latency", "best_fit", "folding", "max_beat", "weight_rom",
)  # fmt: skip
"""The options that a folding depends on."""

_TYPES = get_type_hints(BuildOptions)


def build_options(*names: str, whose: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options `names` of `BuildOptions`, all by default; the command gets those on its line as the dict `given`.

    `whose` says in the help where else a value may come from ("the recipe's, or ").
    """
    chosen = [f for f in fields(BuildOptions) if not names or f.name in names]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_given(*args: Any, **values: Any) -> Any:
            given = {f.name: _parsed(f.name, values.pop(f.name)) for f in chosen}
            return command(*args, given={k: v for k, v in given.items() if v is not None}, **values)

        result: Callable[..., Any] = with_given
        for f in reversed(chosen):
            result = _option(f, whose)(result)
        return result

    return decorate


def _option(f: Field[Any], whose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flag = f.metadata.get("flag", "--" + f.name.replace("_", "-"))
    text, kind = f.metadata["help"], _TYPES[f.name]
    if kind is bool:
        return click.option(flag, f.name, flag_value=not f.default, type=bool, default=None, help=text)
    if get_origin(kind) is dict:
        return click.option(flag, f.name, multiple=True, metavar=f.metadata["metavar"], help=text)
    if f.default is not None and f.default is not MISSING:
        shown = f"{f.default:g}" if isinstance(f.default, float) else f.default
        text = f"{text.removesuffix('.')}; default: {whose}{shown}."
    if get_origin(kind) is Literal:
        return click.option(flag, f.name, type=click.Choice(get_args(kind)), help=text)
    leaves = (kind, *_leaves(kind))
    return click.option(flag, f.name, type=next((t for t in (float, int) if t in leaves), str), help=text)


def _leaves(kind: Any) -> Iterable[Any]:
    """The types inside a union or annotated type."""
    for part in get_args(kind):
        yield from (part, *_leaves(part))


def _parsed(name: str, value: Any) -> Any:
    parse = _PARSERS.get(name)
    return value if parse is None else (parse(value) or None)


def spelled(options: BuildOptions, base: BuildOptions, always: Collection[str] = ()) -> list[str]:
    """The words of a command line that make `options` of `base`, which a recipe has, as `BuildOptions.with_given` does;
    those named in `always` also where they are the same."""
    words, told = [], {*always}
    if told & {*TARGETS} or any(getattr(options, name) != getattr(base, name) for name in TARGETS):
        told |= {*TARGETS}  # one that is given takes the place of all
    for f in fields(BuildOptions):
        value, flag = getattr(options, f.name), f.metadata.get("flag", "--" + f.name.replace("_", "-"))
        if value is None or (value == getattr(base, f.name) and f.name not in told):
            continue
        if isinstance(value, bool):
            words += [flag] if value != f.default else []
        elif isinstance(value, dict):
            words += [w for layer, one in value.items() for w in (flag, f"{layer}={_word(one)}")]
        else:
            words += [flag, _word(value)]
    return words


def _word(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) and float(f"{value:.10g}") == value else str(value)


def parse_folds(texts: tuple[str, ...]) -> dict[str, Folding]:
    """The values of --fold. Raises `click.BadParameter` for one that is not LAYER=PE,SIMD or LAYER=PE,SIMD,FORM."""
    result: dict[str, Folding] = {}
    for text in texts:
        found = re.fullmatch(r"(.+)=(\d+),(\d+)(?:,(parallel|folded))?", text)
        if found is None:
            raise click.BadParameter(
                f"{text!r}: expected LAYER=PE,SIMD, for example conv1=4,9, or with the form: conv1=4,9,parallel",
                param_hint="--fold",
            )
        layer, pe, simd, form = found.groups()
        result[layer] = (int(pe), int(simd), cast(Form, form)) if form else (int(pe), int(simd))
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


_PARSERS: dict[str, Callable[[tuple[str, ...]], dict[str, Any]]] = {"folding": parse_folds, "weight_rom": parse_roms}
