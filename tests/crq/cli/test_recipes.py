"""`crq recipes`: a list, or one recipe to start from."""

import json

from click.testing import CliRunner

from crq.cli.recipes import recipes
from crq.train import recipe


def shown(*arguments: str) -> str:
    return CliRunner().invoke(recipes, arguments).stdout


def test_a_line_for_every_recipe() -> None:
    lines = shown().splitlines()
    assert [line.split()[0] for line in lines] == recipe.built_in()
    assert "digits                       digits-cnn on digits, crq" in lines


def test_as_json() -> None:
    listing = json.loads(shown("--json"))
    assert [row["name"] for row in listing] == recipe.built_in()
    assert {"name": "digits", "network": "digits-cnn", "data": "digits", "method": "crq"} in listing
    assert recipe.parse(json.loads(shown("--show", "digits", "--json"))) == recipe.load("digits")


def test_a_shown_recipe_is_a_recipe(tmp_path) -> None:
    for name in recipe.built_in():
        (tmp_path / "r.toml").write_text(shown("--show", name))
        assert recipe.load(tmp_path / "r.toml") == recipe.load(name)
    text = shown("--show", "digits")
    sections = [line.strip("[]") for line in text.splitlines() if line.startswith("[") and "." not in line]
    assert sections == ["data", "network", "ternary", "pretrain", "retrain", "finetune", "hardware"]
    assert "\nlr = 0.02\n" in text


def test_all_keys_are_printed_with_what_they_mean() -> None:
    text = shown("--keys")
    parts = json.loads(shown("--keys", "--json"))
    assert max(map(len, text.splitlines())) <= 120
    for title, keys in parts.items():
        assert f"\n{title}\n" in f"\n{text}"
        assert all(f"\n  {name} " in text for name in keys)
    assert parts["[hardware]"]["fit_check"]["meaning"] == "refuse weights that exceed the part's memory"
