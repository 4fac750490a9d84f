"""`python -m crq` answers like the command."""

import subprocess
import sys


def test_version() -> None:
    done = subprocess.run([sys.executable, "-m", "crq", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("crq")
