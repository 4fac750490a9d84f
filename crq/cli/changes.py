"""A recipe with the changes that the command line makes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crq.train.recipe import Recipe


def changed_recipe(name: str, data_root: str | None, epochs: int | None = None, **changes: int | None) -> Recipe:
    """The recipe of that name or file; data_root and what of `changes` is given take the place of its own values.

    epochs: the budget that its phases are fitted to.
    """
    from crq.train import recipe as recipes
    from crq.train.budget import within

    loaded = recipes.load(name)
    values = loaded.model_dump(mode="python", exclude_unset=True)  # so that what it leaves out is still known
    given: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
    if data_root is not None:
        given["data"] = {**values["data"], "root": data_root}
    changed = recipes.parse({**values, **given}, name) if given else loaded
    return changed if epochs is None else within(changed, epochs)
