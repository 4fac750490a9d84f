"""reference/recipe.md: every key of a recipe (crq.train.reference)."""

from __future__ import annotations

from crq.train.reference import reference
from scripts.docs.text import GENERATED, prose, table

HEAD = f"""\
# Recipes

{GENERATED}

A recipe is one TOML file with all that a training run depends on. `crq recipes` lists those that come with crq, `crq
recipes --keys` prints what follows. `crq train RECIPE` takes a name or a file. An unknown key, a wrong type and a value
out of range are refused by name before training. What phases do is told in
[From a module to a trained network](../training.md), what `name` of the data may be in [Data](../data.md).
"""


def page() -> str:
    parts = [HEAD]
    for title, intro, found in reference():
        rows = table(("key", "type", "default", "meaning"), [(f"`{key.name}`", *key[1:]) for key in found])
        parts.append(f"\n## {title}\n\n{prose(intro) + chr(10) * 2 if intro else ''}{rows}\n")
    return "".join(parts)
