"""The error of the hardware half: one that the command prints without a traceback."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from crq import hw
from crq.cli import main
from crq.errors import CrqError
from crq.hw.errors import HwError


def test_it_is_caught_as_an_error_of_crq_and_as_a_bad_value() -> None:
    for kind in (CrqError, ValueError):
        with pytest.raises(kind, match="part 'abc' is not known"):
            raise HwError("part 'abc' is not known")
    assert hw.HwError is HwError


def test_the_command_prints_its_message_in_one_line_and_exits_with_2(tmp_path) -> None:
    result = CliRunner().invoke(main, ["inspect", str(tmp_path / "absent.onnx")])
    assert result.exit_code == HwError.exit_code == 2
    assert result.output.startswith("Error: ")
    assert "absent.onnx" in result.output
    assert result.output.count("\n") == 1
