"""The arguments of a call in a traced graph, by name."""

from __future__ import annotations

from typing import Any

from torch import fx


def arguments(node: fx.Node, *names: str, **defaults: Any) -> dict[str, Any]:
    """Positional and keyword arguments of a call under their names; an unknown or missing one raises KeyError."""
    values = dict(defaults)
    values.update(zip(names, node.args, strict=False))
    values.update(node.kwargs)
    if len(node.args) > len(names) or not set(values) <= set(names):
        raise KeyError(node.name)
    return values
