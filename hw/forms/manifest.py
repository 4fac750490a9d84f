"""manifest.json: what a project was made of and how it is folded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crq.hw.dataflow.units import Fold
from crq.hw.errors import HwError
from crq.hw.ir.ports import numbered

FILE = "manifest.json"
TARGETS = ("hls", "rtl")
FORMAT = 6  # 1 had no list of files, 2 whole pixels in every stream, 3 no adder graphs, 4 no target, 5 no wish


ENDS = {"inputs": "input", "results": "result"}
"""Field to key of the first port."""


@dataclass(frozen=True)
class Manifest:
    """project: its name, that of the top function or module. target: its form, one of `TARGETS`. source: `name` and
    `sha256` of the file. part: the vendor's name. board: where one was asked for. clock_period: ns.

    folding: fold of each unit; goal: what the search aimed at; why: the reason of each unit's folding; wanted: the rate
    (`fps`) and latency (`latency_us`) asked for. layers: the function or module of each unit. tops: the network's
    function or module (`network`), and the AXI4-Stream core (`axi`) where there is one. inputs, results: the words
    in which an image and its results pass that core, by port (crq.hw.dataflow.words); in the file `input`, `input2`, ….
    testbench: `images`, how many of them were `given`, and `sha256` of its inputs. versions: of the packages that made
    it. files: SHA-256 of every other file of the project as it was built, by its path.
    """

    project: str
    target: str
    source: Mapping[str, str]
    part: str
    board: str | None
    clock_period: float
    io_type: str
    folding: Mapping[str, Fold]
    goal: str
    why: Mapping[str, str]
    wanted: Mapping[str, float]
    layers: Mapping[str, str]
    tops: Mapping[str, str]
    inputs: Sequence[Mapping[str, int]]
    results: Sequence[Mapping[str, int]]
    testbench: Mapping[str, Any]
    versions: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def made_of(self) -> str:
        """By what and of what the project was made, for the heads of its sources."""
        name = "".join(c if c.isprintable() else "?" for c in self.source["name"])  # it stands in a comment of a line
        digest = self.source["sha256"]
        return f"Made by crq {self.versions['crq']} of {name}, sha256 {digest[:16]}…, for {self.part}."

    def to_dict(self) -> dict[str, Any]:
        """The content of manifest.json."""
        facts: dict[str, Any] = {"format": FORMAT}
        for name, value in asdict(self).items():
            if name in ENDS:
                facts |= {numbered(ENDS[name], port): words for port, words in enumerate(value)}
            else:
                facts[name] = value
        return {**facts, "folding": {name: list(fold) for name, fold in self.folding.items()}}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Raises `HwError` unless the file `path` is a manifest of a format that this version knows."""
        try:
            facts = json.loads(path.read_text())
            found = facts.pop("format", None)
        except (ValueError, AttributeError, TypeError) as error:
            raise HwError(f"{path}: no manifest of a crq project ({error}); build the project again") from error
        if found != FORMAT:
            raise HwError(f"{path}: format {found!r}; this version reads format {FORMAT}. Build the project again")
        if (target := facts.get("target")) not in TARGETS:
            raise HwError(
                f"{path}: target {target!r}; this version knows {', '.join(TARGETS)}. Build the project again"
            )
        try:
            ends = {name: _ports(facts, key) for name, key in ENDS.items()}
            folding = {name: Fold(*fold) for name, fold in facts["folding"].items()}
            return cls(**{**facts, **ends, "folding": folding})
        except (TypeError, LookupError, AttributeError) as error:
            raise HwError(f"{path}: no manifest of a crq project ({error}); build the project again") from error


def _ports(facts: dict[str, Any], key: str) -> list[Mapping[str, int]]:
    """The words of each port, taken out of `facts`."""
    found = [facts.pop(key)]
    while numbered(key, len(found)) in facts:
        found.append(facts.pop(numbered(key, len(found))))
    return found
