"""The questions of benchmarks/recipes: every candidate is a recipe that can be trained."""

import pytest

from benchmarks.recipes.questions import float_of, read, recipe_of

QUESTIONS = read()


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_candidate_is_a_recipe_of_as_many_epochs(name: str) -> None:
    question = QUESTIONS[name]
    assert len(question.candidates) > 1
    for candidate in question.candidates.values():
        made = recipe_of(candidate, seed=3, epochs=16)
        assert made.seed == 3
        assert made.retrain.epochs + made.finetune.epochs == 16
        assert list(float_of(question, candidate, seed=3).phases) == ["pretrain"]


def test_a_change_reaches_every_candidate() -> None:
    changed = read({"precision": "32-true", "network": {"name": "lenet"}})["long"]
    made = [recipe_of(candidate, seed=0, epochs=4) for candidate in changed.candidates.values()]
    assert {(recipe.precision, recipe.network.name) for recipe in made} == {("32-true", "lenet")}
