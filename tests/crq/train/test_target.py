"""λ that is adapted to a target of J/‖W‖²."""

import pytest

from crq.errors import CrqError
from crq.train import recipe
from crq.train.lightning import CRQCallback
from crq.train.target import TargetCallback
from tests.support.recipes import run, values


@pytest.mark.parametrize("target", [0.03, 0.08])
def test_the_target_is_reached_by_the_end(target: float, tmp_path) -> None:
    """From J/‖W‖² of about 0.15 of a float network."""
    phase = {"epochs": 6, "lr": 0.03, "target": target}
    summary = run(tmp_path / "run", pretrain__epochs=1, retrain=phase, finetune__epochs=0)
    after = [row["cost_after"] for row in summary["layers"].values()]
    before = [row["cost_before"] for row in summary["layers"].values()]
    assert sum(before) / len(before) > 0.12
    assert sum(after) / len(after) == pytest.approx(target, rel=0.3)


def test_lambda_is_kept_in_the_checkpoint() -> None:
    phase = recipe.parse(values(retrain={"epochs": 4, "lr": 0.03, "target": 0.1})).retrain
    callback, other = TargetCallback(phase, 40), TargetCallback(phase, 40)
    callback.strength, callback.cost, callback.step = 0.7, 0.25, 10
    other.load_state_dict(callback.state_dict())
    assert (other.strength, other.cost, other.step) == (0.7, 0.25, 10)
    assert isinstance(other, CRQCallback)
    assert other.lam(0.5) == 0.7


def test_one_strength_alone() -> None:
    with pytest.raises(CrqError, match="dose and target both say how strong the penalty is"):
        recipe.parse(values(retrain={"epochs": 1, "dose": 1.0, "target": 0.1}))
