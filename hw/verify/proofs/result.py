"""The outcome of a check."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """`facts` says what was examined, or, if not `ok`, what was found."""

    name: str
    ok: bool
    facts: str
    exceptions: tuple[str, ...] = ()  # layers the check does not cover, by name

    def __str__(self) -> str:
        text = f"{'passed' if self.ok else 'FAILED'}: {self.name}: {self.facts}"
        return f"{text}; not covered: {', '.join(self.exceptions)}" if self.exceptions else text
