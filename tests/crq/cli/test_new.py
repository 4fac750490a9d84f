"""A starter project: it trains and builds as it is, and nothing is overwritten."""

import json
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crq.cli import main
from crq.cli.new import KINDS, OWN, SHARED
from crq.train import recipe


def crq(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    refused = crq("new", tmp_path)
    assert refused.exit_code == 2
    assert "not empty" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_runs_as_it_is(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = crq("new", tmp_path / "my-net", "--for", kind)
    assert made.exit_code == 0, made.stderr
    assert {path.name for path in (tmp_path / "my-net").iterdir()} == {*SHARED, *OWN}
    monkeypatch.chdir(tmp_path / "my-net")
    assert recipe.load("recipe.toml").name == "my-net"
    assert tomllib.loads(Path("recipe.toml").read_text())["data"] == {"name": "data:load"}
    with monkeypatch.context() as patch:  # modules of three starters have the same names
        patch.syspath_prepend(Path.cwd())
        for module in ("data", "net"):
            patch.delitem(sys.modules, module, raising=False)
        trained = crq("train", "recipe.toml", "-o", "runs/try", "--epochs", 3, "--json")
        assert trained.exit_code == 0, trained.stderr
    for module in ("data", "net"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    summary = json.loads(trained.stdout)
    assert summary["not_exportable"] is None
    assert crq("export", "runs/try", "-o", "a.onnx").exit_code == 0
    assert crq("inspect", "a.onnx").exit_code == 0


def test_commands_of_the_readme_exist(tmp_path: Path) -> None:
    crq("new", tmp_path / "my-net")
    lines = [line for line in (tmp_path / "my-net" / "README.md").read_text().splitlines() if line.startswith("crq ")]
    assert lines
    for line in lines:
        assert crq(line.split()[1], "--help").exit_code == 0


def test_every_folder_gives_a_recipe(tmp_path: Path) -> None:
    made = crq("new", tmp_path / 'a "b" c')
    assert recipe.load(str(tmp_path / 'a "b" c' / "recipe.toml")).name == "a _b_ c"
    assert f"cd '{tmp_path}/a \"b\" c' && crq run" in made.stdout
