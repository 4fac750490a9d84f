"""The verb `recipes`."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--show", metavar="NAME", help="Print this recipe as TOML, to start your own from.")
@click.option("--json", "as_json", is_flag=True, help="Print the recipes, or the one to show, as JSON.")
def recipes(show: str | None, as_json: bool) -> None:
    """List the built-in recipes, or print one."""
    from crq.train import recipe

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
