"""Measured areas: units of a network, each with the FIFOs in front of it, through real synthesis.

What is synthesised is the RTL form (hw/rtl). The result is kept as synthesis.json in a project, where reports find it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from crq.errors import nearest_names
from crq.files import write_text
from crq.hw.compiler import cache_folder
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.streams import fifo_depths
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.rtl.generate import generate_unit
from crq.hw.rtl.synth import synthesize, tool

FILE = "synthesis.json"
SCHEMA = 1


class Measured(NamedTuple):
    """One unit as synthesised under `fold`; `seconds` of the synthesis, also if its result came from the cache."""

    fold: Fold
    resources: Resources
    seconds: float


@dataclass(frozen=True)
class Measurements:
    """Units that were synthesised for one Yosys family."""

    tool: str
    family: str
    created: str
    units: dict[str, Measured] = field(default_factory=dict)

    def to_json(self) -> str:
        rows = {
            name: {**m.fold._asdict(), "seconds": m.seconds, **m.resources.facts()} for name, m in self.units.items()
        }
        facts = {"schema": SCHEMA, "tool": self.tool, "family": self.family, "created": self.created, "units": rows}
        return json.dumps(facts, indent=2) + "\n"


def load(path: Path) -> Measurements:
    """What a synthesis.json holds. Raises `HwError` if it is damaged or of another schema."""
    try:
        return _measurements(json.loads(path.read_text()))
    except (ValueError, LookupError, TypeError) as error:
        raise HwError(
            f"{path}: no measurements of crq synth in schema {SCHEMA} ({error!r}); remove it and run `crq synth` again"
        ) from error


def _measurements(facts: dict[str, Any]) -> Measurements:
    if facts["schema"] != SCHEMA:
        raise ValueError(f"schema {facts['schema']!r}")
    rows = {
        name: Measured(
            Fold(**{key: r[key] for key in Fold._fields}),
            Resources(r["lut_logic"], r["lut_memory"], r["ff"], r["bram18"], r["uram"], r["dsp"]),
            r["seconds"],
        )
        for name, r in facts["units"].items()
    }
    return Measurements(facts["tool"], facts["family"], facts["created"], rows)


def store(path: Path, new: Measurements) -> Measurements:
    """Writes `new` together with what `path` holds of other units for the same family and tool."""
    units_before = {}
    if path.is_file():
        before = load(path)
        if (before.family, before.tool) == (new.family, new.tool):
            units_before = before.units
    merged = Measurements(new.tool, new.family, new.created, {**units_before, **new.units})
    write_text(path, merged.to_json())
    return merged


def pick(network: Network, names: Sequence[str]) -> list[Unit]:
    """The units with these names, all if there are none. Raises `HwError` with the nearest names."""
    known = {unit.name: unit for unit in units(network)}
    for name in names:
        if name not in known:
            near = nearest_names(name, known) or list(known)[:8]
            raise HwError(f"layer {name!r}: no such unit; did you mean {', '.join(near)}?")
    return [unit for name, unit in known.items() if not names or name in names]


def measure(
    network: Network, folds: Mapping[str, Fold], chosen: Sequence[Unit], family: str, *, cache: Path | None = None,
    jobs: int = 1, on_unit: Callable[[str], None] = lambda name: None,
) -> Measurements:  # fmt: skip
    """Synthesises the `chosen` units for `family`, `jobs` at a time; calls `on_unit` after each.

    Raises `ToolError` if Yosys is missing or fails.
    """
    name_of_tool = tool()
    depths, beats = fifo_depths(network, folds), stream_beats(network, folds)

    def one(unit: Unit) -> Measured:
        given = tuple(beats[t.name] for t in unit.sources)
        done = synthesize(generate_unit(unit, folds[unit.name], given, depths, family), family, cache=cache)
        return Measured(folds[unit.name], done.total(), done.seconds)

    found: dict[str, Measured] = {}
    with ThreadPoolExecutor(jobs) as pool:
        pending = {pool.submit(one, unit): unit.name for unit in chosen}
        try:
            for future in as_completed(pending):
                found[pending[future]] = future.result()
                on_unit(pending[future])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Measurements(name_of_tool, family, now, {unit.name: found[unit.name] for unit in chosen})


def default_cache() -> Path:
    """$XDG_CACHE_HOME/crq/synthesis."""
    return cache_folder("synthesis")
