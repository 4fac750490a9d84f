"""What was found of a project when its integers were compared, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def verdict(found: Mapping[str, Any]) -> tuple[bool, str, str]:
    """Whether the project was found equal and still is, that in a word, and what was found."""
    exact = found.get("equal", found["differing"] == 0)
    text = (
        f"{found['differing']:,} of {found['integers']:,} integers differ on {found['images']:,} images, against "
        f"{found['against']}"
    )
    proofs = [proof for proof in found.get("proofs") or [] if not proof["skipped"]]
    if proofs:
        failed = [proof["name"] for proof in proofs if not proof["ok"]]
        text += f"; proofs failed: {', '.join(failed)}" if failed else f"; {len(proofs)} proofs passed"
    if found.get("created"):
        text += f" ({found['created'][:10]})"
    if found.get("stale"):
        text += f"; STALE, {found['stale']}: simulate again"
    outcome = "Bit-exact" if exact else "NOT bit-exact" if found["differing"] else "FAILED"
    return exact and not found.get("stale"), outcome, text
