"""A phase under Lightning: what acts on the weights, signals, learning rates that are too high."""

import signal

import pytest
import torch

from crq.quant import regularizers
from crq.train import fit
from crq.train.lightning import CRQCallback
from tests.support.recipes import Signal, run


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["INT", "TERM"]
)
def test_a_signal_ends_a_run_in_python(tmp_path, monkeypatch, number: signal.Signals, expected: type) -> None:
    monkeypatch.setattr(fit, "PhaseProgress", lambda recorder, console: Signal(number))
    with pytest.raises(expected) as caught:
        run(tmp_path / "run")
    assert expected is KeyboardInterrupt or caught.value.code == 143


def test_penalty_acts_with_adam_too(tmp_path) -> None:
    free = run(tmp_path / "free", retrain={"epochs": 4, "optimizer": "adamw", "lr": 0.003, "lam": 0.0})
    tied = run(tmp_path / "tied", retrain={"epochs": 4, "optimizer": "adamw", "lr": 0.003, "lam": 30.0})
    for name, row in tied["layers"].items():
        assert row["cost_after"] < 0.3 * free["layers"][name]["cost_after"]


@pytest.mark.parametrize("name", ["l-infinity", "margin", "soft-min-max", "representatives"])
def test_regularizers_act_in_the_retrain(tmp_path, monkeypatch, name: str) -> None:
    """Under twn, which has no retrain of its own: a strong penalty falls, and what it learns moves."""
    made = []
    original = regularizers.build

    def building(*arguments):
        made.append(original(*arguments))
        made.append(float(made[0]().detach()))
        made.append([value.detach().clone() for value in made[0].parameters()])
        return made[0]

    monkeypatch.setattr(fit.regularizers, "build", building)
    strong = {"epochs": 2, "lr": 0.02, "regularizer": {"name": name, "lam": 1.0}}
    changes = {"pretrain__epochs": 0, "finetune__epochs": 0, "retrain": strong, "calibration": 64}
    summary = run(tmp_path / "run", ternary={"method": "twn"}, **changes)
    assert "retrained" in summary["accuracy"]
    penalty, before, learned = made
    assert float(penalty().detach()) < before
    assert all(not torch.equal(a, b) for a, b in zip(learned, penalty.parameters(), strict=True))


def test_a_ramp_starts_at_no_pull_and_ends_at_lambda(tmp_path, monkeypatch) -> None:
    made = []

    class Recording(CRQCallback):
        def __init__(self, lam, warm=False) -> None:
            super().__init__(lam, warm)
            made.append(lam)

    monkeypatch.setattr(fit, "CRQCallback", Recording)
    run(tmp_path / "run", retrain__ramp=True, steps=2)
    (ramp,) = made
    assert [ramp(0.0), ramp(0.5), ramp(1.0)] == pytest.approx([0.0, 0.025, 0.05])
