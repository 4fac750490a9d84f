"""What was found of a project, kept in it (verdicts.json): what was compared with what, when, and if it still holds."""

from __future__ import annotations

import datetime
import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

from crq.files import sha256, write_json
from crq.hw.forms.built import Built
from crq.hw.forms.folder import own

FILE = "verdicts.json"
SCHEMA = 1
CHANGED = "the project changed since"
"""`stale` of what was found of another design than the project is now."""
KEYS = frozenset({"against", "images", "integers", "differing", "equal", "created", "project"})
"""What every entry has; one that lacks any is no verdict."""


def content_hash(built: Built) -> str:
    """SHA-256 over the project's own files as they are now: what a verdict is of."""
    digest = hashlib.sha256()
    for name in sorted(built.manifest.files):
        path = built.directory / name
        digest.update(f"{name}:{sha256(path) if path.is_file() else 'missing'}\n".encode())
    return digest.hexdigest()


def keep(built: Built, key: str, facts: dict[str, Any], reference: str | Path | None = None) -> None:
    """Keep `facts` under `key`, in place of what was found before under it.

    What was found before of more images of the same project and reference stays, unless now something differs; its
    proofs stay too where there are no new ones, and new ones join it.

    facts: `against`, `images`, `integers`, `differing`, `equal`, and whatever else JSON holds. reference: the file that
    was compared with.
    """
    entry = {
        **facts,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "project": content_hash(built),
        "reference": None
        if reference is None
        else {"file": str(Path(reference).resolve()), "sha256": sha256(reference)},
        "versions": {package: metadata.version(package) for package in ("crq", "hls4ml", "qonnx", "onnx", "numpy")},
    }
    path = built.directory / FILE
    found = _read(path)
    before = found.get(key)
    if before and all(before.get(name) == entry[name] for name in ("project", "reference")):
        if before["images"] > entry["images"] and entry["equal"]:
            if not entry.get("proofs"):
                return
            layers = before.get("layers") or []
            same = before["differing"] == 0 and not any(link["differing"] or link["missing"] for link in layers)
            entry = {**before, "proofs": entry["proofs"], "equal": same}
        if before.get("proofs") and not entry.get("proofs"):
            entry["proofs"] = before["proofs"]
            entry["equal"] = entry["equal"] and all(proof["ok"] for proof in before["proofs"])
    write_json(path, {"schema": SCHEMA, "found": {**found, key: entry}})
    own(built.directory, path)


def kept(built: Built) -> dict[str, dict[str, Any]]:
    """What was found, by key; `stale` says what changed since, or is None."""
    found = _read(built.directory / FILE)
    now = content_hash(built) if found else ""
    return {key: {**entry, "stale": _stale(entry, now)} for key, entry in found.items()}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        facts = json.loads(path.read_text())
        if facts["schema"] != SCHEMA:
            return {}
        return {key: dict(entry) for key, entry in facts["found"].items() if entry.keys() >= KEYS}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _stale(entry: dict[str, Any], project: str) -> str | None:
    if entry.get("project") != project:
        return CHANGED
    reference = entry.get("reference")
    if reference:
        path = Path(reference["file"])
        if not path.is_file():
            return f"{path} is no longer there"
        if sha256(path) != reference["sha256"]:
            return f"{path} changed since"
    return None
