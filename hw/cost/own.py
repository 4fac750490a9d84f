"""A band for the HLS form from the reader's own vendor reports, in place of the judgement in `calibration`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from crq.files import write_json
from crq.hw.errors import HwError

NAMES = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36"}
RESOURCES = tuple(NAMES)
SCHEMA = 1
ENOUGH = 3
"""Reports that take the place of the judgement; fewer span less than the next one will be off."""


class Pair(NamedTuple):
    """One project: what `tool` reported of it beside the estimate; None where it does not say."""

    project: str
    tool: str
    estimated: Mapping[str, float]
    reported: Mapping[str, float | None]

    def ratio(self, resource: str) -> float | None:
        """Reported to estimated; None where it was not reported, or nothing is estimated."""
        reported, estimated = self.reported.get(resource), self.estimated[resource]
        return None if reported is None or not estimated else reported / estimated


@dataclass(frozen=True)
class Own:
    """spans: per resource the least and the most that was reported, as factors of the estimate; counts: of how many
    reports. unforeseen: the most that was reported where nothing was estimated. reports: of each its tool and project.
    """

    spans: Mapping[str, tuple[float, float]]
    counts: Mapping[str, int]
    unforeseen: Mapping[str, float]
    reports: tuple[str, ...]

    def ends(self, resource: str, estimate: float, usual: tuple[float, float]) -> list[float]:
        """[low, high] around an estimate; `usual`: factors of a resource that no report spans, which those of less than
        `ENOUGH` reports only widen."""
        low, high = self.spans.get(resource, usual)
        if self.counts.get(resource, 0) < ENOUGH:
            low, high = min(low, usual[0]), max(high, usual[1])
        return [estimate * low, estimate * high if estimate else self.unforeseen.get(resource, 0.0)]

    @property
    def basis(self) -> str:
        """What the band rests on, for the report."""
        named = ", ".join(f"{NAMES[key]} in {count}" for key, count in self.counts.items())
        text = f"the least and the most in vendor reports of your own ({named}: {'; '.join(self.reports)})"
        for key, most in self.unforeseen.items():
            text += f"; up to {most:g} {NAMES[key]} were reported where 0 was estimated"
        judged = [name for key, name in NAMES.items() if self.counts.get(key, 0) < ENOUGH]
        if judged:
            text += (
                f"; of {', '.join(judged)}, in less than {ENOUGH}, at least a judgement, 0.5 to 2 times the estimate"
            )
        return text

    def save(self, path: Path) -> None:
        write_json(path, {"schema": SCHEMA, **asdict(self)})

    @classmethod
    def load(cls, path: Path) -> Own:
        """Raises `HwError` for a file that `crq calibrate` did not write."""
        try:
            facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if facts.pop("schema") != SCHEMA:
                raise ValueError("another schema")
            spans = {name: (float(low), float(high)) for name, (low, high) in facts["spans"].items()}
            if not spans or not spans.keys() <= NAMES.keys() or not facts["reports"]:
                raise ValueError("expected spans of lut, ff or bram36, and the reports that they are of")
            if any(not 0 <= low <= high < math.inf for low, high in spans.values()):
                raise ValueError("a span is two numbers, the smaller first")
            counts = {name: int(facts["counts"][name]) for name in spans}
            unforeseen = {name: float(most) for name, most in facts["unforeseen"].items()}
            if not unforeseen.keys() <= NAMES.keys() or any(not 0 < most < math.inf for most in unforeseen.values()):
                raise ValueError("what was unforeseen is a number above 0")
            return cls(spans, counts, unforeseen, tuple(map(str, facts["reports"])))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise HwError(f"{path}: no calibration ({error}); `crq calibrate PROJECT… -o {path}` makes one") from error


def fit(pairs: Sequence[Pair]) -> Own:
    """The spans of all `pairs`. Raises `HwError` if no pair has an area to compare."""
    spans, counts, unforeseen = {}, {}, {}
    for resource in RESOURCES:
        ratios = [ratio for pair in pairs if (ratio := pair.ratio(resource)) is not None]
        if ratios:
            spans[resource], counts[resource] = (min(ratios), max(ratios)), len(ratios)
        most = max((pair.reported.get(resource) or 0.0 for pair in pairs if not pair.estimated[resource]), default=0.0)
        if most:
            unforeseen[resource] = most
    if not spans:
        raise HwError("none of the vendor reports gives an area: run build_prj.tcl to its end in each project")
    return Own(spans, counts, unforeseen, tuple(f"{pair.tool}: {pair.project}" for pair in pairs))
