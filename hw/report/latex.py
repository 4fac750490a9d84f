"""Tables in LaTeX, with the booktabs package."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_SPECIAL = {
    **{c: f"\\{c}" for c in "&%$#_{}"}, "\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}", "±": r"$\pm$", "–": "--",
}  # fmt: skip


def tabular(heads: Sequence[str], rows: Sequence[Sequence[str]], words: Collection[str]) -> str:
    """Plain text as a tabular; the columns headed by `words` are flush left, the others, numbers, flush right."""
    lines = [
        "% needs \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{{''.join('l' if head in words else 'r' for head in heads)}}}",
        "\\toprule", _line(heads), "\\midrule", *map(_line, rows), "\\bottomrule", "\\end{tabular}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def escaped(cell: str) -> str:
    """Plain text for LaTeX; a range of numbers, 4-8, gets its dash."""
    cell = re.sub(r"^(\d+)-(\d+)$", "\\1\N{EN DASH}\\2", cell)
    return "".join(_SPECIAL.get(c, c) for c in cell)
