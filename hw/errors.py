"""Errors of the hardware half. The message names the file, layer or option, what was expected and what to do."""


class HwError(ValueError):
    """Bad input: a file, option or network that `hw` refuses. The `crq` command exits with `exit_code`."""

    exit_code = 2


class VerificationError(HwError):
    """Two things that must be equal bit for bit are not."""

    exit_code = 1


class ToolError(HwError):
    """A program this step needs (g++, Yosys, Verilator …) is missing or failed."""

    exit_code = 3
