"""The error of the hardware half. The message names the file, layer or option, what was expected and what to do."""

from crq.errors import CrqError


class HwError(CrqError):
    """Bad input: a file, option or network that `hw` refuses."""


class DoesNotFit(HwError):
    """By the estimate it is more than the part has."""

    exit_code = 5
