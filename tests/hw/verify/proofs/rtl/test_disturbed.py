"""Disturbances that a right design survives, and a wrong one does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crq.hw.project import RtlProject
from crq.hw.verify.proofs.proof import Proof
from crq.hw.verify.proofs.rtl import disturbed
from tests.support.rtl_projects import copied, needs_verilator, project

PROOFS = (disturbed.cycles, disturbed.pressure, disturbed.resets, disturbed.initial)


@needs_verilator
@pytest.mark.parametrize("proof", PROOFS)
def test_a_project_as_it_is_built_passes(proof: Callable[[RtlProject], Proof]) -> None:
    found = proof(project())
    assert found.ok, found.facts
    assert any(letter.isdigit() for letter in found.facts)


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("proof", PROOFS)
def test_an_unrolled_project_passes(proof: Callable[[RtlProject], Proof]) -> None:
    found = proof(project("io_parallel"))
    assert found.ok, found.facts


@needs_verilator
def test_the_numbers_are_those_of_the_model() -> None:
    pace = project().plan.pipeline
    facts = disturbed.cycles(project()).facts
    assert f"an image every {pace.interval:,} cycles, the model says {pace.interval:,}" in facts


# What is changed in the core, and the proofs that must fail of it.
FAULTS = {
    "a state that no reset clears": (
        "if (rst) count <= 2'd0;\n    else if", "if", (disturbed.resets, disturbed.initial),
    ),
    "a word that does not wait": (
        "assign result_ready = m_axis_tready;", "assign result_ready = 1'b1;", (disturbed.pressure,),
    ),
}  # fmt: skip


@needs_verilator
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(fault: str, tmp_path: Path) -> None:
    old, new, proofs = FAULTS[fault]
    found = copied(project(), tmp_path / "p")
    path = found.directory / "rtl" / "net_axi.sv"
    text = path.read_text()
    assert old in text, text
    path.write_text(text.replace(old, new))
    for proof in proofs:
        result = proof(found)
        assert not result.ok, (proof.__name__, result.facts)


@needs_verilator
def test_other_cycles_than_the_models_fail(tmp_path: Path) -> None:
    found = copied(project(), tmp_path / "p")
    path = found.directory / "rtl" / "net.sv"
    text = path.read_text()
    assert "assign in0_ready = s_input_ready;" in text
    slow = "logic [5:0] slow;\n  always_ff @(posedge clk) slow <= rst ? '0 : slow + 1;\n"
    slow += "  assign in0_ready = s_input_ready && &slow;"
    text = text.replace("assign in0_ready = s_input_ready;", slow)
    path.write_text(text.replace("assign s_input_valid = in0_valid;", "assign s_input_valid = in0_valid && &slow;"))
    result = disturbed.cycles(found)
    assert not result.ok
    assert "the model says" in result.facts
