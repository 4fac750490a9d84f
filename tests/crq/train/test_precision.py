"""The measurement of a precision, and what is told of it."""

import io

import pytest
import torch
from rich.console import Console

from crq.train import precision, recipe, trainer
from tests.support.recipes import values

CPU = torch.device("cpu")


def test_the_ratio_is_measured() -> None:
    assert 0.05 < precision.times_as_long(torch.float32, CPU) < 20
    assert precision.times_as_long(torch.bfloat16, CPU) > 0


@pytest.mark.parametrize(("ratio", "told"), [(0.6, False), (1.1, False), (9.6, True)])
def test_a_slower_precision_is_told(monkeypatch, ratio: float, told: bool) -> None:
    monkeypatch.setattr(precision, "times_as_long", lambda dtype, device: ratio)
    assert precision.warning("32-true", CPU) is None
    found = precision.warning("bf16-mixed", CPU)
    assert (found is not None) is told
    if found:
        assert "bf16-mixed takes 9.6 times as long as 32-true here" in found


def test_a_run_tells_it_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(precision, "times_as_long", lambda dtype, device: 9.6)
    said = io.StringIO()
    plan = recipe.parse(values(precision="bf16-mixed", steps=1))
    trainer.train_recipe(plan, tmp_path / "run", console=Console(file=said, width=200))
    assert said.getvalue().count("takes 9.6 times as long") == 1
