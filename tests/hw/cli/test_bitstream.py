"""`crq bitstream`: what is refused before anything is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from crq.hw.cli.bitstream import bitstream
from crq.hw.errors import HwError
from crq.hw.rtl.bitstream.flow import SEEDS
from tests.support.rtl_projects import project


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "ulx4s"], "'ulx4s' is not known; did you mean ULX3S"),
        (["--board", "vcu118"], "needs its vendor's tools"),
        (["--board", "ulx3s-25f", "--clock", "900"], r"the PLL of this board gives 3\.125 to 400 MHz"),
        ([], "name one with --board"),
    ],
)
def test_wrong_wishes(arguments: list[str], message: str) -> None:
    with pytest.raises(HwError, match=message):
        CliRunner().invoke(bitstream, [str(project().directory), *arguments], catch_exceptions=False)


def test_a_board_with_a_zynq_gets_a_vivado_project(tmp_path: Path) -> None:
    made = shutil.copytree(project().directory, tmp_path / "p")
    result = CliRunner().invoke(bitstream, [str(made), "--board", "pynq-z2", "--json"], catch_exceptions=False)
    facts = json.loads(result.output)
    assert (Path(facts["folder"]) / "build.tcl").is_file()
    assert facts["run"].startswith("vivado -mode batch -source")


def test_the_command_tries_as_many_placements_as_the_function() -> None:
    (option,) = (found for found in bitstream.params if found.name == "seeds")
    assert option.default == SEEDS
