"""What `crq` says in a folder: by what lies there, with commands that exist."""

import os
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
    "training": (("recipe.toml", "checkpoints/a.pt", "summary.json"), "training run", "crq inspect ."),
    "stopped training": (("recipe.toml", "checkpoints/a.pt"), "not ended: the command that began it", "All verbs"),
    "stopped alone": (
        ("runs/half/train/recipe.toml", "runs/half/train/checkpoints/pretrain.pt"),
        "Runs that have not ended: half; the same `crq run` as before goes on.",
        "All verbs",
    ),
    "stopped": (
        ("a.toml", "runs/half/train/recipe.toml", "runs/half/train/checkpoints/pretrain.pt"),
        "Runs that have not ended: half; the same `crq run` as before goes on. Recipes",
        "crq run a.toml -o runs/first",
    ),
    "stopped in training": (
        ("a.toml", "runs/full/recipe.toml", "runs/full/checkpoints/pretrain.pt"),
        "Trainings that have not ended: full.",
        "crq train runs/full/recipe.toml -o runs/full --resume",
    ),
    "trained": (("a.toml", "runs/full/frozen.pt"), "Trained: runs/full.", "crq export runs/full -o full.onnx"),
    "exported": (
        ("runs/full/frozen.pt", "tex.onnx"),
        "Network files: tex.onnx. Trained",
        "crq build tex.onnx -o tex_hls",
    ),
    "built": (
        ("a.toml", "runs/full/frozen.pt", "tex.onnx", "tex_hls/integer_graph.onnx", "tex_hls/manifest.json"),
        "Projects: tex_hls. Network files: tex.onnx. Trained: runs/full. Recipes: a.toml.",
        "crq simulate tex_hls",
    ),
    "simulated": (("tex_hls/integer_graph.onnx", "tex_hls/verdicts.json"), "Projects: tex_hls.", "crq report tex_hls"),
    "runs": (("mine.toml", "runs/a/report.json", "runs/b/report.json"), "runs: 2", "crq report runs/a runs/b"),
}


@pytest.mark.parametrize("place", PLACES)
def test_places(place: str, tmp_path: Path) -> None:
    files, says, command = PLACES[place]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        text = {"pyproject.toml": "", "manifest.json": '{"source": {"name": "tex.onnx"}}'}
        (tmp_path / name).write_text(text.get(Path(name).name, "[network]\n"))
    assert says in seen(tmp_path)[0]
    assert command in told(tmp_path)
    for step in seen(tmp_path)[1]:
        verb, *rest = step.command.split()[1:]
        help_ = CliRunner().invoke(main, [verb, "--help"])
        assert help_.exit_code == 0
        assert all(option in help_.stdout for option in rest if option.startswith("--"))


def test_what_is_done_is_not_told_again(tmp_path: Path) -> None:
    files = PLACES["built"][0]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"source": {"name": "tex.onnx"}}' if name.endswith(".json") else "[network]\n")
    (tmp_path / "tex_hls" / "verdicts.json").write_text("{}")
    os.utime(tmp_path / "runs" / "full" / "frozen.pt", (1, 1))
    commands = [step.command for step in seen(tmp_path)[1]]
    assert commands == ["crq report tex_hls", "crq run a.toml -o runs/next"]
    (tmp_path / "runs" / "full" / "recipe.toml").write_text("steps = 5\n")  # a trial is no result
    assert "Trained" not in seen(tmp_path)[0]
