"""Early stopping in whole runs: the best epoch's weights, where a phase ends, and the same after an interruption."""

import pytest
import torch

from crq.errors import CrqError
from crq.train import fit, recipe
from crq.train.best import BestEpoch
from tests.support.recipes import Interrupt, run, values

QUICK = {"retrain__epochs": 0, "finetune__epochs": 0, "calibration": 64}


def test_a_phase_ends_after_its_patience_with_its_best_weights(tmp_path, monkeypatch) -> None:
    kept = []

    class Watched(BestEpoch):
        def on_train_end(self, trainer, pl_module) -> None:
            super().on_train_end(trainer, pl_module)
            kept.append((self._best, {name: value.clone() for name, value in pl_module.network.state_dict().items()}))

    monkeypatch.setattr(fit, "BestEpoch", Watched)
    # At this rate the network stops learning soon.
    summary = run(
        tmp_path / "run",
        pretrain={"epochs": 40, "lr": 0.1, "schedule": "constant", "patience": 2},
        **QUICK,
    )
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[1:]
    best, state = kept[0]
    assert len(rows) == best["epoch"] + 3 < 40
    for name, value in state.items():
        assert torch.equal(value, best["state"][f"network.{name}"])
    assert summary["accuracy"]["float"] > 0.5


def test_an_interrupted_phase_knows_its_best_epoch(tmp_path, monkeypatch) -> None:
    changes = {"pretrain": {"epochs": 6, "lr": 0.1, "patience": 3}, **QUICK}
    whole = run(tmp_path / "whole", **changes)
    with monkeypatch.context() as context:
        context.setattr(fit, "PhaseProgress", lambda recorder, console: Interrupt(4))
        with pytest.raises(KeyError, match="interrupted"):
            run(tmp_path / "parts", **changes)
    parts = run(tmp_path / "parts", resume=True, **changes)
    assert parts["accuracy"] == whole["accuracy"]


def test_patience_needs_held_out_images() -> None:
    with pytest.raises(CrqError, match=r"pretrain\.patience needs held-out samples: set data\.validation above 0"):
        recipe.parse(values(pretrain__patience=2, data__validation=0.0))
