"""Means, spreads and paired differences of runs that are compared."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from crq.figures import ACCURACY, shown
from crq.train.compared import Row

FEWEST = 3
"""Seeds for an interval: of two differences that happen to be alike it would have no width, and so prove anything."""


def paired(rows: Sequence[Row], base: Sequence[Row], unit: float = 100.0) -> tuple[float, float]:
    """Mean of the differences in the test figure to the runs of the same seed in `base`, times `unit` (100: points),
    and half of its 95% interval (Student's t), which is infinite for fewer than `FEWEST` seeds."""
    from scipy.stats import t

    yardstick = {row.seed: row.test for row in base}
    apart = [unit * (row.test - yardstick[row.seed]) for row in rows]
    if len(apart) < FEWEST:
        return statistics.mean(apart), math.inf
    half = float(t.ppf(0.975, len(apart) - 1)) * statistics.stdev(apart) / math.sqrt(len(apart))
    return statistics.mean(apart), half


def compared(rows: Sequence[Row], metric: str = ACCURACY) -> list[dict[str, Any]]:
    """A JSON-ready dict per candidate, in the order of `rows`; the first is the one that others are compared with.

    test, float, validation, zeros, luts, seconds: means; spread: standard deviation of test; difference and half: of
    `paired`, accuracies in points, half None where there is no interval; samples: of the test split.
    """
    names = list(dict.fromkeys(row.candidate for row in rows))
    of = {name: [row for row in rows if row.candidate == name] for name in names}
    found = []
    for name, own in of.items():
        difference, half = paired(own, of[names[0]], _unit(metric))
        tests = [row.test for row in own]
        found.append(
            {
                "candidate": name, "seeds": [row.seed for row in own], "tests": tests, "epochs": own[0].epochs,
                "samples": own[0].samples,
                "float": _mean(own, "float_test"), "validation": _mean(own, "validation"),
                "test": statistics.mean(tests), "spread": statistics.stdev(tests) if len(tests) > 1 else None,
                "difference": None if name == names[0] else difference,
                "half": None if name == names[0] or math.isinf(half) else half,
                **{key: _mean(own, key) for key in ("zeros", "lut_folded", "lut_fast", "seconds")},
            }
        )  # fmt: skip
    return found


HEADS = (
    "candidate", "seeds", "float", "held out", "test", "against the first", "zeros", "LUT folded", "LUT fast", "CPU s",
)  # fmt: skip


def cells(found: dict[str, Any], metric: str = ACCURACY) -> list[str]:
    """One of `compared` in words, a cell for each of `HEADS`."""
    unit, digits = _unit(metric), 2 if metric.endswith(ACCURACY) else 4
    test = f"{unit * found['test']:.{digits}f}"
    if found["spread"] is not None:
        test += f" ± {unit * found['spread']:.{digits}f}"
    against = "–" if found["difference"] is None else f"{found['difference']:+.{digits}f}"
    if found["half"] is not None:
        against += f" ± {found['half']:.{digits}f}"
    held_out = "–" if found["validation"] is None else shown(metric, found["validation"])
    zeros = "–" if found["zeros"] is None else f"{found['zeros']:.0%}"
    luts = ["–" if found[key] is None else f"{found[key]:,.0f}" for key in ("lut_folded", "lut_fast")]
    return [
        found["candidate"], str(len(found["seeds"])), shown(metric, found["float"]), held_out, test, against, zeros,
        *luts, f"{found['seconds']:.0f}",
    ]  # fmt: skip


def remarks(found: Sequence[dict[str, Any]], metric: str = ACCURACY) -> list[str]:
    """What one has to know to read the table of `compared`: a sentence each."""
    seeds, samples = len(found[0]["seeds"]), found[0]["samples"]
    said = [] if seeds < 2 else [f"± of {metric}: standard deviation of seeds"]
    if len(found) > 1 and seeds < FEWEST:
        said.append(f"{seeds} {'seed' if seeds == 1 else 'seeds'}: no interval of the differences; that takes {FEWEST}")
    elif len(found) > 1:
        said.append("± of a difference: half of its 95% interval, paired by seed")
    if any(one["validation"] is not None for one in found):
        said.append("held out: on training samples kept apart, for choices")
    if metric.endswith(ACCURACY):
        said.append(f"one of {samples:,} test samples is {100 / samples:.2f} points")
    return said


def heads(metric: str = ACCURACY) -> list[str]:
    """`HEADS` for a figure of that name."""
    return [metric if head == "test" else head for head in HEADS]


def markdown(rows: Sequence[Row], metric: str = ACCURACY) -> str:
    """A table of all candidates in `rows`, the first being the yardstick."""
    lines = [heads(metric), ["---"] * len(HEADS), *(cells(found, metric) for found in compared(rows, metric))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _unit(metric: str) -> float:
    return 100.0 if metric.endswith(ACCURACY) else 1.0


def _mean(rows: Sequence[Row], key: str) -> float | None:
    values = [getattr(row, key) for row in rows]
    return None if any(value is None for value in values) else statistics.mean(values)
