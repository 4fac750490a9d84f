"""The verb `new`: a folder to start a network of one's own from."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path

import click

KINDS = ("images", "signals", "tables")
SHARED = ("recipe.toml", "README.md")
OWN = ("data.py", "net.py")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--for", "kind", type=click.Choice(KINDS), default="images", show_default=True, help="Kind of data.")
def new(folder: Path, kind: str) -> None:
    """Write a starter project into FOLDER, which must be new or empty.

    It has a recipe, your data and network as two short Python files, and a README with the commands. It runs as it is,
    on stand-in data: change one file after the other.
    """
    from crq.files import empty_folder, write_text

    empty_folder(folder)
    starters = files("crq.cli") / "starters"
    # Files are named after a recipe, so its name has plain characters only.
    name = re.sub(r"[^A-Za-z0-9_.+ -]|^[^A-Za-z0-9_]", "_", folder.resolve().name)[:100]
    for file in SHARED:
        write_text(folder / file, (starters / file).read_text(encoding="utf-8").replace("NAME", name))
    for file in OWN:
        write_text(folder / file, (starters / kind / file).read_text(encoding="utf-8"))
    click.echo(f"{folder}: {', '.join((*SHARED, *OWN))}")
    click.echo(f"next: cd {shlex.quote(str(folder))} && crq run recipe.toml -o runs/first")
