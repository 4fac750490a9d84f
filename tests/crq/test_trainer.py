"""The trainer as a user meets it: a whole run, resuming, errors; small data, few epochs."""

import io
import json
import os
import shutil
import signal

import pytest
import pytorch_lightning as pl
import torch
from click.testing import CliRunner
from rich.console import Console

import crq
from crq import cli
from crq.errors import CrqError
from crq.files import sha256
from crq.quant.quantizers import ActQuant
from crq.train import data, recipe, trainer
from crq.train.lightning import CRQCallback
from crq.train.phases import PhaseModule


def values(**changes) -> dict:
    phase = {"epochs": 2, "lr": 0.05, "batch_size": 64}
    base = {
        "name": "toy",
        "data": {"name": "digits", "augment": "crop"},
        "network": {"name": "digits-cnn", "options": {"width": 4}},
        "pretrain": dict(phase),
        "retrain": {**phase, "lam": 0.05},
        "finetune": dict(phase),
        "calibration": 256,
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            base.setdefault(section, {})[name] = value
        else:
            base[section] = value
    return base


def run(folder, resume: bool = False, **changes) -> dict:
    return trainer.train_recipe(
        recipe.parse(values(**changes)), folder, resume=resume, console=Console(file=io.StringIO())
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "a"
    return folder, run(folder)


def test_digits_recipe_reaches_its_accuracy(tmp_path) -> None:
    summary = trainer.train_recipe("digits", tmp_path / "run", console=Console(file=io.StringIO()))
    assert summary["accuracy"]["float"] >= 0.97
    assert summary["accuracy"]["frozen"] >= summary["accuracy"]["float"] - 0.02
    for row in summary["layers"].values():
        assert row["cost_after"] < 0.2 * row["cost_before"]  # the retrain did cluster the weights


def test_run_folder(finished) -> None:
    folder, summary = finished
    names = {entry.name for entry in folder.iterdir()}
    assert {
        "recipe.toml",
        "frozen.pt",
        "summary.json",
        "manifest.json",
        "metrics.csv",
        "curves.png",
        "weights.png",
    } <= names
    assert not [name for name in names if name.startswith(".")]
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert list(summary["accuracy"]) == ["float", "retrained", "quantized", "finetuned", "frozen"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["files"]["frozen.pt"] == sha256(folder / "frozen.pt")
    assert manifest["recipe"]["seed"] == 0
    assert manifest["data"]["train"]["images"] + manifest["data"]["validation"]["images"] == 1438
    rows = (folder / "metrics.csv").read_text().splitlines()
    assert len(rows) == 1 + 6
    layers = [line.split(",") for line in (folder / "layers.csv").read_text().splitlines()]
    assert layers[0] == ["phase", "epoch", "layer", "cost", "zeros", "alpha"]
    last = {row[2]: [float(v) for v in row[3:]] for row in layers[-3:]}
    assert set(last) == set(summary["layers"])
    for name, (_, zeros, alpha) in last.items():
        assert (zeros, alpha) == (summary["layers"][name]["zeros"], summary["layers"][name]["alpha"])
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_tensorboard_has_every_layers_figures_in_every_phase(finished) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, summary = finished
    for phase in ("retrain", "finetune"):
        events = EventAccumulator(str(folder / "logs" / phase)).Reload()
        tags = set(events.Tags()["scalars"])
        assert {"loss", "accuracy"} <= tags
        assert {f"{key}/network.{name}" for key in ("cost", "zeros", "alpha") for name in summary["layers"]} <= tags


def test_frozen_network_has_the_accuracy_of_the_summary(finished) -> None:
    folder, summary = finished
    frozen = crq.FrozenModel.load(folder / "frozen.pt")
    test = data.load("digits:test")
    right = (frozen(test.images).argmax(1) == test.labels).float().mean()
    assert float(right) == pytest.approx(summary["accuracy"]["frozen"])


def test_same_seed_same_bits_other_seed_other_bits(finished, tmp_path) -> None:
    folder, summary = finished
    again, other = run(tmp_path / "again"), run(tmp_path / "other", seed=1)
    assert again["accuracy"] == summary["accuracy"]
    assert crq.FrozenModel.load(folder / "frozen.pt").content_hash == (
        crq.FrozenModel.load(tmp_path / "again" / "frozen.pt").content_hash
    )
    assert other["layers"] != summary["layers"]


class Interrupt(pl.Callback):
    """Stands in for a kill: raises when the given epoch of a phase starts."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        if trainer.current_epoch == self.epoch:
            raise KeyError("interrupted")


class Signal(pl.Callback):
    """Sends this process a signal in the middle of the last epoch of two."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if trainer.current_epoch == 1:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["train", "run"])
def test_a_signal_ends_the_command_with_its_number(tmp_path, monkeypatch, number: signal.Signals, verb: str) -> None:
    from crq.train import fit

    monkeypatch.setattr(fit, "PhaseProgress", lambda recorder, console: Signal(number))
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    recipe.parse(values()).save(tmp_path / "r.toml")
    result = CliRunner().invoke(cli.main, [verb, str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 128 + number
    how = "the same command with --resume" if verb == "train" else "the same command"
    assert f"Stopped: {how} continues from its last checkpoint." in result.stderr
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["INT", "TERM"]
)
def test_a_signal_ends_a_run_in_python(tmp_path, monkeypatch, number: signal.Signals, expected: type) -> None:
    from crq.train import fit

    monkeypatch.setattr(fit, "PhaseProgress", lambda recorder, console: Signal(number))
    with pytest.raises(expected) as caught:
        run(tmp_path / "run")
    assert expected is KeyboardInterrupt or caught.value.code == 143


@pytest.mark.parametrize("phase", ["pretrain", "retrain", "finetune"])
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, finished, monkeypatch, phase: str) -> None:
    changes = {f"{phase}__epochs": 4, "retrain__warm": True, "finetune__momentum": 0.8}
    if phase == "pretrain":
        changes["pretrain__optimizer"] = "adam"
        changes["pretrain__lr"] = 0.005
    if phase == "retrain":
        changes["retrain__regularizer"] = {"name": "representatives", "lam": 0.01}
    whole = run(tmp_path / "whole", **changes)

    from crq.train import fit

    original = fit.PhaseProgress

    def interrupting(recorder, console):
        return Interrupt(2) if recorder.phase == phase else original(recorder, console)

    monkeypatch.setattr(fit, "PhaseProgress", interrupting)
    with pytest.raises(KeyError, match="interrupted"):
        run(tmp_path / "cut", **changes)
    assert (tmp_path / "cut" / "checkpoints" / f"{phase}-last.ckpt").exists()
    assert not (tmp_path / "cut" / "summary.json").exists()
    monkeypatch.setattr(fit, "PhaseProgress", original)
    resumed = run(tmp_path / "cut", resume=True, **changes)

    def without_time(summary: dict) -> dict:
        return {key: value for key, value in summary.items() if key != "seconds"}

    assert without_time(resumed) == without_time(whole)
    for name in ("pretrain", "retrain", "finetune"):
        a, b = (
            torch.load(tmp_path / side / "checkpoints" / f"{name}.pt", weights_only=True) for side in ("whole", "cut")
        )
        assert all(torch.equal(x, b["network"][key]) for key, x in a["network"].items())
        assert [row["loss"] for row in a["rows"]] == [row["loss"] for row in b["rows"]]


def test_a_finished_run_resumes_to_itself(finished) -> None:
    folder, summary = finished
    assert run(folder, resume=True)["accuracy"] == summary["accuracy"]


def test_starting_from_an_earlier_float_network(finished, tmp_path) -> None:
    folder, summary = finished
    plan = recipe.parse(values(ternary={"method": "twn"}))
    quiet = Console(file=io.StringIO())
    derived = trainer.train_recipe(plan, tmp_path / "twn", pretrained=folder, console=quiet)
    assert derived["accuracy"]["float"] == summary["accuracy"]["float"]
    assert "retrained" not in derived["accuracy"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"act_bits": None}, "activations are float"),
        ({"skip": ["first"]}, "layers first are float"),
        ({"method": "ttq"}, "two scales"),
        ({"per_channel": True}, "per channel"),
    ],
)
def test_what_cannot_be_exported_still_trains_and_says_so(tmp_path, changes: dict, reason: str) -> None:
    summary = run(tmp_path / "run", ternary=changes, steps=3)
    assert reason in summary["not_exportable"]
    assert not (tmp_path / "run" / "frozen.pt").exists()
    assert "frozen" not in summary["accuracy"]
    assert 0 < summary["accuracy"]["recalibrated"] <= 1


