"""All proofs of a sound project pass, in their order; and every branch of the firmware compiles without a warning."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from crq import hw
from crq.hw.dataflow.thresholds import COMPARATOR_LEVELS
from crq.hw.ir.layers import KINDS, Conv, Mac, Threshold
from crq.hw.read.passes.argmax_last import argmax_last
from tests.support.random_graphs import GraphBuilder, depthwise_net, small_cnn
from tests.support.rtl_projects import needs_verilator
from tests.support.rtl_projects import project as rtl_project


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return hw.build(small_cnn(4), tmp_path_factory.mktemp("checks") / "small", project_name="small")


def test_all_pass_on_a_sound_project(small):
    results = small.check()
    assert [r.name for r in results] == [
        "multiplier-free",
        "sources",
        "accumulators",
        "thresholds",
        "FIFO depths",
        "mutations",
    ]
    assert all(r.ok for r in results), [str(r) for r in results]


WARNINGS = ["-std=c++14", "-c", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"]


BRANCHES = {
    "hls": ["-DCRQ_HLS", "-std=c++0x", "-isystem", "firmware/ap_types"],  # the standard that build_prj.tcl names
    "ap": ["-isystem", "firmware/ap_types"],
    "fast": ["-DCRQ_FAST_SIM", "-Isim/fast"],
}


def joining_net():
    """Integer and ternary convolutions, sum pool, shift, blocks, negation, branches, 6 bits, global sum, argmax."""
    g = GraphBuilder((2, 6, 6), seed=2)
    x = g.threshold(g.conv("x", 4, weight_type="INT4"), 4)
    h = g.threshold(g.sum_pool(g.conv(x, 4, (1, 1)), (2, 2)), 6, signed=True)
    x = g.threshold(g.add(h, g.shift(g.max_pool(x), 1)), 4)
    x = g.threshold(g.negate(g.enlarge(x)), 6, signed=True)
    return argmax_last(g.finish(g.bias(g.matmul(g.flatten(g.global_sum(x)), 3, "INT8"))))[0]


COMPILED = {"depthwise": depthwise_net, "joining": joining_net}


def test_the_compiled_networks_have_every_kind_of_layer():
    layers = [layer for make in COMPILED.values() for layer in hw.Network(make())]
    assert {type(layer) for layer in layers} == set(KINDS)
    macs = [layer for layer in layers if isinstance(layer, Mac)]
    assert {layer.multiplier_free for layer in macs} == {True, False}
    assert any(isinstance(layer, Conv) and layer.is_sum_pool for layer in macs)
    levels = {layer.thresholds.shape[1] for layer in layers if isinstance(layer, Threshold)}
    assert min(levels) <= COMPARATOR_LEVELS < max(levels)


@pytest.mark.parametrize("compiler", ["clang++", pytest.param("g++", marks=pytest.mark.slow)])
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


@needs_verilator
@pytest.mark.slow
def test_all_pass_on_a_sound_rtl_project():
    results = rtl_project().check()
    assert [r.name for r in results] == [
        "lint", "multiplier-free", "cycles", "back-pressure", "resets", "initial state", "accumulators", "thresholds",
        "mutations",
    ]  # fmt: skip
    assert all(r.ok for r in results), [str(r) for r in results]
