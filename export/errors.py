"""Errors of the export half."""


class ExportError(ValueError):
    """A model or file that cannot be written or read exactly. The `crq` command exits with `exit_code`."""

    exit_code = 2
