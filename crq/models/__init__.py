"""Networks: plain modules that know nothing of quantization. `build(name, ...)` makes one by name."""

from __future__ import annotations

import importlib
from typing import Any

from torch import nn

from crq.errors import CrqError, nearest

_HOMES = {
    "digits-cnn": ("digits", "DigitsCNN"),
}


def names() -> list[str]:
    """The networks `build` knows."""
    return sorted(_HOMES)


def build(name: str, **options: Any) -> nn.Module:
    """The network called `name` with freshly initialised weights; an unknown name or option raises `CrqError`."""
    if name not in _HOMES:
        raise CrqError(f"unknown network {name!r}{nearest(name, _HOMES)}; known networks are {', '.join(names())}")
    module, function = _HOMES[name]
    try:
        return getattr(importlib.import_module(f"crq.models.{module}"), function)(**options)
    except TypeError as error:
        raise CrqError(f"network {name!r}: {error}") from error
