"""The errors of all three packages, and the words that help with a misspelt name."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Sequence


class CrqError(ValueError):
    """What the user asked for cannot be done; the message says where, why and what to do instead.

    The `crq` command prints the message of this error and of those below and exits with `exit_code`.
    """

    exit_code = 2


class VerificationError(CrqError):
    """Two things that must be equal bit for bit are not."""

    exit_code = 1


class ToolError(CrqError):
    """A program this step needs (g++, Yosys, Verilator …) is missing or failed."""

    exit_code = 3


def users_line() -> int:
    """The `stacklevel` with which a warning, of the caller of this, names the user's line: the first that is neither of
    torch nor of crq. One of those two where there is no such line."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "torch").partition(".")[0] not in (
            "torch",
            "crq",
        ):  # code of torch.fx has none
            return level
        frame, level = frame.f_back, level + 1
    return 1


def nearest_names(word: str, known: Iterable[str], n: int = 3, cutoff: float = 0.6) -> list[str]:
    """At most `n` of the `known` names that resemble `word`, the most alike first; cutoff: least likeness, 0 to 1."""
    return difflib.get_close_matches(word, list(known), n, cutoff)


def nearest(word: str, known: Iterable[str]) -> str:
    """A ` (did you mean 'x'?)` suffix naming the closest of `known`, or an empty string."""
    found = nearest_names(word, known, n=1, cutoff=0.55)
    return f" (did you mean {found[0]!r}?)" if found else ""


def few(names: Sequence[str]) -> str:
    """The first dozen of `names`."""
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def non_finite(name: str) -> CrqError:
    """The error for a layer whose weights hold NaN or infinity."""
    return CrqError(f"{name} has non-finite weights: lower the learning rate or restore an earlier checkpoint")
