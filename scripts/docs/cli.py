"""reference/cli.md: every verb of the command, from click."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from pathlib import Path

import click

from crq.cli.group import FIRST, GROUP
from scripts.docs.text import GENERATED, table

ROOT = Path(__file__).resolve().parents[2]
HEAD = f"""\
# The command `crq`

{GENERATED}

A verb for every step, and `crq run` for all of them. `--json` prints results for programs. `crq VERB --help` says the
same as this page.

| exit code | what it says |
| --- | --- |
| 0 | success |
| 1 | two things that must be equal are not, or a proof failed |
| 2 | bad input: the message names the file, layer or option, and a way out |
| 3 | a tool, a library, disk or memory is missing |
| 4 | a fault of crq: please report it |
| 5 | `crq build`, `crq fold`: by the estimate weights, the folding or the project, which is built, exceed the part |
| 130, 143 | stopped by Ctrl-C or SIGTERM; the message says what goes on where it stopped |
"""


def verbs() -> dict[str, click.Command]:
    """By name, in the order of `crq --help`; those of this tree, whatever is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    places = {name: place.split(":") for name, place in project["entry-points"][GROUP].items()}
    names = [name for name in FIRST if name in places] + sorted(set(places) - set(FIRST))
    return {name: getattr(importlib.import_module(places[name][0]), places[name][1]) for name in names}


def page() -> str:
    return HEAD + "".join(_verb(name, command) for name, command in verbs().items())


def _verb(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    options = [p for p in command.params if isinstance(p, click.Option)]
    rows = [(_flags(option, context), _help(option)) for option in options]
    text = "\n\n".join(" ".join(p.split()) for p in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")))
    told = f"\n{table(('option', 'what it does'), rows)}\n" if rows else ""
    return f"\n## crq {name}\n\n`crq {name} {usage}`\n\n{text}\n{told}"


def _flags(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    if option.secondary_opts:
        names += ", " + ", ".join(f"`{name}`" for name in option.secondary_opts)
    if option.is_flag:
        return names
    value = option.metavar or option.make_metavar(context)
    return f"{names} `{value}`"


def _help(option: click.Option) -> str:
    text = " ".join((option.help or "").split())
    if option.required:
        text += " Required."
    if option.multiple and "repeatable" not in text:
        text += " Repeatable."
    if option.show_default:
        text += f" Default: {option.default}."
    return text.replace("<", r"\<")
