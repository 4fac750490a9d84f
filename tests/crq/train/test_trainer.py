"""A whole run as a user meets it: its files, resuming, other methods, own networks and data; small data, few epochs."""

import csv
import io
import json

import pytest
import torch
from rich.console import Console

import crq
from crq.errors import CrqError
from crq.files import sha256
from crq.train import data, fit, recipe, trainer
from tests.support.recipes import Interrupt, run, values


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
    assert layers[0] == ["phase", "epoch", "layer", "cost", "zeros", "alpha", "changed"]
    last = {row[2]: [float(v) for v in row[3:]] for row in layers[-3:]}
    assert set(last) == set(summary["layers"])
    for name, (_, zeros, alpha, changed) in last.items():
        assert 0 <= changed < 0.5
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


@pytest.mark.parametrize(
    "phase",
    [pytest.param("pretrain", marks=pytest.mark.slow), "retrain", pytest.param("finetune", marks=pytest.mark.slow)],
)
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, finished, monkeypatch, phase: str) -> None:
    changes = {f"{phase}__epochs": 4, "retrain__warm": True, "finetune__momentum": 0.8}
    if phase == "pretrain":
        changes["pretrain__optimizer"] = "adam"
        changes["pretrain__lr"] = 0.005
    if phase == "retrain":
        changes["retrain__regularizer"] = {"name": "representatives", "lam": 0.01}
    whole = run(tmp_path / "whole", **changes)
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
    ],
)
def test_what_cannot_be_exported_still_trains_and_says_so(tmp_path, changes: dict, reason: str) -> None:
    summary = run(tmp_path / "run", ternary=changes, steps=3)
    assert reason in summary["not_exportable"]
    assert not (tmp_path / "run" / "frozen.pt").exists()
    assert "frozen" not in summary["accuracy"]
    assert 0 < summary["accuracy"]["finetuned"] <= 1


@pytest.mark.parametrize(
    "method", ["crq+", "lsq", *(pytest.param(name, marks=pytest.mark.slow) for name in ("twn", "ste"))]
)
def test_other_methods_freeze(tmp_path, method: str) -> None:
    summary = run(
        tmp_path / "run", ternary={"method": method, "integer": {"first": 8}}, pretrain__epochs=6, finetune__epochs=6
    )
    assert summary["accuracy"]["frozen"] > 0.8
    assert ("retrained" in summary["accuracy"]) == (method == "crq+")


def test_epochs_of_a_retrain_that_the_method_lacks_are_trained(tmp_path) -> None:
    own = recipe.parse(values(ternary={"method": "ste"}, pretrain__epochs=1, retrain__epochs=2, finetune__epochs=1))
    said = io.StringIO()
    trainer.train_recipe(own, tmp_path / "a", console=Console(file=said, width=200))
    assert "retrain   left out, method ste has no penalty there: its 2 epochs are finetune's\n" in said.getvalue()
    with (tmp_path / "a" / "metrics.csv").open() as file:
        assert [row["phase"] for row in csv.DictReader(file)] == ["pretrain", *["finetune"] * 3]
    again = io.StringIO()
    trainer.train_recipe(own, tmp_path / "a", resume=True, console=Console(file=again))


@pytest.mark.parametrize("ternary", [{}, {"method": "crq+"}])
def test_a_phase_without_epochs_is_not_told(tmp_path, ternary: dict) -> None:
    summary = run(tmp_path / "run", steps=2, retrain__epochs=0, ternary=ternary)
    assert summary["method"] == ternary.get("method", "ste")
    assert list(summary["accuracy"]) == ["float", "quantized", "finetuned", "frozen"]
    assert not (tmp_path / "run" / "checkpoints" / "retrain.pt").exists()


def test_refusals_come_before_any_file(tmp_path) -> None:
    with pytest.raises(
        CrqError, match=r"method crq pulls .* in \[retrain\], and the recipe has none: give retrain.epochs"
    ):
        run(tmp_path / "a", retrain__epochs=0, ternary={"method": "crq"})
    with pytest.raises(CrqError, match="unknown network 'digits-cn'"):
        run(tmp_path / "a", network={"name": "digits-cn"})
    with pytest.raises(CrqError, match="network 'digits-cnn': .*unexpected keyword argument 'depth'"):
        run(tmp_path / "a", network={"name": "digits-cnn", "options": {"depth": 3}})
    with pytest.raises(
        CrqError, match=r"takes 3 channels, but .* digits, of shape \(1, 8, 8\), .* choose another network"
    ):
        run(tmp_path / "a", network={"name": "vgg7", "options": {"width": 2}})
    with pytest.raises(CrqError, match="matches no layer"):
        run(tmp_path / "a", ternary={"skip": ["conv9"]})
    with pytest.raises(CrqError, match=r"recipe: expected a Recipe, a dictionary of its sections, .* not NoneType"):
        trainer.train_recipe(None, tmp_path / "a")
    with pytest.raises(CrqError, match="out: expected the path of a folder, not None"):
        trainer.train_recipe("digits", None)
    assert not (tmp_path / "a").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    with pytest.raises(CrqError, match="is not empty"):
        run(tmp_path / "full")
    with pytest.raises(CrqError, match="there is no run to resume"):
        run(tmp_path / "full", resume=True)


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
    plan = values(steps=2, calibration=64)  # the sections as they are
    summary = trainer.train_recipe(
        plan, tmp_path / "run", data=own, test=torch.utils.data.Subset(test, range(50)), console=quiet
    )
    assert summary["test_images"] == 50
    assert json.loads(crq.FrozenModel.load(tmp_path / "run" / "frozen.pt").metadata["class_names"]) == list(
        "0123456789"
    )


def test_a_phase_of_another_version_is_told(tmp_path) -> None:
    folder = tmp_path / "run"
    run(folder, steps=1)
    file = folder / "checkpoints" / "pretrain.pt"
    state = torch.load(file, weights_only=True)
    state["accuracy"] = state.pop("scores")
    torch.save(state, file)
    with pytest.raises(CrqError, match=r"pretrain.pt lacks scores: another version of crq wrote it. Train into a new"):
        run(folder, resume=True, steps=1)


def test_a_budget_of_epochs_is_for_all_phases(tmp_path) -> None:
    plan = recipe.parse(values(ternary={"method": "ste"}, pretrain={"epochs": 1}, finetune={"epochs": 3}))
    plan = plan.model_copy(update={"retrain": plan.retrain.model_copy(update={"epochs": 0})})
    trainer.train_recipe(plan, tmp_path / "run", epochs=8, console=Console(file=io.StringIO()))
    phases = [line.split(",")[0] for line in (tmp_path / "run" / "metrics.csv").read_text().splitlines()[1:]]
    assert phases == ["pretrain"] * 2 + ["finetune"] * 6
