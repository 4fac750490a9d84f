"""The files of a design: those it uses, each behind the modules that are in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_INSTANCE = re.compile(r"\b([A-Za-z]\w*)\s+(?:#\s*\(|u_\w+\s*\()")
_COMMENT = re.compile(r"//.*")


def used(sources: Mapping[str, str], top: str) -> dict[str, str]:
    """Of `sources` (text by file name, each the module of its name) the `top` and what is in it, innermost first."""
    texts = {name.removesuffix(".sv"): text for name, text in sources.items()}
    found: dict[str, str] = {}
    waiting = [(top, False)]
    while waiting:
        module, ready = waiting.pop()
        if f"{module}.sv" in found:
            continue
        if ready:
            found[f"{module}.sv"] = texts[module]
            continue
        words = set(_INSTANCE.findall(_COMMENT.sub("", texts[module])))
        waiting.append((module, True))
        waiting += [(inner, False) for inner in sorted((words & texts.keys()) - {module}, reverse=True)]
    return found
