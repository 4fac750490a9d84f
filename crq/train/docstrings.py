"""What docstrings of the form `name: meaning. other: meaning` say of each name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable


def _starts(text: str, names: Iterable[str]) -> list[re.Match[str]]:
    some = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return list(re.finditer(rf"(?:^|(?<=[.;] ))((?:{some})(?:(?:,| and|, and) (?:{some}))*): ", text))


def before(docstring: str, names: Iterable[str]) -> str:
    """What a docstring says before its first `name: meaning`."""
    text = " ".join(inspect.cleandoc(docstring).split())
    hits = _starts(text, names)
    return text[: hits[0].start()] if hits else text


def keys(docstring: str, names: Iterable[str]) -> dict[str, str]:
    """What a docstring of sentences `name: meaning` and `name, name: meaning` says, by name."""
    known = sorted(names, key=len, reverse=True)
    text = " ".join(inspect.cleandoc(docstring).split())
    hits = _starts(text, known)
    found = {}
    for hit, following in zip(hits, [*hits[1:], None], strict=True):
        meaning = text[hit.end() : following.start() if following else len(text)].strip().rstrip(".;")
        for name in re.findall("|".join(known), hit[1]):
            found[name] = meaning
    return found
