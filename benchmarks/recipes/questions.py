"""Questions and their candidates, as recipes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from crq.train import recipe as recipes

FILE = Path(__file__).with_name("questions.toml")


class Question(NamedTuple):
    """What is asked, and the answers that are tried: recipes' values by name, the first being the yardstick.

    plain: what its candidates have in common.
    """

    name: str
    asks: str
    candidates: dict[str, dict[str, Any]]
    plain: dict[str, Any]


def read(changes: dict[str, Any] | None = None) -> dict[str, Question]:
    """All questions of `questions.toml`; `changes` are made to what the candidates have in common."""
    values = tomllib.loads(FILE.read_text(encoding="utf-8"))
    common = values.pop("common")
    return {name: _question(name, found, common, changes or {}) for name, found in values.items()}


def _question(name: str, found: dict[str, Any], common: dict[str, Any], changes: dict[str, Any]) -> Question:
    plain = merged(merged(common, found.get("common", {})), changes)
    return Question(name, found["asks"], {key: merged(plain, own) for key, own in found["candidates"].items()}, plain)


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`values` with `changes` in their place, section by section."""
    out = dict(values)
    for key, change in changes.items():
        out[key] = merged(out.get(key, {}), change) if isinstance(change, dict) else change
    return out


def recipe_of(candidate: dict[str, Any], seed: int, epochs: int) -> recipes.Recipe:
    """The recipe of a candidate, its phases after the float network fitted to `epochs`."""
    retrain, finetune = (candidate[phase]["epochs"] for phase in ("retrain", "finetune"))
    first = round(epochs * retrain / (retrain + finetune)) if retrain else 0
    fitted = {"seed": seed, "retrain": {"epochs": first}, "finetune": {"epochs": epochs - first}}
    return recipes.parse(merged(candidate, fitted))


def float_of(question: Question, candidate: dict[str, Any], seed: int) -> recipes.Recipe:
    """The recipe of nothing but the float network: what candidates do after it is no part of it."""
    own = {section: candidate[section] for section in ("data", "network", "pretrain")}
    none = {"retrain": {"epochs": 0}, "finetune": {"epochs": 0}}
    return recipes.parse(merged(merged(question.plain, own), {"seed": seed, **none}))
