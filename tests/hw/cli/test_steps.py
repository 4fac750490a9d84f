"""The steps of `crq run`: what is told before the training, and a project that is built again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from crq import hw
from crq.errors import CrqError
from crq.hw.cli.run import run
from crq.hw.cli.steps import Images, Steps, bit_exact, contradictions, differing
from crq.hw.forms.verdicts import kept
from crq.hw.verify.link import Link
from crq.hw.verify.proofs.proof import Proof
from crq.train import recipe
from tests.support.nets import Plain, frozen
from tests.support.recipes import values


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    plan = recipe.parse(values())
    return Steps(plan, tmp_path / "run", plan.hardware, Console(quiet=True))


def test_what_would_fail_later_is_told_first(steps: Steps, monkeypatch) -> None:
    steps.check()
    steps.output.mkdir()
    (steps.output / "thesis.txt").touch()
    with pytest.raises(CrqError, match="is not empty and holds no run"):
        steps.check()
    steps.options = replace(steps.options, part="nonsense")
    with pytest.raises(ValueError, match="part 'nonsense' is not known"):
        steps.check()
    steps.options = replace(steps.options, part="xc7z020clg400-1")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(hw.ToolError):
        steps.check()


def test_the_tested_images_are_the_test_split() -> None:
    given = Images(recipe.parse(values()), frozen(Plain))
    assert (given.name, tuple(given.codes.shape), given.codes.dtype) == ("digits:test", (359, 1, 8, 8), torch.uint8)
    assert given.score(359)(np.zeros((359, 10)))["accuracy"] == pytest.approx(0.1, abs=0.02)


def test_an_equal_project_stays_and_another_takes_its_place(steps: Steps) -> None:
    steps.training.mkdir(parents=True)
    frozen(Plain).save(steps.training / "frozen.pt")
    given = Images(steps.recipe, steps.frozen)
    assert [result.images for result in steps.export(given)] == [359] * 3
    project = steps.build(given)
    source = project.directory / "firmware" / "defines.h"
    stamp = source.stat().st_mtime_ns
    assert steps.build(given).manifest == project.manifest
    assert source.stat().st_mtime_ns == stamp
    steps.options = replace(steps.options, clock_period=10.0)
    again = steps.build(given)
    assert (again.directory, again.manifest.clock_period) == (project.directory, 10.0)
    assert source.stat().st_mtime_ns != stamp
    assert sorted(path.name for path in steps.output.iterdir()) == ["toy.onnx", "toy_hls", "train"]
    assert list(steps.seconds) == ["export", "build"]


def test_integers_that_differ_are_counted_over_all_verdicts() -> None:
    assert differing([{"integers": 10, "exact_integers": 10}, {"integers": 7, "exact_integers": 4}]) == 3


GOOD = {
    "runtimes": [Link("file in qonnx = PyTorch", 3, 30, 0), Link("by default", 3, 30, 2, claimed=False)],
    "verdicts": [{"bit_exact": True}],
    "proofs": [Proof("sources", True, "")],
}


def test_what_is_claimed_and_equal_is_bit_exact() -> None:
    assert bit_exact(**GOOD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"runtimes": [Link("file in qonnx = PyTorch", 3, 30, 1)]}, {"runtimes": [Link("file in qonnx", 3, 0, 0)]},
        {"runtimes": []}, {"runtimes": [Link("by default", 3, 30, 0, claimed=False)]}, {"verdicts": []},
        {"verdicts": [{"bit_exact": True}, {"bit_exact": False}]}, {"proofs": [Proof("sources", False, "")]},
    ],
)  # fmt: skip
def test_what_differs_or_compared_nothing_is_not(wrong: dict) -> None:
    assert not bit_exact(**{**GOOD, **wrong})


@pytest.mark.parametrize(
    ("change", "failed"),
    [({}, False), ({"figures": {"mse": 0.25 + 1e-9}}, False), ({"figures": {"mse": 0.26}}, True),
     ({"figures": {"mse": 0.26}, "bit_exact": False}, False)],
)  # fmt: skip
def test_equal_integers_with_another_figure_contradict_themselves(change: dict, failed: bool) -> None:
    same = {"bit_exact": True, "images": 50, "figures": {"mse": 0.25}}
    found = contradictions("mse", 0.25, [same, same | change, same | change])
    assert [(proof.name, proof.ok) for proof in found] == [("simulated mse = frozen mse", False)] * failed
    assert not failed or found[0].facts.startswith("0.26 and 0.25 on 50 test images")


class Points(nn.Module):
    """Of (N, 4 points, 4 features): a shape that does not tell the axes apart."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.fc1(x)).amax(1))


