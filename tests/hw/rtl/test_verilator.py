"""Simulation of a design: what goes in and comes out, with and without hesitation, and how a wrong design is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from crq.errors import ToolError
from crq.hw.ir.layers import Format
from crq.hw.rtl.verilator import beats, lint, run
from crq.hw.rtl.verilog import Design, module

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")

BOTH = "in0_valid && in1_valid"
SUMS = f"""  assign out_valid = {BOTH};
  assign in0_ready = out_ready && out_valid;
  assign in1_ready = out_ready && out_valid;
  assign out_data = {{6'($signed(in0_data[5:3])) + 6'(in1_data[3:2]), 6'($signed(in0_data[2:0])) + 6'(in1_data[1:0])}};
  wire unused = clk && rst;
"""


def adder(body: str = SUMS) -> Design:
    """Two signed 3-bit channels plus two unsigned 2-bit ones."""
    return Design("adder", {"adder.sv": module("adder", {"in0": 6, "in1": 4}, {"out": 12}, body, "x + y")})


def operands(count: int) -> list[tuple[np.ndarray, Format]]:
    rng = np.random.default_rng(0)
    return [(rng.integers(-4, 4, (count, 2)), Format(3, True)), (rng.integers(0, 4, (count, 2)), Format(2, False))]


def test_a_beat_is_a_pixel_with_all_its_channels() -> None:
    images = np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2)
    found = beats(images)
    assert found.shape == (8, 3)
    for beat, (n, y, x) in zip(found.tolist(), np.ndindex(2, 2, 2), strict=True):
        assert beat == images[n, :, y, x].tolist()


def test_a_beat_may_be_some_channels_of_a_pixel() -> None:
    images = np.arange(2 * 6 * 2 * 2).reshape(2, 6, 2, 2)
    found = beats(images, 2)
    assert found.shape == (24, 2)
    for beat, (n, y, x, part) in zip(found.tolist(), np.ndindex(2, 2, 2, 3), strict=True):
        assert beat == images[n, 2 * part : 2 * part + 2, y, x].tolist()


@needs_verilator
def test_streams_go_in_and_signed_results_come_out_in_their_order_with_hesitation(tmp_path: Path) -> None:
    given = operands(200)
    found = run(adder(), tmp_path / "sim", given, Format(6, True), 2, 200, stall=True)
    np.testing.assert_array_equal(found.values, given[0][0] + given[1][0])
    assert (found.values < 0).any()
    gaps = np.diff(found.cycles)
    assert found.cycles[0] >= 0
    assert (gaps >= 1).all()
    assert (gaps > 1).any()
    assert gaps.max() > 24


@needs_verilator
def test_beats_that_never_come_are_told_with_the_count(tmp_path: Path) -> None:
    lossy = SUMS.replace(f"out_valid = {BOTH}", f"out_valid = {BOTH} && in1_data[0]")
    lossy = lossy.replace("out_ready && out_valid", f"out_ready && {BOTH}")
    given = operands(12)
    kept = int((given[1][0][:, 0] & 1).sum())
    with pytest.raises(
        ToolError, match=rf"simulation of adder: {kept} of 12 output beats; no result for 2\d\d\d cycles"
    ):
        run(adder(lossy), tmp_path, given, Format(6, True), 2, 12, patience=200)


@needs_verilator
def test_a_warning_is_an_error_of_lint_and_names_the_place(tmp_path: Path) -> None:
    lint(adder(), tmp_path / "right")
    wrong = SUMS.replace("  wire unused = clk && rst;\n", "").replace("6'(in1_data[1:0])", "in1_data[1:0]")
    with pytest.raises(ToolError, match=r"(?s)verilator failed in .*wrong.*adder\.sv") as error:
        lint(adder(wrong), tmp_path / "wrong")
    assert "UNUSED" in str(error.value)
    assert "WIDTH" in str(error.value)


@needs_verilator
def test_sources_that_are_no_verilog_are_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="syntax error"):
        run(adder("  assign out_valid == 1;\n"), tmp_path, operands(1), Format(6, True), 2, 1)


def test_without_verilator_the_remedy_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="apt-get install verilator") as error:
        lint(adder(), tmp_path)
    assert error.value.exit_code == 3
