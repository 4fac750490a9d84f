"""`crq bitstream`: what is refused before anything is made."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from hw.cli.bitstream import bitstream
from hw.errors import HwError
from tests.support.rtl_projects import project


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "ulx4s"], "'ulx4s' is not known; did you mean ULX3S"),
        (["--board", "kv260"], "needs its vendor's tools"),
        (["--board", "ulx3s-25f", "--clock", "900"], r"the PLL of this board gives 3\.125 to 400 MHz"),
        ([], "name one with --board"),
    ],
)
def test_wrong_wishes(arguments: list[str], message: str) -> None:
    with pytest.raises(HwError, match=message):
        CliRunner().invoke(bitstream, [str(project().directory), *arguments], catch_exceptions=False)
