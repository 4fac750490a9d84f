"""What `crq` says in a folder: by what lies there, with commands that exist."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from crq.cli import main
from crq.cli.next_step import seen, told

PLACES = {
    "empty": ((), "nothing of crq", "crq run digits"),
    "recipe": (("mine.toml",), "mine.toml", "crq run mine.toml -o runs/first"),
    "other toml": (("pyproject.toml",), "nothing of crq", "crq run digits"),
    "network": (("a.onnx", "b.onnx"), "a.onnx, b.onnx", "crq inspect a.onnx"),
    "project": (("manifest.json", "integer_graph.onnx"), "FPGA project", "crq simulate ."),
    "training": (("recipe.toml", "checkpoints/a.pt"), "training run", "crq inspect ."),
    "runs": (("mine.toml", "runs/a/report.json", "runs/b/report.json"), "runs: 2", "crq report runs/a runs/b"),
}


@pytest.mark.parametrize("place", PLACES)
def test_places(place: str, tmp_path: Path) -> None:
    files, says, command = PLACES[place]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if name == "pyproject.toml" else "[network]\n")
    assert says in seen(tmp_path)[0]
    assert command in told(tmp_path)
    for step in seen(tmp_path)[1]:
        verb, *rest = step.command.split()[1:]
        help_ = CliRunner().invoke(main, [verb, "--help"])
        assert help_.exit_code == 0
        assert all(option in help_.stdout for option in rest if option.startswith("--"))
