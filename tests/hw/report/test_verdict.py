"""A verdict in words: good only where everything was equal and still stands."""

from __future__ import annotations

from typing import Any

import pytest

from crq.hw.report.verdict import verdict

FOUND = {"images": 10, "integers": 1000, "differing": 0, "against": "PyTorch", "equal": True}
PROOF = {"name": "sources", "ok": True, "skipped": False}


@pytest.mark.parametrize(
    ("changes", "good", "outcome", "says"),
    [
        ({}, True, "Bit-exact", "0 of 1,000 integers differ on 10 images, against PyTorch"),
        ({"differing": 7, "equal": False}, False, "NOT bit-exact", "7 of 1,000 integers differ"),
        ({"equal": False}, False, "FAILED", "0 of 1,000"),
        ({"proofs": [PROOF]}, True, "Bit-exact", "1 proofs passed"),
        ({"equal": False, "proofs": [{**PROOF, "ok": False}]}, False, "FAILED", "proofs failed: sources"),
        ({"proofs": [{**PROOF, "skipped": True}]}, True, "Bit-exact", "against PyTorch"),
        ({"stale": "conv1.cpp changed"}, False, "Bit-exact", "STALE, conv1.cpp changed: simulate again"),
        ({"created": "2026-11-26T10:00"}, True, "Bit-exact", "(2026-11-26)"),
    ],
)
def test_outcomes(changes: dict[str, Any], good: bool, outcome: str, says: str) -> None:
    found = verdict({**FOUND, **changes})
    assert found[:2] == (good, outcome)
    assert says in found[2]
