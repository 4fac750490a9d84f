"""Models of blocks of RAM against their initial contents as a row of bits, and what was written into them."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog (apt-get install iverilog)")
BLOCK = 512 * 36

SINGLE = """
  reg clk = 0, wre = 0; reg [13:0] ad = 0; reg [35:0] di = 0; wire [35:0] q;
  CRQ_SP #(.BYTE({byte}), .BIT_WIDTH({width}), {inits}) dut (
    .CLK(clk), .OCE(1'b1), .CE(1'b1), .RESET(1'b0), .WRE(wre), .BLKSEL(3'd0), .AD(ad), .DI(di), .DO(q));
  task write; begin wre = 1; #1 clk = 1; #1 clk = 0; wre = 0; end endtask
  task read; begin #1 clk = 1; #1 clk = 0; #1 $display("%b", q[{width}-1:0]); end endtask
"""
DUAL = """
  reg clk = 0, wre = 0; reg [13:0] ad = 0; reg [35:0] di = 0; wire [17:0] q;
  CRQ_DP #(.BYTE({byte}), .BIT_WIDTH_0({width}), .BIT_WIDTH_1({width}), {inits}) dut (
    .CLKA(clk), .OCEA(1'b1), .CEA(1'b1), .RESETA(1'b0), .WREA(wre), .CLKB(clk), .OCEB(1'b1), .CEB(1'b1), .RESETB(1'b0),
    .WREB(1'b0), .BLKSELA(3'd0), .BLKSELB(3'd0), .ADA(ad), .ADB(ad), .DIA(di[17:0]), .DIB(18'd0), .DOB(q));
  task write; begin wre = 1; #1 clk = 1; #1 clk = 0; wre = 0; end endtask
  task read; begin #1 clk = 1; #1 clk = 0; #1 $display("%b", q[{width}-1:0]); end endtask
"""
SEMI = """
  reg clk = 0, wre = 0; reg [13:0] ad = 0; reg [35:0] di = 0; wire [35:0] q;
  CRQ_SDP #(.BYTE({byte}), .BIT_WIDTH_0({width}), .BIT_WIDTH_1({width}), {inits}) dut (
    .CLKA(clk), .CEA(wre), .CLKB(clk), .CEB(!wre), .OCE(1'b1), .RESET(1'b0), .BLKSELA(3'd0), .BLKSELB(3'd0),
    .ADA(ad), .ADB(ad), .DI(di), .DO(q));
  task write; begin wre = 1; #1 clk = 1; #1 clk = 0; wre = 0; end endtask
  task read; begin #1 clk = 1; #1 clk = 0; #1 $display("%b", q[{width}-1:0]); end endtask
"""


def address_of(word: int, width: int) -> int:
    """The address of a word: its number above the bits that choose within 32, with all bytes enabled."""
    shift = {1: 0, 2: 1, 4: 2, 8: 3, 9: 3, 16: 4, 18: 4, 32: 5, 36: 5}[width]
    return word << shift | ((1 << {16: 2, 18: 2, 32: 4, 36: 4}[width]) - 1 if width > 9 else 0)


@pytest.mark.parametrize(
    ("bench", "byte", "width"),
    [(SINGLE, 9, 9), (SINGLE, 9, 18), (SINGLE, 9, 36), (SINGLE, 8, 1), (SINGLE, 8, 4), (SINGLE, 8, 32),
     (DUAL, 9, 9), (DUAL, 9, 18), (DUAL, 8, 2), (DUAL, 8, 16), (SEMI, 9, 36), (SEMI, 8, 8)],
)  # fmt: skip
def test_a_gowin_block_holds_its_bits_in_words(bench: str, byte: int, width: int, tmp_path: Path) -> None:
    random = np.random.default_rng(width)
    bits = random.integers(0, 2, 512 * 4 * byte)
    rows = bits.reshape(64, -1)[:, ::-1]
    inits = ", ".join(f".INIT_RAM_{i:02X}({rows.shape[1]}'b{''.join(map(str, row))})" for i, row in enumerate(rows))
    words = bits.reshape(-1, width)[:, ::-1]
    chosen = random.integers(0, len(words), 40)
    written = {int(word): random.integers(0, 2, width) for word in chosen[:20]}
    actions = [f"ad = {address_of(w, width)}; di = {width}'b{''.join(map(str, v))}; write;" for w, v in written.items()]
    actions = [f"ad = {address_of(w, width)}; read;" for w in chosen] + actions
    actions += [f"ad = {address_of(w, width)}; read;" for w in chosen]
    text = bench.format(byte=byte, width=width, inits=inits)
    (tmp_path / "t.v").write_text(
        f"module t;\n{text}\n  initial begin\n{chr(10).join(actions)}\n$finish; end\nendmodule\n"
    )
    models = Path(str(files("crq.hw.rtl.bitstream") / "cells" / "gowin.v"))
    subprocess.run(["iverilog", "-g2012", "-s", "t", "-o", "t", "t.v", str(models)], cwd=tmp_path, check=True)
    found = subprocess.run(["vvp", "t"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.split()
    expected = ["".join(map(str, words[w])) for w in chosen]
    expected += ["".join(map(str, written.get(int(w), words[w]))) for w in chosen]
    assert [line for line in found if set(line) <= set("01x")] == expected
