"""The outcome of a proof."""

from __future__ import annotations

from typing import NamedTuple


class Proof(NamedTuple):
    """`facts` says what was examined, or, if not `ok`, what was found."""

    name: str
    ok: bool
    facts: str
    exceptions: tuple[str, ...] = ()  # layers the proof does not cover, by name

    def __str__(self) -> str:
        text = f"{'passed' if self.ok else 'FAILED'}: {self.name}: {self.facts}"
        return f"{text}; not covered: {', '.join(self.exceptions)}" if self.exceptions else text
