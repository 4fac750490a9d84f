"""A starter project: it trains and builds as it is, and nothing is overwritten."""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
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
    with monkeypatch.context() as patch:
        alone(patch)
        trained = crq("train", "recipe.toml", "-o", "runs/try", "--epochs", 3, "--json")
        assert trained.exit_code == 0, trained.stderr
    for module in ("data", "net"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    summary = json.loads(trained.stdout)
    assert summary["not_exportable"] is None
    assert crq("export", "runs/try", "-o", "a.onnx").exit_code == 0
    assert crq("inspect", "a.onnx").exit_code == 0


def alone(patch: pytest.MonkeyPatch) -> None:
    """Modules of several starters have the same names."""
    patch.syspath_prepend(Path.cwd())
    for module in ("data", "net"):
        patch.delitem(sys.modules, module, raising=False)


SHAPES = {"images": [(1, 6, 6), (3, 9, 12)], "signals": [(2, 64), (1, 96), (1, 50)], "tables": [(8,), (300,)]}


@pytest.mark.parametrize("kind", KINDS)
def test_its_network_takes_the_sizes_of_other_data(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crq("new", tmp_path / "mine", "--for", kind)
    monkeypatch.chdir(tmp_path / "mine")
    text = Path("recipe.toml").read_text()
    for index, shape in enumerate(SHAPES[kind]):
        x = np.random.default_rng(0).normal(size=(300, *shape)).astype(np.float32)
        np.savez("own.npz", x=x, y=np.arange(300) % 4)
        Path("recipe.toml").write_text(text.replace('"data:load"', '"own.npz"'))
        with monkeypatch.context() as patch:
            alone(patch)
            trained = crq("train", "recipe.toml", "-o", f"runs/{index}", "--steps", 1, "--json")
        assert trained.exit_code == 0, trained.stderr


def test_a_network_for_other_data_is_told_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crq("new", tmp_path / "mine", "--for", "tables")
    monkeypatch.chdir(tmp_path / "mine")
    rows = [",".join(f"{(7 * n + i) % 11}" for i in range(8)) + f",{n % 2}" for n in range(200)]
    Path("pump.csv").write_text("\n".join([",".join("abcdefgh") + ",label", *rows]) + "\n")
    Path("recipe.toml").write_text(Path("recipe.toml").read_text().replace('"data:load"', '"pump.csv"'))
    net = (
        Path("net.py")
        .read_text()
        .replace("shape: tuple[int, ...], outputs: int", "features: int = 30, classes: int = 2")
    )
    Path("net.py").write_text(net.replace("shape[0]", "features").replace("outputs)", "classes)"))
    with monkeypatch.context() as patch:
        alone(patch)
        refused = crq("train", "recipe.toml", "-o", "runs/try", "--steps", 5)
        assert refused.exit_code == 2
        assert refused.stderr == (
            "Error: layer 'fc1' (Linear) takes 30 features, but a sample of pump.csv, of shape (8,), gives it 8: "
            "change net.py, or give options = { features = 8 } in [network]\n"
        )
        text = Path("recipe.toml").read_text().replace("[network]", "[network]\noptions = { features = 8 }")
        Path("recipe.toml").write_text(text)
        assert crq("train", "recipe.toml", "-o", "runs/try", "--steps", 5).exit_code == 0


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
