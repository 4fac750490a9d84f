"""What stands around a network on a board, free of lint, for every board."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.hw.devices.boards import open_boards
from crq.hw.rtl.board.pins import constraints, ports
from crq.hw.rtl.board.wrap import library
from crq.hw.rtl.verilator import lint
from crq.hw.rtl.verilog import Design
from tests.support.boards import DIGEST, wrapped
from tests.support.rtl_projects import needs_verilator


@pytest.mark.parametrize("name", sorted(open_boards()))
def test_the_top_has_the_boards_pins(name: str) -> None:
    made = wrapped(name, 30.0)
    text = made.design.sources[f"{made.design.top}.sv"]
    for port in ports(made.board):
        assert port.partition("[")[0] in text
    assert made.facts.hash == DIGEST[:8]
    assert abs(made.mhz * 1e6 / made.divisor - 115_200) < 300
    assert ("~{" in text) == made.board.leds_low
    assert constraints(made.board).count(made.board.clock["pin"]) >= 1


@needs_verilator
@pytest.mark.parametrize("top", ["crq_serial", "crq_from_bytes", "crq_to_bytes", "crq_reset"])
def test_the_modules_are_free_of_warnings(top: str, tmp_path: Path) -> None:
    below = {"crq_serial": ("crq_uart_rx", "crq_uart_tx", "crq_crc32")}.get(top, ())
    lint(Design(top, {f"{n}.sv": library()[f"{n}.sv"] for n in (top, *below)}), tmp_path)
