"""Means, spreads and paired differences of the runs of a question."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from scipy.stats import t

from benchmarks.recipes.runs import Row


def paired(rows: Sequence[Row], base: Sequence[Row]) -> tuple[float, float]:
    """Mean of the differences in test accuracy to the runs of the same seed in `base`, and half of its 95% interval,
    both in points; the interval is infinite for one seed."""
    yardstick = {row.seed: row.test for row in base}
    apart = [100 * (row.test - yardstick[row.seed]) for row in rows]
    if len(apart) < 2:
        return apart[0], math.inf
    half = float(t.ppf(0.975, len(apart) - 1)) * statistics.stdev(apart) / math.sqrt(len(apart))
    return statistics.mean(apart), half


def markdown(rows: Sequence[Row]) -> str:
    """A table of all candidates in `rows`, the first being the yardstick."""
    names = list(dict.fromkeys(row.candidate for row in rows))
    of = {name: [row for row in rows if row.candidate == name] for name in names}
    base = of[names[0]]
    lines = [
        "| candidate | seeds | float | held out | test | against the first | zeros | LUT folded | LUT fast | CPU s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in of.items():
        if name == names[0]:
            difference = "–"
        else:
            mean, half = paired(found, base)
            difference = f"{mean:+.2f} ± {half:.2f}" if math.isfinite(half) else f"{mean:+.2f}"
        lines.append(
            f"| {name} | {len(found)} | {_mean(found, 'float_test'):.2%} | {_mean(found, 'validation'):.2%} | "
            f"{_spread(found)} | {difference} | {_mean(found, 'zeros'):.0%} | {_luts(found, 'lut_folded')} | "
            f"{_luts(found, 'lut_fast')} | {_mean(found, 'seconds'):.0f} |"
        )
    return "\n".join(lines)


def _mean(rows: Sequence[Row], key: str) -> float:
    return statistics.mean(getattr(row, key) for row in rows)


def _luts(rows: Sequence[Row], key: str) -> str:
    return "–" if getattr(rows[0], key) is None else f"{_mean(rows, key):,.0f}"


def _spread(rows: Sequence[Row]) -> str:
    found = [100 * row.test for row in rows]
    spread = f" ± {statistics.stdev(found):.2f}" if len(found) > 1 else ""
    return f"{statistics.mean(found):.2f}{spread}"
