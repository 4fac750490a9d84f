"""Rates over a phase against torch's schedulers, and the dose against the sum that it is."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

import crq
from crq.quant.penalties import ClusterPenalty
from crq.train.schedules import dose, pull, rate
from crq.train.sections import Penalized, Phase


def rates(phase: Phase, steps: int) -> list[float]:
    return [phase.lr * rate(phase, step / steps) for step in range(steps)]


def torchs(scheduler, steps: int, **options) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    schedule = scheduler(optimizer, **options)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_cosine_is_torchs() -> None:
    expected = torchs(lr_scheduler.CosineAnnealingLR, 40, T_max=40)
    assert rates(Phase(epochs=1, lr=0.4), 40) == pytest.approx(expected)


def test_steps_are_torchs() -> None:
    phase = Phase(epochs=1, lr=0.4, schedule="step", milestones=(0.5, 0.75), gamma=0.2)
    expected = torchs(lr_scheduler.MultiStepLR, 40, milestones=[20, 30], gamma=0.2)
    assert rates(phase, 40) == pytest.approx(expected)


def test_one_cycle_is_torchs() -> None:
    """torch counts its two parts up to the last step, which reaches lr/1e9; here the phase's end is the end."""
    options = {"max_lr": 0.4, "total_steps": 4001, "pct_start": 1201 / 4001, "final_div_factor": 1e9}
    expected = torchs(lr_scheduler.OneCycleLR, 4001, cycle_momentum=False, **options)[:4000]
    found = rates(Phase(epochs=1, lr=0.4, schedule="one-cycle"), 4000)
    assert found == pytest.approx(expected, abs=1e-3)
    assert found[0] == pytest.approx(0.4 / 25)
    assert max(found) == pytest.approx(0.4)


def test_a_warm_up_rises_in_a_line_and_leaves_the_rest_to_the_schedule() -> None:
    phase = Phase(epochs=1, lr=0.4, schedule="cosine", warmup=0.25)
    warm = torchs(lr_scheduler.LambdaLR, 10, lr_lambda=lambda step: step / 10)
    assert rates(phase, 40) == pytest.approx(warm + torchs(lr_scheduler.CosineAnnealingLR, 30, T_max=30))


@given(
    schedule=st.sampled_from(["constant", "cosine", "one-cycle"]),
    warmup=st.sampled_from([None, 0.0, 0.1, 0.5]),
    share=st.floats(0, 2),
)
def test_rates_stay_between_nothing_and_lr(schedule: str, warmup: float | None, share: float) -> None:
    assert 0 <= rate(Phase(epochs=1, schedule=schedule, warmup=warmup), share) <= 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"lam_schedule": "up"}, [0, 0.25, 0.5, 0.75, 1]),
        ({"lam_schedule": "down"}, [1, 0.75, 0.5, 0.25, 0]),
        ({"lam_start": 0.5}, [0, 0, 1, 1, 1]),
        ({"lam_start": 0.5, "lam_schedule": "up"}, [0, 0, 0, 0.5, 1]),
    ],
)
def test_pulls(options: dict, expected: list[float]) -> None:
    phase = Penalized(epochs=1, **options)
    assert [pull(phase, share) for share in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx(expected)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("lam_schedule", ["constant", "up"])
def test_the_penalty_alone_shrinks_by_the_dose(momentum: float, lam_schedule: str) -> None:
    """W − αt of a real optimizer under λ = D/dose and no other gradient, against e^−D."""
    phase = Penalized(epochs=1, lr=0.05, momentum=momentum, lam_schedule=lam_schedule)
    steps, wanted = 300, 0.7
    model = crq.prepare(torch.nn.Sequential(torch.nn.Linear(16, 12)), crq.TernaryConfig(method="crq"))
    (layer,) = crq.coded_layers(model).values()
    codes = torch.tensor([-1.0, 0.0, 1.0]).repeat(layer.weight.numel())[: layer.weight.numel()]
    with torch.no_grad():
        layer.weight.copy_((codes + 0.1 * torch.randn(codes.shape)).view_as(layer.weight))
    penalty = ClusterPenalty(model, 0.0)
    optimizer = torch.optim.SGD([layer.weight], lr=phase.lr, momentum=momentum)

    def distance() -> float:
        found = layer.clusters()
        return float((layer.weight.detach() - found.dequantized()).norm())

    before = distance()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = phase.lr * rate(phase, step / steps)
        penalty.lam = wanted / dose(phase, steps) * pull(phase, step / steps)
        optimizer.zero_grad(set_to_none=False)
        layer.weight.grad = torch.zeros_like(layer.weight)
        penalty.add_gradients()
        optimizer.step()
    assert math.log(before / distance()) == pytest.approx(wanted, rel=0.02)
