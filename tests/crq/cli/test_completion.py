"""The scripts that shells complete with."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from crq.cli import main
from crq.cli.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_every_shell(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    assert f"_CRQ_COMPLETE={shell}_complete" in script


def test_verbs_and_options_are_completed() -> None:
    for words, expected in (("crq simu", "simulate"), ("crq report --lat", "--latex")):
        line = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        environment = {**os.environ, "_CRQ_COMPLETE": "bash_complete", **line}
        command = [sys.executable, "-c", "from crq.cli import main; main(prog_name='crq')"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == [f"plain,{expected}"]
