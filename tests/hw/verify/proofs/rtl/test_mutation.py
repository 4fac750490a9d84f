"""Faults that are put into memories and modules, and what sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq import hw
from crq.hw.verify.proofs.rtl import mutation
from tests.support.random_graphs import GraphBuilder
from tests.support.rtl_projects import needs_verilator, project


@needs_verilator
def test_a_project_shows_its_faults() -> None:
    proof = mutation.check(project())
    assert proof.ok, proof.facts
    assert "faults show, in " in proof.facts


@needs_verilator
@pytest.mark.slow
def test_an_unrolled_project_shows_its_faults() -> None:
    proof = mutation.check(project("io_parallel"))
    assert proof.ok, proof.facts
    assert f"{mutation.TEXTS} modules" in proof.facts


def test_memories_are_changed_by_one_bit_each() -> None:
    faults = list(mutation._memory_faults(project()))
    folder = project().directory / "rtl"
    assert {fault.file for fault in faults} == {path.name for path in folder.glob("*.mem")}
    for fault in faults:
        pairs = zip((folder / fault.file).read_text().split(), fault.text.split(), strict=True)
        changed = [int(a, 16) ^ int(b, 16) for a, b in pairs if a != b]
        assert len(changed) == 1
        assert changed[0].bit_count() == 1


def test_an_adder_changes_its_sign_and_a_constant_its_lowest_bit() -> None:
    text = "  (* keep *) wire [4:0] v3 = 5'(v1) + 5'(v2);\n  (* keep *) wire [5:0] v4 = 6'(v3) - 6'(v0);\n"
    assert mutation._other_sign(text) == text.replace("- 6'", "+ 6'")
    assert mutation._other_sign("nothing") == "nothing"
    short, long = ".FIXED_T(12'hab4)", ".FIXED_T({4'h1, 320'hffe})"
    assert mutation._moved(f"x {short} {short}") == f"x .FIXED_T(12'hab5) {short}"
    assert mutation._moved(long) == ".FIXED_T({4'h1, 320'hfff})"


def test_without_weights_and_thresholds_there_is_nothing_to_change(tmp_path: Path, monkeypatch) -> None:
    g = GraphBuilder((2, 3, 3), "UINT4")
    found = hw.build(g.finish(g.shift("x", 1)), tmp_path / "p", target="rtl")
    monkeypatch.setattr(mutation, "_Watch", lambda built: None)
    assert mutation.check(found).skipped
