"""Threshold lanes: compared at once or searched, every code is the number of thresholds that are met."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from crq.hw.dataflow.memory import BRAM_BITS
from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.thresholds import Table
from crq.hw.dataflow.units import Fold, units
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.rtl.generate import generate
from crq.hw.rtl.thresholds import compare_lanes, lane_masks
from crq.hw.rtl.verilator import beats, lint, run_network
from crq.hw.rtl.verilog import Design
from tests.support.random_graphs import GraphBuilder
from tests.support.wide_files import wide_dense, wide_uneven


def made(rows: list[list[int]], lo: int, hi: int, signed: bool = False) -> Table:
    channels, levels = np.shape(rows)
    ends = np.full(channels, lo, np.int64), np.full(channels, hi, np.int64)
    return Table(np.array(rows, np.int64), *ends, int(levels + 1).bit_length() - 1, signed, 6)


def test_entries_that_no_sum_decides_are_compared_with_nothing() -> None:
    """Sums of [-4, 9]: -4 is always met, 10 never; what only one of the channels needs is compared."""
    found = made([[-4, 3, 10], [-4, -4, 10], [-4, 10, 10]], -4, 9)
    live, high = lane_masks(found, np.arange(3))
    assert (live.tolist(), high.tolist()) == ([0, 1, 0], [1, 0, 0])
    live, high = lane_masks(found, np.array([1]))
    assert (live.tolist(), high.tolist()) == ([0, 0, 0], [1, 1, 0])
    live, high = lane_masks(found, np.array([2]))
    assert (live.tolist(), high.tolist()) == ([0, 0, 0], [1, 0, 0])
    live, high = lane_masks(found, np.array([1, 2]))  # an entry always met in one channel and never in the other
    assert (live.tolist(), high.tolist()) == ([0, 1, 0], [1, 0, 0])


def test_only_live_entries_are_in_the_memory() -> None:
    design = Design("d")
    text, latency = compare_lanes(design, "a", made([[-4, 3, 10], [-4, 5, 10]], -4, 9), 1, "x", "code", "en", "go")
    assert latency == 0
    assert design.memories == {"a_t0.mem": "3\n5\n"}  # one word of six bits for each block
    assert re.findall(r"crq_block_rom #\(\.WIDTH\((\d+)\), \.BLOCKS\((\d+)\)", text) == [("6", "2")]


def test_one_block_of_channels_has_its_thresholds_as_wires() -> None:
    design = Design("d")
    text, latency = compare_lanes(design, "a", made([[-4, 3, 10], [-2, 5, 10]], -4, 9), 2, "x", "code", "en", "go")
    assert (latency, design.memories) == (0, {})
    fixed = [int(h, 16) for h in re.findall(r"\.FIXED_T\(18'h([0-9a-f]+)\)", text)]
    assert [[v >> (6 * i) & 63 for i in range(3)] for v in fixed] == [[-4 & 63, 3, 10], [-2 & 63, 5, 10]]


def test_a_searched_table_is_read_in_halves() -> None:
    """Step s of a lane reads the middles of the 2^s spans that are left, channel by channel."""
    rows = [[100 * c + k for k in range(31)] for c in range(2)]
    found = Table(np.array(rows), np.full(2, -1), np.full(2, 300), 5, False, 10)
    design = Design("d")
    _, latency = compare_lanes(design, "a", found, 1, "x", "code", "en", "go")
    assert latency == 5
    memories = {name: [int(line, 16) for line in text.split()] for name, text in design.memories.items()}
    assert memories["a_s0_0.mem"] == [15, 115]
    assert memories["a_s0_1.mem"] == [7, 23, 107, 123]
    assert memories["a_s0_4.mem"] == [100 * c + k for c in range(2) for k in range(0, 31, 2)]


@pytest.mark.parametrize(("channels", "block"), [(BRAM_BITS // 12 // 2, "0"), (BRAM_BITS // 12, "1")])
def test_a_large_table_lies_in_block_ram(channels: int, block: str) -> None:
    rows = np.tile(np.array([0, 1, 2]), (channels + 1, 1))
    ends = np.full(channels + 1, -5), np.full(channels + 1, 5)
    text, _ = compare_lanes(Design("d"), "a", Table(rows, *ends, 2, False, 4), 1, "x", "code", "en", "go")
    assert re.findall(r"\.BLOCK\((\d)\)", text) == [block]


BRANCHES: list[tuple[int, bool, int]] = [
    (1, True, 1),
    (2, True, 4),
    (4, False, 2),
    (3, True, 2),
    (5, True, 2),
    (6, False, 4),
]
"""Bits, sign and lanes of the thresholds in one network, all on the same four channels."""


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
def test_every_kind_of_lane_counts_the_thresholds_met(tmp_path: Path) -> None:
    """Thresholds met exactly, missed by one, equal to each other and out of reach."""
    g = GraphBuilder((4, 4, 4), "INT6", seed=1)
    tensor, tables, outputs = g.bias("x", np.array([-9, 0, 3, 30])), [], []
    rng = np.random.default_rng(2)
    for bits, signed, _ in BRANCHES:
        table = np.sort(rng.integers(-45, 75, (4, (1 << bits) - 1)), axis=1)
        tables.append(table)
        outputs.append(g.threshold(tensor, bits, signed, table=table))
    network = Network(g.finish(g.concat(*outputs)))
    lanes = iter(pe for _, _, pe in BRANCHES)
    folds = {u.name: Fold(next(lanes) if u.layer.kind == "Threshold" else 4) for u in units(network)}
    images = rng.integers(-32, 32, (5, 4, 4, 4))
    found = run_network(network, folds, tmp_path, images, stall=True)
    x = images + np.array([-9, 0, 3, 30])[:, None, None]
    expected = []
    for (bits, signed, _), table in zip(BRANCHES, tables, strict=True):
        met = (x[:, :, None] >= table[None, :, :, None, None]).sum(2)
        expected.append(met - (1 << (bits - 1) if signed else 0))
    np.testing.assert_array_equal(found.values, beats(np.concatenate(expected, axis=1), 4))


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
@pytest.mark.parametrize("made", [wide_dense, wide_uneven])
def test_divisions_in_a_pipeline_have_no_warning(made: Callable[[], ModelProto], tmp_path: Path) -> None:
    """With entries before the line and without, with codes that end before their format."""
    network = Network(read_qonnx(made()))
    folds = {u.name: Fold(u.output.shape.c, u.fan_in) if u.quantizer else Fold(1) for u in units(network)}
    assert any(stage(unit, folds[unit.name]).kind == "divide" for unit in units(network))
    lint(generate(network, folds), tmp_path)
