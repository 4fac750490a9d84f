"""The epochs of a recipe's phases: what a method leaves out, and a budget for all."""

from __future__ import annotations

from numbers import Integral

from crq.errors import CrqError
from crq.train.recipe import PHASES, Recipe


def settled(recipe: Recipe) -> Recipe:
    """`recipe` as it trains: where its method has no retrain, the fine-tuning takes the retrain's epochs, so that
    methods that are compared train as long."""
    if recipe.retrains or not recipe.retrain.epochs:
        return recipe
    longer = recipe.finetune.model_copy(update={"epochs": recipe.finetune.epochs + recipe.retrain.epochs})
    none = recipe.retrain.model_copy(update={"epochs": 0})
    return recipe.model_copy(update={"retrain": none, "finetune": longer})


def within(recipe: Recipe, epochs: int) -> Recipe:
    """`recipe` with its phases shortened or stretched to `epochs` in all, in the proportions they have.

    A retrain keeps its share whatever the method, so that methods which are compared have the same float network; one
    that the method leaves out does so where there are epochs for it.
    Schedules, milestones and ramps are shares of a phase, and a dose is of the whole phase, so they follow. Every phase
    keeps at least one epoch. Raises `CrqError` for fewer epochs than phases.
    """
    phases = {name: phase for name in PHASES if (phase := getattr(recipe, name)).epochs}
    if not isinstance(epochs, Integral) or isinstance(epochs, bool):
        raise CrqError(f"epochs: expected a whole number, not {epochs!r}")
    if epochs < len(phases) and not recipe.retrains and "retrain" in phases:
        return within(settled(recipe), epochs)
    if epochs < len(phases):
        raise CrqError(f"{epochs} epochs are too few for {', '.join(phases)}: give at least {len(phases)}")
    whole = sum(phase.epochs for phase in phases.values())
    epochs = int(epochs)
    shares = {name: max(1, round(phase.epochs * epochs / whole)) for name, phase in phases.items()}
    # Roundings are the longest phase's.
    longest = max(shares, key=lambda name: shares[name], default=None)
    if longest is not None:
        shares[longest] += epochs - sum(shares.values())
    changed = {name: phases[name].model_copy(update={"epochs": count}) for name, count in shares.items()}
    return recipe.model_copy(update=changed)
