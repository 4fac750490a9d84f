"""Accumulators and thresholds of a project's modules: right ones pass, narrow and moved ones fail."""

from __future__ import annotations

import re
from pathlib import Path

from crq.hw.verify.proofs.rtl import layers
from tests.support.rtl_projects import copied, needs_verilator, project


@needs_verilator
def test_a_project_as_it_is_built_passes() -> None:
    sums, codes = layers.accumulators(project()), layers.thresholds(project())
    assert sums.ok, sums.facts
    assert re.match(r"2 layers alone, [\d,]+ sums, are exact at both ends of their range; \d need", sums.facts)
    assert codes.ok, codes.facts
    assert re.match(r"(\d+) of \1 boundaries", codes.facts)


@needs_verilator
def test_a_moved_threshold_fails(tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    tables = sorted((found.directory / "rtl").glob("conv1_[st]*.mem"))
    assert tables
    for path in tables:
        path.write_text("".join(f"{int(line, 16) ^ 1:x}\n" for line in path.read_text().split()))
    assert not layers.thresholds(found).ok


@needs_verilator
def test_a_weight_of_the_wrong_sign_fails(tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    path = found.directory / "rtl" / "fc5_w.mem"
    path.write_text("".join(f"{int(line, 16) ^ 1:x}\n" for line in path.read_text().split()))
    proof = layers.accumulators(found)
    assert not proof.ok
    assert "fc5" in proof.facts
