"""The examples in folders: data, training, C simulation and RTL simulation, exact against PyTorch."""

import contextlib
import io
import json
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

import crq
from crq import export, hw
from crq.hw.cli.steps import Images
from crq.hw.verify.link import Link
from crq.hw.verify.live import verify
from crq.train import recipe, trainer

EXAMPLES = Path(__file__).parents[2] / "examples"
LEAST = {"tabular_mlp": 0.9, "signal_cnn": 0.9, "keyword_spotting": 0.9}


def test_every_folder_is_tried() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/recipe.toml")} == set(LEAST)
    for name in LEAST:
        assert sorted(p.name for p in (EXAMPLES / name).iterdir() if p.is_file()) == [
            "README.md", "make_data.py", "recipe.toml",
        ]  # fmt: skip


@pytest.fixture(scope="module", params=LEAST)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an example in which its commands ran up to the exported file."""
    folder = tmp_path_factory.mktemp(request.param) / request.param
    shutil.copytree(EXAMPLES / request.param, folder)
    with contextlib.chdir(folder):
        runpy.run_path("make_data.py")
        trainer.train_recipe("recipe.toml", "run", console=Console(file=io.StringIO()))
        export.to_qonnx(crq.FrozenModel.load("run/frozen.pt"), "n.onnx")
        yield folder


def simulated(folder: Path, target: str, count: int) -> Link:
    images = Images(recipe.load(folder / "recipe.toml"), crq.FrozenModel.load(folder / "run" / "frozen.pt"))
    project = hw.build(folder / "n.onnx", folder / target, target=target)
    return verify(project, images.codes[:count].numpy(), folder / "run", score=images.score(count))


def test_an_example_is_exact_in_c(trained: Path) -> None:
    found = simulated(trained, "hls", 1000)
    summary = json.loads((trained / "run" / "summary.json").read_text())
    assert found.equal, str(found)
    assert found.figures == {"accuracy": summary["accuracy"]["frozen"]}
    assert summary["accuracy"]["frozen"] >= LEAST[trained.name]


@pytest.mark.slow
def test_an_example_is_exact_in_rtl(trained: Path) -> None:
    found = simulated(trained, "rtl", 20)
    assert found.equal, str(found)
    assert found.images == 20
