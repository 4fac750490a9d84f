"""A recipe with what the command line changes."""

import pytest

from crq.cli.changes import changed_recipe
from crq.errors import CrqError
from crq.train import recipe


def test_nothing_given_leaves_the_recipe() -> None:
    assert changed_recipe("digits", None, seed=None, steps=None) == recipe.load("digits")


def test_what_is_given_wins_and_the_rest_stays() -> None:
    before, found = recipe.load("mnist-lenet"), changed_recipe("mnist-lenet", "/data", seed=3, steps=None)
    assert (found.seed, found.steps, found.data.root) == (3, before.steps, "/data")
    changed = {**before.model_dump(), "seed": 3, "data": {**before.data.model_dump(), "root": "/data"}}
    assert found.model_dump() == changed


def test_wrong_values_are_named() -> None:
    with pytest.raises(CrqError, match="digits: key 'seed'"):
        changed_recipe("digits", None, seed=-1)


def test_a_budget_of_epochs() -> None:
    found = changed_recipe("digits", None, 12)
    assert sum(phase.epochs for phase in (found.pretrain, found.retrain, found.finetune)) == 12
