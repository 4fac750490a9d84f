"""The steps of `crq run`: what is told before the training, and a project that is built again."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

import hw
from crq.errors import CrqError
from crq.train import recipe
from hw.cli.steps import Images, Steps, differing
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
    given = Images(recipe.parse(values()))
    assert (given.name, tuple(given.codes.shape), given.codes.dtype) == ("digits:test", (359, 1, 8, 8), torch.uint8)
    assert len(given.labels) == 359


def test_an_equal_project_stays_and_another_takes_its_place(steps: Steps) -> None:
    steps.training.mkdir(parents=True)
    frozen(Plain).save(steps.training / "frozen.pt")
    given = Images(steps.recipe)
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