@pytest.mark.parametrize("method", ["crq+", "twn", "ste"])
def test_other_methods_freeze(tmp_path, method: str) -> None:
    summary = run(
        tmp_path / "run", ternary={"method": method, "integer": {"first": 8}}, pretrain__epochs=6, finetune__epochs=6
    )
    assert summary["accuracy"]["frozen"] > 0.8
    assert ("retrained" in summary["accuracy"]) == (method == "crq+")


def test_penalty_acts_with_adam_too(tmp_path) -> None:
    free = run(tmp_path / "free", retrain={"epochs": 4, "optimizer": "adamw", "lr": 0.003, "lam": 0.0})
    tied = run(tmp_path / "tied", retrain={"epochs": 4, "optimizer": "adamw", "lr": 0.003, "lam": 30.0})
    for name, row in tied["layers"].items():
        assert row["cost_after"] < 0.3 * free["layers"][name]["cost_after"]


@pytest.mark.parametrize("name", ["l-infinity", "margin", "soft-min-max", "representatives"])
def test_regularizers_act_in_the_retrain(tmp_path, monkeypatch, name: str) -> None:
    """Under twn, which has no retrain of its own: a strong penalty falls, and what it learns moves."""
    from crq.quant import regularizers
    from crq.train import fit

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


def test_nan_loss_is_named_at_once(tmp_path) -> None:
    with pytest.raises(
        CrqError, match=r"phase pretrain: the loss is not finite at epoch \d+, batch \d+.*Lower pretrain\.lr"
    ):
        run(tmp_path / "run", pretrain={"epochs": 3, "lr": 1e30, "schedule": "constant"})