def points() -> tuple[TensorDataset, TensorDataset]:
    x = torch.randn(400, 4, 4, generator=torch.Generator().manual_seed(0))
    best = (2 * x[:, :, 0] + x[:, :, 1]).amax(1)
    y = (best > 1.2).long() + (best > 2.8).long()
    return TensorDataset(x[:300], y[:300]), TensorDataset(x[300:], y[300:])


def test_points_are_simulated_in_the_order_of_their_training(steps: Steps, monkeypatch) -> None:
    given = {"data": {"name": f"{__name__}:points", "standardize": False}, "network": {"name": f"{__name__}:Points"}}
    steps.recipe = recipe.parse(values(**given))
    monkeypatch.setattr(hw.project.HlsProject, "check", lambda _: [])
    trained = steps.train()
    images = Images(steps.recipe, steps.frozen)
    links = steps.export(images)
    project = steps.build(images)
    verdicts, proofs = steps.simulate(project, images, links, trained)
    assert verdicts[0]["figures"]["accuracy"] == trained["accuracy"]["frozen"]
    assert all(verdict["bit_exact"] for verdict in verdicts)
    assert not proofs
    another = {**trained, "accuracy": {"frozen": trained["accuracy"]["frozen"] - 0.01}}
    verdicts, [proof] = steps.simulate(project, images, links, another)
    assert all(verdict["bit_exact"] for verdict in verdicts)
    assert str(proof).startswith("FAILED: simulated accuracy = frozen accuracy: ")
    [entry] = kept(project).values()
    assert (entry["equal"], entry["differing"]) == (False, 0)


def test_a_file_that_is_not_the_model_ends_the_run_with_1(steps: Steps, monkeypatch) -> None:
    """Every integer of the simulation equals PyTorch's, and the file's logits do not."""
    differs = [Link("file in qonnx = PyTorch", 359, 3590, 7)]
    monkeypatch.setattr("crq.hw.cli.steps.runtime_links", lambda *_: differs)
    result = CliRunner().invoke(run, ["digits", "--epochs", "6", "-o", str(steps.output)])
    assert result.exit_code == 1, result.output
    assert "FAILED: file in qonnx = PyTorch: 7 of 3,590 differ" in result.output
    [entry] = kept(hw.open_project(steps.output / "digits_hls")).values()
    assert (entry["equal"], entry["differing"]) == (False, 0)


def test_the_command_of_a_report_names_what_ran(steps: Steps, tmp_path: Path) -> None:
    """A recipe of one's own, or a built-in one that the command line changed, by its file in the run."""
    assert steps._named() == str(tmp_path / "run" / "train" / "recipe.toml")
    digits = recipe.load("digits")
    assert replace(steps, recipe=digits)._named() == "digits"
    changed = digits.model_copy(update={"seed": 5})
    assert replace(steps, recipe=changed)._named() == str(tmp_path / "run" / "train" / "recipe.toml")
    given = {"part": "arty-a7-35", "target_fps": 1e6, "folding": {"fc": (1, 2)}}
    own = replace(steps, recipe=digits, options=digits.hardware.with_given(given))
    assert own.command() == (
        "crq run digits --target hls --part arty-a7-35 --clock-period 5 --target-fps 1000000 --fold fc=1,2"
    )
    assert own.command("ulx3s-25f") == (
        "crq run digits --board ulx3s-25f --clock-period 5 --target-fps 1000000 --fold fc=1,2"
    )
