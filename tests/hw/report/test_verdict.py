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
        ({}, True, "Bit-exact", "all 1,000 integers on 10 images are equal, against PyTorch"),
        ({"differing": 7, "equal": False}, False, "NOT bit-exact", "7 of 1,000 integers on 10 images differ"),
        ({"equal": False}, False, "FAILED", "all 1,000"),
        ({"proofs": [PROOF]}, True, "Bit-exact", "1 proof passed"),
        (
            {"proofs": [PROOF, {**PROOF, "name": "mutations", "exceptions": ["a.mem"]}]},
            True,
            "Bit-exact",
            "2 proofs passed, in part: mutations",
        ),
        ({"modes": ["fast", "ap"]}, True, "Bit-exact", "are equal, in C (fast) and with ap types, against PyTorch"),
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