def test_refusals_come_before_any_file(tmp_path) -> None:
    with pytest.raises(CrqError, match="unknown network 'digits-cn'"):
        run(tmp_path / "a", network={"name": "digits-cn"})
    with pytest.raises(CrqError, match="network 'digits-cnn': .*unexpected keyword argument 'depth'"):
        run(tmp_path / "a", network={"name": "digits-cnn", "options": {"depth": 3}})
    with pytest.raises(CrqError, match=r"does not accept images of shape \(1, 8, 8\)"):
        run(tmp_path / "a", network={"name": "vgg7", "options": {"width": 2}})
    with pytest.raises(CrqError, match="matches no layer"):
        run(tmp_path / "a", ternary={"skip": ["conv9"]})
    assert not (tmp_path / "a").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    with pytest.raises(CrqError, match="is not empty"):
        run(tmp_path / "full")
    with pytest.raises(CrqError, match="there is no run to resume"):
        run(tmp_path / "full", resume=True)


def digits(count: int = 200, classes: int = 10) -> data.ImageData:
    """Some training images, labelled modulo `classes`."""
    part = data.load("digits:train").subset(torch.arange(count))
    return data.ImageData(part.images, part.labels % classes, part.classes[:classes], "some")


def start(folder, network=None, train=None, test=None, **changes) -> trainer.Run:
    """A run that is only started."""
    console = Console(file=io.StringIO())
    return trainer.Run(recipe.parse(values(**changes)), folder, network, train, test, False, console)


def test_unlike_splits_are_refused(tmp_path) -> None:
    small = data.ImageData(digits().images[:, :, :6, :6], digits().labels, digits().classes, "small")
    color = data.ImageData(digits().images.repeat(1, 3, 1, 1), digits().labels, digits().classes, "color")
    for test, shape in ((small, r"\(1, 6, 6\)"), (color, r"\(3, 8, 8\)")):
        with pytest.raises(CrqError, match=rf"have shape \(1, 8, 8\) in the training split and {shape} in the test"):
            start(tmp_path / "a", train=digits(), test=test)
    with pytest.raises(CrqError, match="test split's classes 0, .*: 7, 8, 9 is not among them"):
        start(tmp_path / "a", train=digits(classes=7), test=digits())
    assert not (tmp_path / "a").exists()
    start(tmp_path / "a", train=digits(), test=digits(classes=7))


def test_outputs_that_are_no_logits_are_refused(tmp_path) -> None:
    few = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 7))
    with pytest.raises(CrqError, match=r"output for one image has shape \(7,\); expected 10 logits"):
        start(tmp_path / "a", few)
    planes = torch.nn.Sequential(torch.nn.Conv2d(1, 10, 8))
    with pytest.raises(CrqError, match=r"output for one image has shape \(10, 1, 1\); expected 10 logits"):
        start(tmp_path / "a", planes)
    assert not (tmp_path / "a").exists()


