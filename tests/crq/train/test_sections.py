"""The sections of a recipe by themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from crq.train import sections


def test_unknown_keys_and_infinite_numbers_are_errors() -> None:
    for wrong in ({"epochz": 1}, {"lr": float("inf")}, {"lr": float("nan")}):
        with pytest.raises(ValidationError):
            sections.Phase.model_validate({"epochs": 1, **wrong})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"schedule": "step"}, "step cuts the rate at milestones, shares of the phase"),
        ({"schedule": "step", "milestones": [3, 6]}, "less than 1"),
        ({"schedule": "step", "milestones": [-0.5]}, "greater than 0"),
        ({"milestones": [0.5]}, "milestones and gamma are for schedule = \"step\", not 'cosine'"),
        ({"gamma": 0.5}, "milestones and gamma are for"),
    ],
)
def test_a_step_has_milestones_and_nothing_else_has(given: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        sections.Phase.model_validate({"epochs": 1, **given})


def test_levels_are_for_representatives() -> None:
    assert sections.Regularizer(name="representatives", lam=0.1, levels=5).levels == 5
    with pytest.raises(ValidationError, match="levels is for representatives, not for margin"):
        sections.Regularizer(name="margin", lam=0.1, levels=5)


def test_one_column_needs_no_list() -> None:
    found = sections.Data.model_validate({"name": "t.csv", "columns": "a", "skip_columns": "id"})
    assert (found.columns, found.skip_columns) == (("a",), ("id",))


def test_the_rise_is_the_schedules_unless_given() -> None:
    rises = [sections.Phase(epochs=1, schedule=s, warmup=w).rise for s, w in (("cosine", None), ("one-cycle", None),
                                                                             ("one-cycle", 0.1))]  # fmt: skip
    assert rises == [0.0, 0.3, 0.1]


def test_every_key_of_a_phase_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    keys = {*sections.Penalized.model_fields, *sections.Distillation.model_fields, *sections.Regularizer.model_fields}
    assert [key for key in keys if not re.search(rf"`[^`]*\b{key}\b[^`]*`", text)] == []
