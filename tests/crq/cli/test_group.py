"""The `crq` command: its verbs, their errors, and what its help costs."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from crq.cli import main
from crq.cli.group import GROUP
from crq.errors import CrqError, ToolError, VerificationError


def test_help_names_the_steps() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout
    for word in ("train", "export", "build", "simulate", "report"):
        assert f"crq {word}" in text


def test_an_unknown_verb_is_named_with_its_neighbour() -> None:
    wrong = CliRunner().invoke(main, ["trian"])
    assert wrong.exit_code == 2
    assert "no command 'trian' (did you mean 'train'?)" in wrong.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [(CrqError("no"), 2), (VerificationError("no"), 1), (ToolError("no"), 3), (OSError(28, "disk full", "no"), 2)],
)
def test_errors_become_one_line_and_an_exit_code(monkeypatch, error: Exception, code: int) -> None:
    class Entry:
        name = "fail"

        def load(self) -> click.Command:
            @click.command()
            def fail() -> None:
                raise error

            return fail

    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Entry()] if group == GROUP else [])
    result = CliRunner().invoke(main, ["fail"])
    assert result.exit_code == code
    assert result.stderr == ("Error: no: disk full\n" if isinstance(error, OSError) else "Error: no\n")


def test_help_is_quick() -> None:
    """No library that takes long to import is imported, though every verb is loaded for its line of help."""
    command = [sys.executable, "-X", "importtime", "-c", "from crq.cli import main; main()", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "crq train RECIPE" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "click" in imported
    assert not imported & {"torch", "onnx", "hls4ml", "numpy", "pytorch_lightning", "sklearn", "pydantic", "rich"}
