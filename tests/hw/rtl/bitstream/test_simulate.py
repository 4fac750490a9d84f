"""The netlist of synthesis in Verilator, through the serial line, for a family with models of Yosys and of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crq.errors import ToolError
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.rtl.bitstream import netlist, simulate, tools
from crq.hw.rtl.bitstream.simulate import compiled, running
from crq.hw.rtl.bitstream.steps import Done, run_step
from crq.hw.rtl.board.driver import connected
from tests.support.boards import DIGEST, needs_tools, wrapped
from tests.support.rtl_projects import needs_verilator, project


@pytest.mark.slow
@needs_tools
@needs_verilator
def test_the_netlist_of_synthesis_equals_the_network(tmp_path: Path) -> None:
    made = wrapped("ice40-hx8k", 24.0)
    command = tools.synthesis(made.design, "ice40")
    inputs = {**made.design.sources, **made.design.memories}
    done = run_step("synthesis", command, inputs, (tools.NETLIST,), tmp_path)
    program = compiled(netlist.simulated(netlist.read(done.folder / tools.NETLIST), "ice40", tmp_path), tmp_path)
    network = project().network
    codes = all_vectors(network, 3)
    expected = evaluate(network, codes).reshape(len(codes), *network.carried(network.outputs[0]).shape)
    with running(program, 24e6, 20_000) as terminal, connected(terminal, network, DIGEST, wait=60) as board:
        board.speed_up(board.facts().khz, 4)
        np.testing.assert_array_equal(board.integers(codes), expected)


def test_without_verilator(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(simulate.shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match="apt-get install verilator"):
        compiled(Done("netlist", tmp_path, 0, 0), tmp_path)
