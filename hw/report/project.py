"""The report of a built project (its graph, folding, part and clock from the manifest), or one that was saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crq.hw.cost.own import Own
from crq.hw.devices.catalog import find_for
from crq.hw.errors import HwError
from crq.hw.forms.built import Built
from crq.hw.forms.verdicts import CHANGED, kept
from crq.hw.ir.ports import numbered
from crq.hw.report.model import SCHEMA, Report, build_report
from crq.hw.report.quality import simulated
from crq.hw.report.vendor import vendor_reports
from crq.hw.report.verdict import MADE
from crq.hw.rtl.measure import FILE, load

SAVED = "report.json"
NEEDED = frozenset(
    {"device", "clock_period_ns", "summary", "utilization", "units", "multiplier_free", "trust", "project"}
)
"""What every saved report has."""


def project_report(
    built: Built, *, part: str | None = None, clock_period_ns: float | None = None,
    info: Mapping[str, Any] | None = None, own: Own | None = None,
) -> Report:  # fmt: skip
    """The report of a built project, for its own part and clock unless others are given.

    own: see crq.hw.cost.own. `info` adds to what the project itself knows (`Report.project`).
    """
    manifest = built.manifest
    if part is not None:
        find_for(manifest.target, part)
    reports = vendor_reports(built.directory, built.name, manifest.clock_period)
    facts: dict[str, Any] = {
        "name": built.name,
        "backend": manifest.target,
        "io_type": manifest.io_type,
        "folding": {"goal": manifest.goal, "why": manifest.why, "wanted": dict(manifest.wanted)},
        "ports": {
            numbered(kind, port): dict(words)
            for kind, ports in (("input", manifest.inputs), ("result", manifest.results))
            for port, words in enumerate(ports)
        },
        "versions": manifest.versions,
        "changed": built.changed,
        "vendor": reports.rows,
        "vendor_unread": reports.unread,
    }
    measured = built.directory / FILE
    entries = kept(built)
    of_this = {key: entry for key, entry in entries.items() if entry["stale"] != CHANGED}
    if of_this or facts["changed"]:  # what was found of another design says nothing of this one
        entries = of_this
    if found := verdict_of(entries):
        facts |= {"verdict": found, **simulated(entries)}
    clock = manifest.clock_period if clock_period_ns is None else clock_period_ns
    return build_report(
        built.network, built.folds, part or manifest.board or manifest.part, clock,
        project_info={**facts, **(info or {})}, measurements=load(measured) if measured.is_file() else None,
        own=own,
    )  # fmt: skip


def verdict_of(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """`verdict` of report.json: what was found of a project (crq.hw.forms.verdicts), in one; None for nothing."""
    if not found:
        return None
    entries = list(found.values())
    data: dict[str, list[Mapping[str, Any]]] = {}
    for key, entry in found.items():
        for part in entry.get("verdicts") or [{"data": key, **entry}]:
            data.setdefault(str(part["data"] or MADE), []).append(part)
    # Netlists see a few images of the others'.
    named = {name: parts for name, parts in data.items() if parts[0].get("mode") != "netlist"} or data
    counted = list(named.values())
    modes = [part["mode"] for parts in data.values() for part in parts if part.get("mode")]
    found_proofs = [proof for entry in entries for proof in entry.get("proofs", [])]
    proofs = {
        proof["name"]: proof for proof in sorted(found_proofs, key=lambda proof: not proof["ok"])
    }  # a failure stays
    stale = dict.fromkeys(entry["stale"] for entry in entries if entry["stale"])
    return {
        # The same images in several modes are counted once.
        **{key: sum(max(part[key] for part in parts) for parts in counted) for key in ("images", "integers")},
        "samples": {name: max(part["images"] for part in parts) for name, parts in named.items() if name not in found},
        "differing": sum(entry["differing"] for entry in entries),
        "modes": list(dict.fromkeys(modes)),
        "against": " and ".join(dict.fromkeys(entry["against"] for entry in entries)),
        "equal": all(entry["equal"] for entry in entries),
        "proofs": list(proofs.values()),
        "created": max(entry["created"] for entry in entries),
        "stale": "; ".join(stale) or None,
    }


def report_facts(
    source: Path, *, part: str | None = None, clock_period_ns: float | None = None, own: Own | None = None
) -> dict[str, Any]:
    """The content of report.json for `source`: a project, a saved report.json, or the folder of a run that holds one.

    Raises `HwError` for a saved report of another schema, and if a saved report is asked for another part or clock.
    """
    saved = source / SAVED if source.is_dir() else source
    if not saved.is_file():
        if (source / "comparison.json").is_file():
            raise HwError(
                f"{source} is a comparison of recipes: its table is {source / 'comparison.md'}; report is for projects "
                "and for folders of crq run"
            )
        built = Built(source)
        if own and built.manifest.target == "rtl":
            raise HwError(f"{source} is an RTL project, whose band is measured; a calibration is for HLS projects")
        return project_report(built, part=part, clock_period_ns=clock_period_ns, own=own).to_dict()
    if part or clock_period_ns is not None or own:
        raise HwError(f"{saved} is a saved report; for another part, clock or calibration name the project's folder")
    try:
        facts = json.loads(saved.read_text())
        schema = facts["schema"]
        if schema == SCHEMA and (missing := sorted(NEEDED - facts.keys())):
            raise ValueError(f"it lacks {', '.join(missing)}")
    except (ValueError, LookupError, TypeError) as error:
        raise HwError(
            f"{saved} is no report that crq saved: expected a project's folder, a run's, or its report.json; "
            "crq build makes a project of a network file"
        ) from error
    if schema != SCHEMA:
        raise HwError(f"{saved} has schema {schema}, but this crq reads {SCHEMA}: make the report again")
    return dict(facts)
