"""The one exception of the trainer."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CrqError(ValueError):
    """What the user asked for cannot be done; the message says where, why and what to do instead."""

    exit_code = 2


def nearest(word: str, known: Iterable[str]) -> str:
    """A ` (did you mean 'x'?)` suffix naming the closest of `known`, or an empty string."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {found[0]!r}?)" if found else ""


def non_finite(name: str) -> CrqError:
    """The error for a layer whose weights hold NaN or infinity."""
    return CrqError(f"{name} has non-finite weights: lower the learning rate or restore an earlier checkpoint")
