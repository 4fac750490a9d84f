"""Every threshold where it is: a table that is off by one anywhere fails, and what cannot be proven is named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.verify.proofs.thresholds import check
from tests.support.random_graphs import GraphBuilder, depthwise_net, residual_net


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> hw.Project:
    g = GraphBuilder((2, 5, 4), "UINT4", seed=2)
    h = g.threshold(g.conv("x", 3, pads=(1, 1, 1, 1)), 3)
    return hw.build(g.finish(g.conv(h, 2, (1, 1))), tmp_path_factory.mktemp("thresholds") / "p")


def met(facts: str) -> tuple[int, int]:
    found = re.match(r"([\d,]+) of ([\d,]+) boundaries, each layer alone, are exact on both sides", facts)
    assert found, facts
    return tuple(int(n.replace(",", "")) for n in found.groups())


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_a_sound_project_meets_every_boundary(io_type: str, tmp_path: Path) -> None:
    for n, make in enumerate((residual_net, depthwise_net)):
        project = hw.build(make(), tmp_path / f"{n}", io_type=io_type)
        proof = check(project.directory, project.plan)
        assert (proof.ok, proof.skipped, proof.exceptions) == (True, False, ())
        one, other = met(proof.facts)
        assert one == other > 0


@pytest.mark.parametrize("by", [1, -1])
def test_a_threshold_that_is_off_by_one_is_found(by: int, small: hw.Project) -> None:
    """The plan has another table than the firmware."""
    [at] = [n for n, p in enumerate(small.plan.processes) if p.unit and p.unit.quantizer]
    process = small.plan.processes[at]
    table = process.unit.quantizer.thresholds
    channel, k = np.argwhere((table > process.unit.layer.output.lo[:, None]) & (np.diff(table, append=99) > 1))[-1]
    moved = table.copy()
    moved[channel, k] += by
    quantizer = replace(process.unit.quantizer, thresholds=moved)
    changed = replace(process, unit=replace(process.unit, threshold=quantizer))
    others = small.plan.processes
    plan = replace(small.plan, processes=(*others[:at], changed, *others[at + 1 :]))
    assert check(small.directory, plan)[1:3] == (False, f"wrong codes beside a threshold: {process.label}")


def test_a_network_without_thresholds_proves_nothing_and_says_so(tmp_path: Path) -> None:
    g = GraphBuilder((4,), "UINT4")
    project = hw.build(g.finish(g.matmul("x", 2)), tmp_path / "p")
    proof = check(project.directory, project.plan)
    assert proof.skipped
    assert "no layer has thresholds" in proof.facts


def test_thresholds_that_no_sum_reaches_prove_nothing_and_say_so(tmp_path: Path) -> None:
    g = GraphBuilder((4,), "UINT4")
    h = g.threshold(g.matmul("x", 2), 2, table=np.full((2, 3), 1000))
    project = hw.build(g.finish(g.matmul(h, 2)), tmp_path / "p")
    proof = check(project.directory, project.plan)
    assert (proof.skipped, proof.facts) == (True, "none of 6 thresholds lies where a sum comes")


def test_layers_whose_sums_cannot_be_enumerated_are_named(tmp_path: Path) -> None:
    g = GraphBuilder((300,), "UINT8")
    h = g.threshold(g.matmul("x", 3, "INT8"), 2)
    h = g.threshold(g.matmul(h, 3), 2)
    project = hw.build(g.finish(g.matmul(h, 2)), tmp_path / "p")
    proof = check(project.directory, project.plan)
    assert proof.ok
    assert proof.exceptions == ("fc1",)
    assert met(proof.facts)[0] > 0


def test_no_boundary_that_is_met_is_no_proof(small: hw.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crq.hw.verify.proofs.thresholds.operands", lambda plan, process: iter(()))
    proof = check(small.directory, small.plan)
    assert not proof.ok
    assert re.fullmatch(r"none of \d+ boundaries was met: nothing is proven", proof.facts)


def test_boundaries_that_are_not_driven_are_named_and_are_no_verdict(small: hw.Project, monkeypatch) -> None:
    monkeypatch.setattr("crq.hw.verify.proofs.boundaries.MAX_PRODUCTS", 1)
    proof = check(small.directory, small.plan)
    one, other = met(proof.facts)
    assert (proof.ok, 0 < one < other) == (True, True)
    assert proof.exceptions == (f"conv1 ({other - one} of its {other} boundaries)",)


def test_a_layer_of_many_weights_and_codes_is_met_whole(tmp_path: Path) -> None:
    """More numbers than are made at once; each channel's 255 thresholds."""
    g = GraphBuilder((64, 8, 8), "UINT8", seed=2)
    h = g.threshold(g.conv("x", 8, (8, 8)), 8)
    project = hw.build(g.finish(g.conv(h, 2, (1, 1))), tmp_path / "p")
    proof = check(project.directory, project.plan)
    assert (proof.ok, proof.exceptions) == (True, ())
    one, other = met(proof.facts)
    assert one == other > 1000
