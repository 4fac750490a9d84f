"""Names of layers in little room, each still its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def shortened(names: Iterable[str], width: int) -> dict[str, str]:
    """Each name, or its end behind an ellipsis where it has more than `width` characters; whole where two would become
    one. Raises ValueError for a width below 2."""
    if width < 2:
        raise ValueError(f"width {width}; expected 2 or more")
    whole = list(dict.fromkeys(names))
    cut = {name: name if len(name) <= width else "…" + name[1 - width :] for name in whole}
    often = Counter(cut.values())
    return {name: short if often[short] == 1 else name for name, short in cut.items()}
