"""The netlist of a synthesis in Verilator, on models of the ECP5's primitives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from benchmarks.place.flow import TOP
from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.units import Fold
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import random_codes
from crq.hw.rtl.verilator import beats, run
from crq.hw.rtl.verilog import Design


def cells() -> str:
    """Yosys's models of the primitives, but for block RAM, of which it has the ports only."""
    share = files("pyosys") / "share" / "ecp5"

    def read(name: str) -> str:
        return re.sub(r'^`include "(.*)"$', lambda m: read(m[1]), (share / name).read_text(), flags=re.M)

    return re.sub(r"\(\* blackbox \*\)\s*module DP16KD\b.*?endmodule", "", read("cells_sim.v"), flags=re.S)


def simulate(network: Network, folds: Mapping[str, Fold], folder: Path, images: int) -> tuple[int, int]:
    """(integers compared, those that differ) of the netlist in `folder` on random images."""
    sources = {"netlist.v": (folder / "netlist.v").read_text(), "cells.v": cells()}
    sources["memory.v"] = Path(__file__).with_name("memory.v").read_text()
    codes = random_codes(network, images).reshape(images, *network.inputs[0].shape)
    wanted = evaluate(network, codes).reshape(-1, *network.carried(network.outputs[0]).shape)
    widths = stream_beats(network, folds)
    channels = widths[network.carried(network.outputs[0]).name]
    entering = [(beats(codes, widths[network.inputs[0].name]), network.inputs[0].format)]
    expected = beats(wanted, channels)
    found = run(Design(TOP, sources), folder / "netlist", entering, network.outputs[0].format, channels, len(expected),
                limit=10**8, optimize=True)  # fmt: skip
    return expected.size, int((found.values != expected).sum())
