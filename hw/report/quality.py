"""How well a network does, as a report knows it: from its training, or from a simulation on labelled data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crq.figures import ACCURACY

STAGES = ("frozen", "simulated")
"""Of the values of a report, which is the network's: equal integers score the same."""


def quality(project: Mapping[str, Any]) -> tuple[str, float | None]:
    """The metric of a report's `project` and the network's value; None where nobody knows."""
    metric = project.get("metric", ACCURACY)
    stages = project.get(metric) or {}
    return metric, next((stages[stage] for stage in STAGES if stage in stages), None)


def simulated(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What simulations kept in a project (crq.hw.forms.verdicts) scored, of the most samples: `metric`, and by its name
    the value; nothing where none of labelled data is bit-exact and of the project as it is."""
    holds = [one for one in found.values() if one["equal"] and not one["stale"]]
    scored = [part for one in holds for part in one.get("verdicts") or [one] if part.get("figures")]
    if not scored:
        return {}
    figures = max(scored, key=lambda one: one["images"])["figures"]
    metric = next(iter(figures))
    return {"metric": metric, metric: {"simulated": figures[metric]}}
