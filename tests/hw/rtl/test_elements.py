"""Units without a MAC, each against plain NumPy: pools, sums, shifts, negations, biases and concatenations."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from crq.hw.rtl.elements import widened
from crq.hw.rtl.generate import generate, generate_unit
from crq.hw.rtl.verilator import beats, lint, run, run_network
from tests.support.random_graphs import GraphBuilder

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")

SIGNS, BIAS = np.array([-1, 1, 1, -1]), np.array([-40, 0, 7, 19])


@pytest.mark.parametrize("signed", [False, True])
def test_an_element_is_extended_by_its_sign_or_by_zeros(signed: bool) -> None:
    found = widened("v", 2, 3, 5, signed)
    assert found == ("{2{v[8]}}, v[6+:3]" if signed else "2'b0, v[6+:3]")
    assert widened("v", 2, 3, 3, signed) == "v[6+:3]"
    assert widened("v", 2, 5, 3, signed) == "v[10+:3]"


def branches() -> Network:
    """Every unit that keeps the size of its image, side by side."""
    g = GraphBuilder((4, 5, 3), "INT4")
    pool = g.max_pool("x", (3, 2), (1, 1), (1, 1, 1, 0))
    parts = [pool, g.add("x", pool), g.bias("x", BIAS), g.negate("x", SIGNS), g.shift("x", 3)]
    return Network(g.finish(g.concat(*parts)))


def expected(x: np.ndarray) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 0)), constant_values=-99)
    pool = np.max([padded[:, :, y : y + 5, z : z + 3] for y in range(3) for z in range(2)], axis=0)
    column = (slice(None), None, None)
    return np.concatenate([pool, x + pool, x + BIAS[column], x * SIGNS[column], x * 8], axis=1)


@needs_verilator
@pytest.mark.parametrize("lanes", [1, 4])
def test_units_side_by_side_are_bit_exact(lanes: int, tmp_path: Path) -> None:
    """One channel a cycle, with constants from a memory, joined in turn; all at once, joined to whole pixels."""
    network = branches()
    folds = {u.name: Fold(lanes) for u in units(network)}
    if lanes == 4:
        folds[units(network)[-1].name] = Fold(20)
    design = generate(network, folds)
    lint(design, tmp_path / "lint")
    assert any(name.endswith("_c.mem") for name in design.memories) == (lanes == 1)
    images = np.random.default_rng(3).integers(-8, 8, (3, 4, 5, 3))
    images[0], images[1] = -8, 7
    found = run_network(network, folds, tmp_path / "sim", images, stall=lanes == 4)
    np.testing.assert_array_equal(found.values.reshape(-1, 20), beats(expected(images)))


ENLARGED = {
    "copies, one channel a cycle": ((4, 3, 5), (2, 3), False, 1),
    "copies, pixel by pixel": ((4, 3, 5), (3, 2), False, 4),
    "parts, some channels a cycle": ((8, 3, 5), (2, 2), True, 1),
    "parts, pixel by pixel": ((8, 3, 2), (2, 2), True, 2),
    "rows in block RAM": ((16, 2, 128), (2, 2), True, 2),
    "a signal": ((6, 7), (3,), True, 1),
    "a column": ((2, 4, 1), (3, 1), False, 1),
}


@needs_verilator
@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[] if name == "parts, some channels a cycle" else pytest.mark.slow) for name in ENLARGED
])  # fmt: skip
def test_blocks_in_place_of_pixels(name: str, tmp_path: Path) -> None:
    shape, factor, parts, lanes = ENLARGED[name]
    g = GraphBuilder(shape, "INT4")
    network = Network(g.finish(g.enlarge("x", factor, parts)))
    folds = {u.name: Fold(lanes) for u in units(network)}
    design = generate(network, folds)
    assert (".BLOCK(1)" in design.sources["unit_grow1.sv"]) == (name == "rows in block RAM")
    lint(design, tmp_path / "lint")
    x = np.random.default_rng(1).integers(-8, 8, (3, *network.inputs[0].shape))
    high, wide = (1, *factor)[-2:]
    blocks = x.reshape(3, -1, high * wide if parts else 1, *x.shape[2:]).repeat(1 if parts else high * wide, axis=2)
    split = blocks.reshape(3, -1, high, wide, *x.shape[2:]).transpose(0, 1, 4, 2, 5, 3)
    expected = split.reshape(3, -1, x.shape[2] * high, x.shape[3] * wide)
    found = run_network(network, folds, tmp_path / "sim", x, stall=True)
    np.testing.assert_array_equal(found.values, beats(expected, lanes))


@needs_verilator
def test_a_global_sum_starts_again_with_every_image(tmp_path: Path) -> None:
    g = GraphBuilder((6, 3, 4), "INT5")
    network = Network(g.finish(g.global_sum("x")))
    [unit] = units(network)
    images = np.random.default_rng(4).integers(-16, 16, (4, 6, 3, 4))
    images[1] = -16  # the least sum there is
    given = [(beats(images, 2), network.inputs[0].format)]
    found = run(generate_unit(unit, Fold(2)), tmp_path, given, network.outputs[0].format, 2, 12)
    np.testing.assert_array_equal(found.values.reshape(4, 6), images.sum(axis=(2, 3)))


def test_constants_of_a_folded_bias_are_a_word_per_block_of_channels() -> None:
    g = GraphBuilder((4, 2, 2), "UINT4")
    network = Network(g.finish(g.bias("x", np.array([-3, 5, 0, -8]))))
    [unit] = units(network)
    design = generate_unit(unit, Fold(2))
    assert design.memories["bias1_c.mem"].split() == [f"{0b0101_1101:x}", f"{0b1000_0000:x}"]  # the first lane lowest
    assert not generate_unit(unit, Fold(4)).memories


def test_pads_of_a_pool_are_the_lowest_number_of_the_format() -> None:
    """One lane in registers, two in a ring."""
    for dtype, one, two in (("INT4", "4'd8", "8'h88"), ("UINT4", "4'd0", "8'h0")):
        g = GraphBuilder((2, 4, 4), dtype)
        network = Network(g.finish(g.max_pool("x", (3, 3), (1, 1), (1, 1, 1, 1))))
        [unit] = units(network)
        for fold, lowest in ((Fold(1), one), (Fold(2, form=FOLDED), two)):
            text = generate_unit(unit, fold).sources["unit_pool1.sv"]
            assert re.findall(r"\.PAD_VALUE\(([^)]+)\)", text) == [lowest]


def test_a_shift_puts_zeros_below_and_extends_above() -> None:
    g = GraphBuilder((2, 2, 2), "INT3")
    network = Network(g.finish(g.shift("x", 2)))
    text = generate_unit(units(network)[0], Fold(2)).sources["unit_shift1.sv"]
    assert "assign out_data = {in0_data[3+:3], 2'b0, in0_data[0+:3], 2'b0};" in text


def test_inputs_take_turns_as_long_as_their_pixels() -> None:
    """Two beats of the first, three of the second."""
    g = GraphBuilder((4, 2, 2), "UINT2")
    network = Network(g.finish(g.concat("x", g.conv("x", 6, (1, 1), weights=np.ones((6, 4, 1, 1), np.int64)))))
    text = generate_unit(units(network)[-1], Fold(2)).sources["unit_concat2.sv"]
    assert "wire turn0 = 1'b1 && beat < 3'd2;" in text
    assert "wire turn1 = beat >= 3'd2 && beat < 3'd5;" in text
    assert "beat == 3'd4 ? '0" in text


@needs_verilator
def test_constants_that_are_alike_in_every_block_take_no_memory(tmp_path: Path) -> None:
    g = GraphBuilder((4, 5, 3), "INT4")
    network = Network(g.finish(g.concat(g.bias("x", np.full(4, 3)), g.negate("x", np.full(4, -1)))))
    folds = {u.name: Fold(1) for u in units(network)}
    design = generate(network, folds)
    lint(design, tmp_path / "lint")
    assert not design.memories
    images = np.random.default_rng(3).integers(-8, 8, (2, 4, 5, 3))
    found = run_network(network, folds, tmp_path / "sim", images)
    wanted = np.concatenate([images + 3, -images], axis=1)
    np.testing.assert_array_equal(found.values.reshape(-1, 8), beats(wanted))
