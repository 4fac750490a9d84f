"""Errors of the export half are the product's, with its exit codes."""

from crq.errors import CrqError, VerificationError
from crq.export.errors import ExportError, FileMismatch


def test_exit_codes() -> None:
    assert issubclass(ExportError, CrqError)
    assert issubclass(FileMismatch, (ExportError, VerificationError))
    assert (ExportError.exit_code, FileMismatch.exit_code) == (2, 1)
