"""`crq bitstream`: what is refused before anything is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from crq import hw
from crq.hw.cli.bitstream import bitstream
from crq.hw.errors import HwError
from crq.hw.rtl.bitstream.flow import SEEDS
from tests.support.rtl_projects import project, small


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
    (command,) = facts["run"]
    assert command.startswith("vivado -mode batch -source")


def test_of_an_hls_project_the_ip_comes_first(tmp_path: Path) -> None:
    made = hw.build(small(), tmp_path / "p", project_name="net", part="pynq-z2")

    def lines() -> list[str]:
        return CliRunner().invoke(bitstream, [str(made.directory)], catch_exceptions=False).output.splitlines()

    written, ip, first, then = lines()
    assert (written.split()[0], ip) == ("written", "IP         net_axi: not made yet, the first step")
    assert first == f"now run    (cd {made.directory} && vitis-run --tcl build_axi.tcl --mode hls)"
    assert then.startswith("then       vivado -mode batch -source")
    component = made.directory / "net_prj" / "solution1" / "impl" / "ip" / "component.xml"
    component.parent.mkdir(parents=True)
    component.write_text("<spirit:name>net</spirit:name>")
    assert "not made yet" in lines()[1]  # the plain function's
    component.write_text("<spirit:name>net_axi</spirit:name>")
    _, ip, only = lines()
    assert (ip, only.split()[:3]) == ("IP         net_axi: is there", ["now", "run", "vivado"])


def test_a_board_with_another_fpga_is_refused_for_hls_and_noted_for_rtl(tmp_path: Path) -> None:
    made = hw.build(small(), tmp_path / "p", project_name="net", part="pynq-z2")
    with pytest.raises(HwError, match="built for xc7z020clg400-1, and kv260 has xck26.*--part kv260"):
        CliRunner().invoke(bitstream, [str(made.directory), "--board", "kv260"], catch_exceptions=False)
    CliRunner().invoke(bitstream, [str(made.directory), "--board", "pynq-z1"], catch_exceptions=False)  # the same die
    rtl = shutil.copytree(project().directory, tmp_path / "rtl")
    result = CliRunner().invoke(bitstream, [str(rtl), "--board", "kv260"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "note: " in result.stderr
    assert "is built for xc7z020clg400-1, and kv260 has xck26" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "is an HLS project, .*boards with a Zynq.*open tools make bitstreams of RTL projects"),
        (["--board", "ulx3s-25f"], "is an HLS project, .*--board pynq-z2; .*crq build --target rtl"),
        (["--board", "ulx4s"], "'ulx4s' is not known; did you mean ULX3S"),
        (["--board", "vcu118"], "needs its vendor's tools, Vivado"),
    ],
)
def test_wrong_wishes_of_an_hls_project(arguments: list[str], message: str, tmp_path: Path) -> None:
    made = hw.build(small(), tmp_path / "p", project_name="net")
    with pytest.raises(HwError, match=message):
        CliRunner().invoke(bitstream, [str(made.directory), *arguments], catch_exceptions=False)


def test_the_command_tries_as_many_placements_as_the_function() -> None:
    (option,) = (found for found in bitstream.params if found.name == "seeds")
    assert option.default == SEEDS
