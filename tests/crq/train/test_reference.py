"""The reference says of every key what recipes take."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from crq.errors import CrqError
from crq.train import recipe
from crq.train.reference import Part, reference
from tests.support.recipes import values

PARTS = {part.title: part for part in reference()}
KEYS = [(part, key) for part in PARTS.values() for key in part.keys]
HOME = {"[retrain] and [finetune] only": "finetune", "[pretrain], [retrain], [finetune]": "finetune"}


def path(part: Part) -> list[str]:
    """Where the keys of a part stand in a recipe."""
    if part.title == "The recipe itself":
        return []
    return HOME.get(part.title, part.title.strip("[]")).split(".")


def parsed(part: Part, given: dict[str, Any]) -> recipe.Recipe:
    """A recipe whose section has those keys."""
    whole = values()
    del whole["ternary"]
    inside = whole
    for name in path(part):
        inside = inside.setdefault(name, {})
    inside.update(given)
    return recipe.parse(whole)


@pytest.mark.parametrize(("part", "key"), KEYS, ids=lambda x: getattr(x, "title", getattr(x, "name", None)))
def test_every_key_says_what_it_is_and_its_examples_are_taken(part: Part, key: Any) -> None:
    assert len(key.meaning) > 5
    assert "None" not in key.meaning + key.default  # TOML has none
    for example in re.findall(r"`(\w+ = \{.+?\})`(?=$|[,;.])", key.meaning):
        given = tomllib.loads(example)
        assert list(given) == [key.name]
        parsed(part, given)
    if key.default.startswith("`"):  # is what holds where nothing is given
        required = {"[retrain.regularizer]": {"name": "margin", "lam": 0.1}, "[finetune.gradual]": {"by": "share"}}
        needed = required.get(part.title, {})
        written = tomllib.loads(f"x = {key.default.strip('`')}")["x"]
        assert parsed(part, needed) == parsed(part, {**needed, key.name: written}) or key.name in (
            "epochs", "lr", "batch_size", "calibration", "augment", "input_signed", "input_scale",
        )  # fmt: skip


def test_a_key_that_is_no_key_is_refused() -> None:
    for part in PARTS.values():
        with pytest.raises(CrqError, match="unknown key"):
            parsed(part, {"no_key": 1})


def test_words_for_files_are_not_those_for_the_command_line() -> None:
    assert PARTS["[hardware]"].keys[-1].meaning == "refuse weights that exceed the part's memory"
    assert not any("repeatable" in key.meaning for _, key in KEYS)
    assert {key.name for key in PARTS["[network]"].keys if "resnet20" in key.meaning} == {"name"}
    (lam,) = (key for key in PARTS["[retrain] and [finetune] only"].keys if key.name == "lam")
    assert "crq 0.001, crq+ 0.01" in lam.meaning
