"""The example script runs as it stands and reaches a useful accuracy."""

import re
import subprocess
import sys
from pathlib import Path

import crq

SCRIPT = Path(__file__).parents[2] / "examples" / "own_loop.py"


def test_own_loop(tmp_path) -> None:
    done = subprocess.run([sys.executable, SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True)
    found = dict(re.findall(r"^(\S+)\s+([\d.]+)%$", done.stdout, re.MULTILINE))
    assert list(found) == ["float", "clustered", "fine-tuned", "frozen"]
    assert float(found["float"]) >= 97
    assert float(found["frozen"]) >= float(found["float"]) - 2
    assert crq.FrozenModel.load(tmp_path / "digits_frozen.pt").input.shape == (1, 8, 8)


def test_it_is_thirty_lines_of_code() -> None:
    lines = [line for line in SCRIPT.read_text().split('"""', 2)[2].splitlines() if line.strip()]
    assert len(lines) <= 30
