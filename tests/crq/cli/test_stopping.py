"""What a stopped command says, and its exit code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crq.cli.stopping import stoppable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("begun", [True, False])
def test_a_signal_becomes_an_exit_code(tmp_path, capsys, number: signal.Signals, begun: bool) -> None:
    if begun:
        (tmp_path / "recipe.toml").touch()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught, stoppable(tmp_path, "again"):
        os.kill(os.getpid(), number)
    assert caught.value.code == 128 + number
    assert capsys.readouterr().err == f"Stopped{': again continues from its last checkpoint' if begun else ''}.\n"
    assert signal.getsignal(signal.SIGTERM) == before


def test_without_a_signal_nothing_is_said(tmp_path, capsys) -> None:
    with stoppable(tmp_path, "again"):
        pass
    with pytest.raises(KeyError), stoppable(tmp_path, "again"):
        raise KeyError
    assert capsys.readouterr().err == ""


def test_the_tests_of_interrupts_run_where_the_parent_ignores_them() -> None:
    code = (
        f"import pytest; raise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider', {__file__!r}, '-k', 'signal']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stdout
