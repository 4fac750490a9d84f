"""The verb `recipes`."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--show", metavar="NAME", help="Print this recipe as TOML, to start your own from.")
@click.option("--keys", is_flag=True, help="Print every key that a recipe may have: its type, default and meaning.")
@click.option("--json", "as_json", is_flag=True, help="Print the recipes, or the one to show, as JSON.")
def recipes(show: str | None, keys: bool, as_json: bool) -> None:
    """List the built-in recipes, or print one, or all keys."""
    from crq.train import recipe

    if keys:
        _print_keys(as_json)
        return
    if show:
        loaded = recipe.load(show)
        click.echo(json.dumps(loaded.model_dump(mode="json"), indent=2) if as_json else loaded.to_toml().rstrip())
        return
    rows = []
    for name in recipe.built_in():
        loaded = recipe.load(name)
        row = {"name": name, "network": loaded.network.name, "data": loaded.data.name, "method": loaded.ternary.method}
        rows.append(row)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']:<28} {row['network']} on {row['data']}, {row['method']}")


def _print_keys(as_json: bool) -> None:
    import shutil
    import textwrap

    from crq.train.reference import reference

    parts = list(reference())
    if as_json:
        click.echo(json.dumps({p.title: {k.name: k._asdict() for k in p.keys} for p in parts}, indent=2))
        return
    wide = min(shutil.get_terminal_size().columns, 120)
    for part in parts:
        click.echo(f"{part.title}\n{textwrap.fill(part.intro, wide)}".rstrip())
        for key in part.keys:
            default = {"required": ", required", "not given": "", "empty": ""}.get(
                key.default, f", default {key.default}"
            )
            text = f"{key.type}{default}: {key.meaning}".replace("`", "")
            click.echo(textwrap.fill(text, wide, initial_indent=f"  {key.name:<15} ", subsequent_indent=" " * 18))
        click.echo()