def test_shapes_that_would_not_freeze_are_refused_before_training(tmp_path) -> None:
    pool = torch.nn.MaxPool2d(3, 2, ceil_mode=True)
    edge = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), pool, torch.nn.Flatten(), torch.nn.Linear(32, 10))
    with pytest.raises(CrqError, match="layer '1': its windows do not fill 8 pixels"):
        start(tmp_path / "a", edge)
    rows = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Flatten(), torch.nn.Linear(64, 10))
    with pytest.raises(CrqError, match=r"layer '0' \(Linear\) is applied to a tensor of shape"):
        start(tmp_path / "a", rows)
    assert not (tmp_path / "a").exists()
    start(tmp_path / "a", edge, ternary={"act_bits": None})  # training alone follows PyTorch


def test_what_a_later_phase_cannot_do_is_told_at_the_start(tmp_path) -> None:
    with pytest.raises(CrqError, match=r"1294 training images do not fill one batch of finetune\.batch_size = 5000"):
        start(tmp_path / "a", finetune__batch_size=5000)
    rows = data.ImageData(digits().images[:, 0], digits().labels, digits().classes, "rows")
    with pytest.raises(CrqError, match="augment 'crop' is for images"):
        start(tmp_path / "a", torch.nn.Sequential(torch.nn.Conv1d(8, 10, 8), torch.nn.Flatten()), rows, rows)
    assert not (tmp_path / "a").exists()
    start(tmp_path / "a", finetune__batch_size=5000, finetune__epochs=0)
    start(tmp_path / "b", retrain__batch_size=5000, ternary={"method": "twn"})


def test_a_wrong_earlier_run_leaves_the_folder_alone(finished, tmp_path) -> None:
    quiet = Console(file=io.StringIO())
    for earlier, seed, message in ((tmp_path / "typo", 0, "cannot be read"), (finished[0], 5, "another `seed`")):
        with pytest.raises(CrqError, match=message):
            trainer.train_recipe(recipe.parse(values(seed=seed)), tmp_path / "b", pretrained=earlier, console=quiet)
        assert not (tmp_path / "b").exists()


def test_divergence_behind_a_finite_loss_is_named(tmp_path) -> None:
    module = PhaseModule(
        crq.prepare(torch.nn.Sequential(torch.nn.Linear(4, 2))), recipe.Phase(epochs=1), "finetune", 1, 0
    )
    module.check_finite()
    with torch.no_grad():
        module.network.get_submodule("0").weight[0, 0] = float("nan")
    with pytest.raises(CrqError, match=r"phase finetune diverged: 0\.weight is not finite\. Lower finetune\.lr"):
        module.check_finite()
    scaled = PhaseModule(ActQuant(4), recipe.Phase(epochs=1), "retrain", 1, 0)
    with torch.no_grad():
        scaled.network.log2_scale.fill_(1e12)
    with pytest.raises(CrqError, match="phase retrain diverged"):
        scaled.check_finite()


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04"])
def test_damaged_checkpoints_are_named(finished, tmp_path, content: bytes) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    (folder / "checkpoints" / "finetune.pt").unlink()
    for name in ("finetune-last.ckpt", "pretrain.pt"):
        (folder / "checkpoints" / name).write_bytes(content)
        with pytest.raises(CrqError, match=rf"checkpoints/{name} is damaged: remove it and resume"):
            run(folder, resume=True)


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"act_bits": "float"}, "act_bits"), ({"skip": ["first"]}, "skip"), ({"method": "ttq"}, "method"),
     ({"per_channel": True}, "per_channel")],
)  # fmt: skip
def test_crq_run_refuses_what_cannot_be_exported_before_training(tmp_path, changes: dict, key: str) -> None:
    recipe.parse(values(ternary=changes)).save(tmp_path / "r.toml")
    result = CliRunner().invoke(cli.main, ["run", str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert f"(ternary.{key}" in result.stderr
    assert "crq train" in result.stderr
    assert not (tmp_path / "run").exists()


def test_wrong_paths_on_the_command_line(tmp_path) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    for verb in ("train", "run"):
        for output in (tmp_path / "r.toml" / "x", tmp_path / ("a" * 300), "/proc/x"):
            result = CliRunner().invoke(cli.main, [verb, str(tmp_path / "r.toml"), "-o", str(output)])
            assert (result.exit_code, str(output) in result.stderr) == (2, True), result.output
        arguments = [verb, "digits", "-o", str(tmp_path / "run"), "--data-root", "/nope"]
        assert "digits come with scikit-learn" in CliRunner().invoke(cli.main, arguments).stderr
    assert not (tmp_path / "run").exists()


def test_recipes_as_json() -> None:
    listing = json.loads(CliRunner().invoke(cli.main, ["recipes", "--json"]).stdout)
    assert [row["name"] for row in listing] == recipe.built_in()
    assert {"name": "digits", "network": "digits-cnn", "data": "digits", "method": "crq"} in listing
    shown = json.loads(CliRunner().invoke(cli.main, ["recipes", "--show", "digits", "--json"]).stdout)
    assert recipe.parse(shown) == recipe.load("digits")


def test_resuming_with_another_recipe_is_refused(finished) -> None:
    with pytest.raises(CrqError, match="the recipe differs"):
        run(finished[0], resume=True, seed=3)


def test_own_network_and_data(tmp_path) -> None:
    train, test = data.load("digits:train"), data.load("digits:test")
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10))
    quiet = Console(file=io.StringIO())
    summary = trainer.train_recipe(
        recipe.parse(values()), tmp_path / "run", network=network, data=train, test=test, console=quiet
    )
    assert set(summary["layers"]) == {"1", "3"}
    assert (tmp_path / "run" / "frozen.pt").exists()


