"""A budget of epochs is kept to, in the proportions of the recipe."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.convert.config import TernaryConfig
from crq.errors import CrqError
from crq.quant import METHOD_NAMES
from crq.train import recipe
from crq.train.budget import settled, within
from crq.train.recipe import PHASES
from crq.train.sections import Regularizer
from tests.support.recipes import values


def epochs_of(plan: recipe.Recipe) -> dict[str, int]:
    return {name: getattr(plan, name).epochs for name in PHASES}


def with_epochs(*epochs: int) -> recipe.Recipe:
    return recipe.parse(values(**{f"{name}__epochs": count for name, count in zip(PHASES, epochs, strict=True)}))


@given(epochs=st.tuples(*[st.integers(0, 200)] * 3), budget=st.integers(3, 500), retrains=st.booleans())
def test_phases_keep_to_the_budget(epochs: tuple[int, int, int], budget: int, retrains: bool) -> None:
    plan = with_epochs(*epochs)
    if not retrains:
        plan = plan.model_copy(update={"ternary": TernaryConfig(method="twn")})
    before, after = epochs_of(settled(plan)), epochs_of(settled(within(plan, budget)))
    taken = [name for name, count in before.items() if count]
    if taken:
        assert sum(after.values()) == budget
    whole = sum(before.values())
    for name in PHASES:
        if name in taken:
            assert after[name] >= 1
            assert abs(after[name] - before[name] * budget / whole) <= 3
        else:
            assert after[name] == 0


@given(epochs=st.tuples(*[st.integers(0, 200)] * 3), method=st.sampled_from(METHOD_NAMES), regularized=st.booleans())
def test_every_method_trains_as_long(epochs: tuple[int, int, int], method: str, regularized: bool) -> None:
    plan = with_epochs(*epochs).model_copy(update={"ternary": TernaryConfig(method=method)})
    if regularized:
        regularizer = Regularizer(name="margin", lam=0.1)
        plan = plan.model_copy(update={"retrain": plan.retrain.model_copy(update={"regularizer": regularizer})})
    found = settled(plan)
    assert sum(epochs_of(found).values()) == sum(epochs) == sum(phase.epochs for phase in found.phases.values())
    assert found.pretrain == plan.pretrain
    assert (found == plan) == (method in ("crq", "crq+") or regularized or not epochs[1])
    assert settled(found) == found


def test_nothing_but_the_epochs_changes() -> None:
    plan = with_epochs(10, 5, 5)
    short = within(plan, 8)
    assert epochs_of(short) == {"pretrain": 4, "retrain": 2, "finetune": 2}
    assert within(short, 20) == plan


def test_methods_that_are_compared_have_the_same_float_network() -> None:
    plan = with_epochs(36, 4, 36)
    plain = plan.model_copy(update={"ternary": TernaryConfig(method="ste")})
    assert epochs_of(within(plain, 40)) == epochs_of(within(plan, 40)) == {"pretrain": 19, "retrain": 2, "finetune": 19}
    assert epochs_of(settled(within(plain, 40))) == {"pretrain": 19, "retrain": 0, "finetune": 21}
    assert epochs_of(within(plain, 2)) == {"pretrain": 1, "retrain": 0, "finetune": 1}


def test_fewer_epochs_than_phases_are_refused() -> None:
    with pytest.raises(CrqError, match="2 epochs are too few for pretrain, retrain, finetune: give at least 3"):
        within(with_epochs(10, 5, 5), 2)
    assert epochs_of(within(with_epochs(10, 5, 5), np.int64(4))) == {"pretrain": 2, "retrain": 1, "finetune": 1}
    for epochs in (5.0, "5", True):
        with pytest.raises(CrqError, match="epochs: expected a whole number, not "):
            within(with_epochs(10, 5, 5), epochs)
