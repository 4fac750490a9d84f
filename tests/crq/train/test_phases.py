"""One phase as a LightningModule: divergence is named."""

import pytest
import torch

import crq
from crq.errors import CrqError
from crq.quant.quantizers import ActQuant
from crq.train import recipe, sections, tasks, trainer
from crq.train.phases import PhaseModule
from tests.support.recipes import run, values

TASK = tasks.of("cross_entropy")


def test_nan_loss_is_named_at_once(tmp_path) -> None:
    plan = recipe.parse(values())
    wild = plan.pretrain.model_copy(update={"lr": 1e30, "schedule": "constant"})  # no recipe has such a rate
    with pytest.raises(
        CrqError, match=r"phase pretrain: the loss is not finite at epoch \d+, batch \d+.*Lower pretrain\.lr"
    ):
        trainer.train_recipe(plan.model_copy(update={"pretrain": wild}), tmp_path / "run")


def test_the_highest_rate_of_a_recipe_is_told_of_by_its_phase(tmp_path) -> None:
    """The loss may stay finite while the statistics of a batch norm overflow."""
    with pytest.raises(CrqError, match=r"phase pretrain.*Lower pretrain\.lr"):
        run(tmp_path / "run", pretrain={"epochs": 3, "lr": 1000, "schedule": "constant"})


def test_divergence_behind_a_finite_loss_is_named(tmp_path) -> None:
    module = PhaseModule(
        crq.prepare(torch.nn.Sequential(torch.nn.Linear(4, 2))), sections.Phase(epochs=1), "finetune", 1, 0, TASK
    )
    module.check_finite()
    with torch.no_grad():
        module.network.get_submodule("0").weight[0, 0] = float("nan")
    with pytest.raises(CrqError, match=r"phase finetune diverged: 0\.weight is not finite\. Lower finetune\.lr"):
        module.check_finite()
    scaled = PhaseModule(ActQuant(4), sections.Phase(epochs=1), "retrain", 1, 0, TASK)
    with torch.no_grad():
        scaled.network.log2_scale.fill_(1e12)
    with pytest.raises(CrqError, match="phase retrain diverged"):
        scaled.check_finite()


@pytest.mark.parametrize(
    ("options", "factors"),
    [
        ({"schedule": "constant"}, [1, 1, 1, 1]),
        ({"schedule": "cosine"}, [1, 0.5 + 0.5**1.5, 0.5, 0]),
        ({"schedule": "step", "milestones": (0.25, 0.5), "gamma": 0.1}, [1, 0.1, 0.01, 0.01]),
    ],
)
def test_schedules(options: dict, factors: list[float]) -> None:
    network = torch.nn.Linear(2, 2)
    made = PhaseModule(network, sections.Phase(epochs=1, lr=0.4, **options), "x", 8, 0, TASK).configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert [rates[step] / 0.4 for step in (0, 2, 4, 8)] == pytest.approx(factors)


def test_only_weights_decay() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    phase = sections.Phase(epochs=1, weight_decay=0.1, optimizer="adamw")
    decayed, plain = PhaseModule(network, phase, "x", 1, 0, TASK).configure_optimizers()["optimizer"].param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)
    assert [p.shape for p in decayed["params"]] == [(2, 1, 3, 3)]
    assert len(plain["params"]) == 3
