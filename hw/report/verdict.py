"""What was found of a project when its integers were compared, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODES = {"fast": "in C (fast)", "ap": "with ap types", "hls": "in C as synthesis reads it", "rtl": "in RTL",
         "netlist": "in the netlists"}  # fmt: skip


def verdict(found: Mapping[str, Any]) -> tuple[bool, str, str]:
    """Whether the project was found equal and still is, that in a word, and what was found."""
    exact = found.get("equal", found["differing"] == 0)
    counted = f"{found['integers']:,} integers on {found['images']:,} images"
    text = f"{found['differing']:,} of {counted} differ" if found["differing"] else f"all {counted} are equal"
    if modes := found.get("modes"):
        text += f", {' and '.join(MODES[mode] for mode in modes)}"
    text += f", against {found['against']}"
    proofs = [proof for proof in found.get("proofs") or [] if not proof["skipped"]]
    if proofs:
        failed = [proof["name"] for proof in proofs if not proof["ok"]]
        text += f"; proofs failed: {', '.join(failed)}" if failed else f"; {_passed(proofs)}"
    if found.get("created"):
        text += f" ({found['created'][:10]})"
    if found.get("stale"):
        text += f"; STALE, {found['stale']}: simulate again"
    outcome = "Bit-exact" if exact else "NOT bit-exact" if found["differing"] else "FAILED"
    return exact and not found.get("stale"), outcome, text


def _passed(proofs: list[Mapping[str, Any]]) -> str:
    partly = [proof["name"] for proof in proofs if proof.get("exceptions")]
    text = "1 proof passed" if len(proofs) == 1 else f"{len(proofs)} proofs passed"
    return text + (f", in part: {', '.join(partly)}" if partly else "")
