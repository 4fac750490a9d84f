"""The `crq` command: its verbs, their errors, and what its help costs."""

import os
import shlex
import subprocess
import sys
import warnings

import click
import pytest
from click.testing import CliRunner

from crq.cli import main
from crq.cli.group import GROUP, explained
from crq.cli.next_step import told
from crq.errors import CrqError, ToolError, VerificationError


def test_help_names_the_steps() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout
    for word in ("train", "export", "build", "simulate", "report"):
        assert f"crq {word}" in text


def test_without_a_verb_it_says_what_to_do_next(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [])
    assert (result.exit_code, result.stdout) == (0, told(tmp_path) + "\n")


def test_an_unknown_verb_is_named_with_its_neighbour() -> None:
    wrong = CliRunner().invoke(main, ["trian"])
    assert wrong.exit_code == 2
    assert "no command 'trian' (did you mean 'train'?)" in wrong.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("build", "a.onnx", "--fps", "3"), "no option '--fps' (did you mean --target-fps?)"),
        (("build", "a.onnx", "--epochs", "3"), "no option '--epochs' here; that is one of `crq run`, `crq train`"),
        (("build", "a.onnx", "--ouput", "a"), "--output"),
        (("build", "a.onnx", "--nowhere"), "--nowhere"),
    ],
)
def test_an_unknown_option_is_told_with_its_place(line: tuple[str, ...], words: str) -> None:
    wrong = CliRunner().invoke(main, line)
    assert wrong.exit_code == 2
    assert words in wrong.stderr
    assert " build [OPTIONS]" in wrong.stderr


def only_verb(monkeypatch, call) -> None:
    """Let `crq verb`, which runs `call`, be all there is."""

    class Entry:
        name = "verb"

        def load(self) -> click.Command:
            return click.Command("verb", callback=call)

    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Entry()] if group == GROUP else [])


@pytest.mark.parametrize(
    ("error", "code"),
    [(CrqError("no"), 2), (VerificationError("no"), 1), (ToolError("no"), 3), (OSError(28, "disk full", "no"), 3)],
)
def test_errors_become_one_line_and_an_exit_code(monkeypatch, error: Exception, code: int) -> None:
    def fail() -> None:
        raise error

    only_verb(monkeypatch, fail)
    result = CliRunner().invoke(main, ["verb"])
    assert result.exit_code == code
    assert result.stderr == ("Error: no: disk full\n" if isinstance(error, OSError) else "Error: no\n")


def test_warnings_become_one_line(monkeypatch) -> None:
    def warn() -> None:  # pytest keeps what warnings.warn would print
        click.echo(warnings.formatwarning("odd, but it goes on", UserWarning, "group.py", 1), err=True, nl=False)

    only_verb(monkeypatch, warn)
    before = warnings.formatwarning
    assert CliRunner().invoke(main, ["verb"]).stderr == "warning: odd, but it goes on\n"
    assert warnings.formatwarning is before


def test_help_is_quick() -> None:
    """No library that takes long to import is imported, though every verb is loaded for its line of help."""
    command = [sys.executable, "-X", "importtime", "-c", "from crq.cli import main; main()", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "crq train RECIPE" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "click" in imported
    assert not imported & {"torch", "onnx", "hls4ml", "numpy", "pytorch_lightning", "sklearn", "pydantic", "rich"}


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(2, "No such file or directory", "a.onnx"), 2, "a.onnx: No such file or directory"),
        (OSError(30, "Read-only file system", "out"), 3, "out: Read-only file system"),
        (MemoryError(), 3, "out of memory: use fewer images"),
        (BrokenPipeError(32, "Broken pipe"), 3, "standard output was closed"),
        (RuntimeError("two\nlines"), 4, "unexpected RuntimeError: two lines. This is a fault of crq"),
        (AssertionError(), 4, "unexpected AssertionError"),
        (KeyError("conv1"), 4, "unexpected KeyError: 'conv1'"),
    ],
)
def test_no_error_is_taken_for_a_difference(error: Exception, code: int, words: str) -> None:
    """1 means that two things are not equal."""
    message, found = explained(error)
    assert found == code
    assert words in message
    assert "\n" not in message


def test_a_closed_output_is_no_traceback() -> None:
    crq = [sys.executable, "-c", "from crq.cli import main; main()"]
    shell = f"set -o pipefail; {shlex.join([*crq, '--help'])} | true"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
    assert done.returncode in (0, 3)
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_one_line() -> None:
    crq = [sys.executable, "-c", "from crq.cli import main; main()", "recipes"]
    done = subprocess.run(["bash", "-c", f"{shlex.join(crq)} > /dev/full"], capture_output=True, text=True)
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_ascii_locale_gets_what_it_can_show() -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    crq = [sys.executable, "-c", "from crq.cli import main; main()"]
    for verb in (["--help"], ["recipes"], ["doctor"]):
        done = subprocess.run([*crq, *verb], capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr
