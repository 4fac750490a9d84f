"""Errors of the export half."""

from crq.errors import CrqError, VerificationError


class ExportError(CrqError):
    """A model or file that cannot be written or read exactly."""


class FileMismatch(ExportError, VerificationError):
    """A file and a frozen model are not the same network."""
