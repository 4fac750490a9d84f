"""The proofs that ship with projects: each passes on a sound project and fails on a fault made for it."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

import hw
from hw.dataflow.thresholds import COMPARATOR_LEVELS
from hw.ir.layers import KINDS, Conv, Mac, Threshold
from hw.verify.proofs import accumulator, fifo, multiplier, mutation
from tests.support.random_graphs import GraphBuilder, depthwise_net, global_pool_net, residual_net, small_cnn


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return hw.build(small_cnn(4), tmp_path_factory.mktemp("checks") / "small", project_name="small")


@pytest.fixture(scope="module")
def residual(tmp_path_factory):
    return hw.build(residual_net(4), tmp_path_factory.mktemp("checks") / "residual", project_name="residual")


@pytest.fixture
def copy(small, tmp_path):
    return hw.open_project(shutil.copytree(small.directory, tmp_path / "p"))


def test_all_pass_on_a_sound_project(small):
    results = small.check()
    assert [r.name for r in results] == ["multiplier-free", "sources", "accumulators", "FIFO depths", "mutations"]
    assert all(r.ok for r in results), [str(r) for r in results]


@pytest.mark.parametrize(
    ("header", "old", "new"),
    [
        ("crq_product.h", "return (term_t(x) & nonzero) ^ negative;", "return term_t(x * term_t(1 - int(code & 2)));"),
        ("crq_threshold.h", "if (x >= row[k])", "if (x * x_T(1) >= row[k])"),
        ("crq_pool.h", "if (x > best)", "if (3 * x > best)"),
        ("crq_mac.h", "sum += partial;", "sum *= partial;"),
    ],
)
def test_a_multiplication_on_data_does_not_compile(copy, header, old, new):
    path = copy.directory / "firmware" / "nnet_utils" / header
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    result = multiplier.check(copy.directory, copy.name, copy.plan)
    assert not result.ok
    assert "operator" in result.facts


def test_integer_layers_are_named_as_not_covered(tmp_path):
    project = hw.build(global_pool_net(1), tmp_path / "p", project_name="p")
    result = multiplier.check(project.directory, project.name, project.plan)
    assert result.ok
    assert result.exceptions == ("conv1", "fc7")


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_every_accumulator_reaches_both_ends_wherever_the_layer_stands(tmp_path, io_type):
    project = hw.build(residual_net(3), tmp_path / "p", project_name="p", io_type=io_type)
    result = accumulator.check(project.directory, project.plan)
    assert result.ok
    assert "7 of 7 layers" in result.facts
    assert result.exceptions == ()


def test_an_accumulator_one_bit_short_is_named(residual, tmp_path):
    copy = hw.open_project(shutil.copytree(residual.directory, tmp_path / "p"))
    process = next(p for p in copy.plan.processes if p.name == "conv10")
    mutation.narrow_accumulator(process, process.unit.layer).put(copy.directory)
    result = accumulator.check(copy.directory, copy.plan)
    assert not result.ok
    assert result.facts.endswith(": conv10")


def test_fifos_of_a_fork_that_are_too_shallow_deadlock(residual):
    plan = residual.plan
    assert fifo.simulate(residual.directory, plan, plan.depths) is None
    deepest = max(plan.depths, key=lambda name: plan.depths[name])
    assert plan.depths[deepest] > 4
    blocked = fifo.simulate(residual.directory, plan, {**plan.depths, deepest: 2})
    assert blocked is not None
    assert deepest in blocked


def test_a_fault_that_changes_nothing_is_reported_as_not_caught(small, monkeypatch):
    monkeypatch.setattr(mutation, "_rewrite", lambda *_, **__: None)
    result = mutation.check(small)
    assert not result.ok
    assert "not caught" in result.facts
    assert "flipped weight" in result.facts


WARNINGS = ["-std=c++14", "-c", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"]


BRANCHES = {
    "hls": ["-DCRQ_HLS", "-std=c++0x", "-isystem", "firmware/ap_types"],  # the standard that build_prj.tcl names
    "ap": ["-isystem", "firmware/ap_types"],
    "fast": ["-DCRQ_FAST_SIM", "-Isim/fast"],
}


def joining_net():
    """Integer and ternary convolutions, sum pool, shift, negation, sum of two branches, 6-bit codes, global sum."""
    g = GraphBuilder((2, 6, 6), seed=2)
    x = g.threshold(g.conv("x", 4, weight_type="INT4"), 4)
    h = g.threshold(g.sum_pool(g.conv(x, 4, (1, 1)), (2, 2)), 6, signed=True)
    x = g.threshold(g.add(h, g.shift(g.max_pool(x), 1)), 4)
    x = g.threshold(g.negate(x), 6, signed=True)
    return g.finish(g.bias(g.matmul(g.flatten(g.global_sum(x)), 3, "INT8")))


COMPILED = {"depthwise": depthwise_net, "joining": joining_net}


def test_the_compiled_networks_have_every_kind_of_layer():
    layers = [layer for make in COMPILED.values() for layer in hw.Network(make())]
    assert {type(layer) for layer in layers} == set(KINDS)
    macs = [layer for layer in layers if isinstance(layer, Mac)]
    assert {layer.multiplier_free for layer in macs} == {True, False}
    assert any(isinstance(layer, Conv) and layer.is_sum_pool for layer in macs)
    levels = {layer.thresholds.shape[1] for layer in layers if isinstance(layer, Threshold)}
    assert min(levels) <= COMPARATOR_LEVELS < max(levels)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("network", COMPILED)
def test_every_branch_compiles_without_warnings(network, branch, io_type, compiler, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    project = hw.build(COMPILED[network](), tmp_path / "p", io_type=io_type, project_name="p")
    command = [compiler, *WARNINGS, *BRANCHES[branch], "-isystem", "sim/include", "firmware/p.cpp", "-o", "/dev/null"]
    run = subprocess.run(command, cwd=project.directory, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[:3000]


def test_a_weight_of_minus_128_can_be_flipped(tmp_path):
    """It has no opposite of eight bits."""
    builder = GraphBuilder((1, 4, 4), seed=1)
    weights = np.full((2, 1, 3, 3), -128)
    model = builder.finish(builder.conv("x", 2, weight_type="INT8", weights=weights))
    project = hw.build(model, tmp_path / "p", project_name="p")
    process = next(p for p in project.plan.processes if p.unit)
    fault = mutation.flipped_weight(process, process.unit.layer, project.plan)
    header = project.directory / "firmware" / "weights" / f"{process.name}.h"
    before = header.read_text()
    fault.put(project.directory)
    assert header.read_text() != before
