"""A phase under Lightning: what acts on the weights, signals, learning rates that are too high."""

import io
import signal

import pytest
import pytorch_lightning as pl
import torch
from rich.console import Console

from crq.errors import CrqError
from crq.quant import regularizers
from crq.train import fit, recipe
from crq.train.folder import RunFolder
from crq.train.lightning import CRQCallback
from crq.train.phases import PhaseModule
from crq.train.setup import Setup
from tests.support.recipes import Signal, run, values


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
    run(tmp_path / "run", retrain__lam_schedule="up", steps=2)
    (ramp,) = made
    assert [ramp(0.0), ramp(0.5), ramp(1.0)] == pytest.approx([0.0, 0.025, 0.05])


def test_the_average_of_the_weights_is_what_a_phase_ends_with(tmp_path) -> None:
    """Against an average kept by hand over the same steps; statistics of batch norms are estimated anew."""
    kept: dict[str, torch.Tensor] = {}

    class ByHand(pl.Callback):
        def on_train_start(self, trainer, pl_module) -> None:
            kept.update({name: value.detach().clone() for name, value in pl_module.network.named_parameters()})

        def on_train_batch_end(self, trainer, pl_module, *arguments) -> None:
            for name, value in pl_module.network.named_parameters():
                first = trainer.global_step == 1  # the average begins with the first step's weights
                kept[name] = value.detach().clone() if first else 0.9 * kept[name] + 0.1 * value.detach()

    plan = recipe.parse(values(pretrain__average=0.9))
    setup = Setup(plan)
    folder = RunFolder(tmp_path / "run")
    folder.open(plan, False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "_users", lambda paths, key, kind: [ByHand()] if key == "callbacks" else [])
        fit.fit(setup, folder, "pretrain", setup.network, Console(file=io.StringIO()))
    for name, value in setup.network.named_parameters():
        torch.testing.assert_close(value.detach(), kept[name], rtol=1e-4, atol=1e-6)


def test_a_phase_distils_from_the_float_network_of_its_run(tmp_path, monkeypatch) -> None:
    teachers = []

    class Watched(PhaseModule):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments)
            teachers.append((self.name, self.objective.teacher))

    monkeypatch.setattr(fit, "PhaseModule", Watched)
    run(tmp_path / "run", finetune__distill={"layers": 0.1}, steps=2)
    assert [name for name, teacher in teachers if teacher is not None] == ["finetune"]
    finished = torch.load(tmp_path / "run" / "checkpoints" / "pretrain.pt", weights_only=True)["network"]
    (teacher,) = (teacher for _, teacher in teachers if teacher is not None)
    for name, value in teacher.teacher.state_dict().items():
        assert torch.equal(value, finished[name]), name
    assert teacher.layers


def test_callbacks_and_loggers_of_the_user_take_part(tmp_path, monkeypatch) -> None:
    (tmp_path / "watching_of_a_test.py").write_text(
        "import pytorch_lightning as pl\n"
        "from pytorch_lightning.loggers import CSVLogger\n"
        "seen = []\n"
        "class Watch(pl.Callback):\n"
        "    def on_train_start(self, trainer, pl_module): seen.append(pl_module.name)\n"
        "def log(): return CSVLogger('logged')\n"
        "def needs(something): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    run(tmp_path / "run", steps=1, callbacks=["watching_of_a_test:Watch"], loggers=["watching_of_a_test:log"])
    import watching_of_a_test  # type: ignore[import-not-found]

    assert watching_of_a_test.seen == ["pretrain", "retrain", "finetune"]
    assert (tmp_path / "logged").is_dir()
    with pytest.raises(CrqError, match=r"callbacks: watching_of_a_test:needs cannot be called without arguments"):
        run(tmp_path / "other", steps=1, callbacks=["watching_of_a_test:needs"])
    with pytest.raises(CrqError, match=r"callbacks: watching_of_a_test:log gives CSVLogger, which is no Lightning Cal"):
        run(tmp_path / "third", steps=1, callbacks=["watching_of_a_test:log"])


def test_clipped_gradients_bound_how_far_weights_go(tmp_path) -> None:
    plan = recipe.parse(values(pretrain={"epochs": 1, "lr": 0.05, "momentum": 0.0, "clip": 1e-4}))
    setup, folder = Setup(plan), RunFolder(tmp_path / "run")
    folder.open(plan, False)
    before = torch.cat([value.detach().flatten().clone() for value in setup.network.parameters()])
    fit.fit(setup, folder, "pretrain", setup.network, Console(file=io.StringIO()))
    after = torch.cat([value.detach().flatten() for value in setup.network.parameters()])
    assert 0 < float((after - before).norm()) <= setup.optimizer_steps("pretrain") * 0.05 * 1e-4 * 1.001


def test_what_is_no_import_path_is_told(tmp_path) -> None:
    with pytest.raises(CrqError, match="callbacks: 'json' must be module:name"):
        run(tmp_path / "run", steps=1, callbacks=["json"])
    with pytest.raises(CrqError, match="no_such_module_here:x: there is no module"):
        run(tmp_path / "other", steps=1, loggers=["no_such_module_here:x"])