def test_any_torch_dataset(tmp_path) -> None:
    digits, test = data.load("digits:train"), data.load("digits:test")
    own = torch.utils.data.TensorDataset(digits.images[:200], digits.labels[:200])
    quiet = Console(file=io.StringIO())
    plan = recipe.parse(values(steps=2, calibration=64))
    summary = trainer.train_recipe(
        plan, tmp_path / "run", data=own, test=torch.utils.data.Subset(test, range(50)), console=quiet
    )
    assert summary["test_images"] == 50
    assert json.loads(crq.FrozenModel.load(tmp_path / "run" / "frozen.pt").metadata["class_names"]) == list(
        "0123456789"
    )


def test_command_line(tmp_path) -> None:
    recipe.parse(values()).save(tmp_path / "r.toml")
    runner = CliRunner()
    result = runner.invoke(
        cli.main, ["train", str(tmp_path / "r.toml"), "-o", str(tmp_path / "run"), "--steps", "2", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["method"] == "crq"
    again = runner.invoke(cli.main, ["train", str(tmp_path / "r.toml"), "-o", str(tmp_path / "run")])
    assert again.exit_code == 2
    assert "is not empty" in again.stderr
    assert "Traceback" not in again.stderr
    wrong = runner.invoke(cli.main, ["trian"])
    assert wrong.exit_code == 2
    assert "no command 'trian' (did you mean 'train'?)" in wrong.stderr
    listing = runner.invoke(cli.main, ["recipes"])
    assert "digits-cnn on digits" in listing.stdout
    shown = runner.invoke(cli.main, ["recipes", "--show", "digits"])
    assert "[finetune]" in shown.stdout


def test_help_names_the_steps() -> None:
    text = CliRunner().invoke(cli.main, ["--help"]).stdout
    for word in ("train", "export", "build", "simulate", "report"):
        assert f"crq {word}" in text


def test_a_ramp_starts_at_no_pull_and_ends_at_lambda(tmp_path, monkeypatch) -> None:
    from crq.train import fit

    made = []

    class Recording(CRQCallback):
        def __init__(self, lam, warm=False) -> None:
            super().__init__(lam, warm)
            made.append(lam)

    monkeypatch.setattr(fit, "CRQCallback", Recording)
    run(tmp_path / "run", retrain__ramp=True, steps=2)
    (ramp,) = made
    assert [ramp(0.0), ramp(0.5), ramp(1.0)] == pytest.approx([0.0, 0.025, 0.05])


def test_calibration_images_are_augmented_as_in_training(tmp_path) -> None:
    console = Console(file=io.StringIO())
    batches = {}
    for augment in ("none", "crop"):
        made = trainer.Run(
            recipe.parse(values(data__augment=augment)), tmp_path / augment, None, None, None, False, console
        )
        batches[augment] = next(iter(made.calibration(whole=True)))
    assert torch.equal(batches["none"][1], batches["crop"][1])
    assert batches["none"][0].shape == batches["crop"][0].shape
    assert not torch.equal(batches["none"][0], batches["crop"][0])
