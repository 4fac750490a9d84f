"""The outcome of a proof."""

from __future__ import annotations

from typing import NamedTuple


class Proof(NamedTuple):
    """`facts` says what was examined, or, if not `ok`, what was found; `skipped`: there was nothing to examine.

    One with `exceptions` passed in part.
    """

    name: str
    ok: bool
    facts: str
    exceptions: tuple[str, ...] = ()  # layers and files the proof does not cover, by name
    skipped: bool = False

    def __str__(self) -> str:
        passed = "PARTLY" if self.exceptions else "passed"
        outcome = "skipped" if self.skipped else passed if self.ok else "FAILED"
        text = f"{outcome}: {self.name}: {self.facts}"
        return f"{text}; not covered: {', '.join(self.exceptions)}" if self.exceptions else text
