"""A run's folder: what may start or go on in it, and its tables."""

import csv
import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from crq.errors import CrqError
from crq.options import BuildOptions
from crq.train import recipe, trainer
from crq.train.folder import RunFolder
from tests.support.recipes import run, values

PLAN = recipe.parse(values())


def test_a_wrong_earlier_run_leaves_the_folder_alone(finished, tmp_path) -> None:
    quiet = Console(file=io.StringIO())
    for earlier, seed, message in ((tmp_path / "typo", 0, "cannot be read"), (finished[0], 5, "another `seed`")):
        with pytest.raises(CrqError, match=message):
            trainer.train_recipe(recipe.parse(values(seed=seed)), tmp_path / "b", pretrained=earlier, console=quiet)
        assert not (tmp_path / "b").exists()


def test_resuming_with_another_recipe_is_refused(finished) -> None:
    with pytest.raises(CrqError, match="the recipe differs"):
        run(finished[0], resume=True, seed=3)


def test_a_new_run_wants_an_empty_folder_and_leaves_its_recipe_there(tmp_path) -> None:
    folder = RunFolder(tmp_path / "a")
    with pytest.raises(CrqError, match=r"has no recipe\.toml, so there is no run to resume"):
        folder.open(PLAN, resume=True)
    assert not folder.path.exists()
    folder.open(PLAN, resume=False)
    assert recipe.load(folder.recipe) == PLAN
    with pytest.raises(CrqError, match="is not empty"):  # a recipe alone is its user's
        folder.open(PLAN, resume=False)
    folder.checkpoints.mkdir()
    with pytest.raises(CrqError, match="has not ended"):
        folder.open(PLAN, resume=False)
    (folder.path / "net.py").write_text("")
    with pytest.raises(CrqError, match="is not empty"):
        folder.open(PLAN, resume=False)
    folder.open(PLAN.model_copy(update={"hardware": BuildOptions(part="ZCU104")}), resume=True)


def test_a_trial_is_set_aside_and_nothing_else_is(tmp_path) -> None:
    plain = run(tmp_path / "a", steps=2)
    assert plain["steps"] == 2
    held = {path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*")}
    assert {"frozen.pt", "summary.json", "logs", "checkpoints"} <= {str(path) for path in held}
    assert run(tmp_path / "a", steps=3)["steps"] == 3
    assert {path.relative_to(tmp_path / "a-trial") for path in (tmp_path / "a-trial").rglob("*")} == held
    folder = RunFolder(tmp_path / "a")
    for mine in ("notes.txt", "mine/recipe.toml", "logs/pretrain/mine.txt", "checkpoints/best.pth", "empty"):
        path = tmp_path / "a" / mine
        path.parent.mkdir(exist_ok=True)
        path.mkdir() if mine == "empty" else path.write_text("precious")
        before = sorted((tmp_path / "a").rglob("*"))
        with pytest.raises(CrqError, match="is not empty"):
            folder.open(PLAN, resume=False)
        assert sorted((tmp_path / "a").rglob("*")) == before
        path.rmdir() if mine == "empty" else path.unlink()
        if path.parent.name == "mine":
            path.parent.rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.pt").write_text("precious")
    logs = tmp_path / "a" / "logs" / "pretrain"
    logs.rename(tmp_path / "logs")
    logs.symlink_to(tmp_path / "elsewhere")
    folder.open(PLAN, resume=False)
    assert [path.name for path in folder.path.iterdir()] == ["recipe.toml"]
    assert (tmp_path / "a-trial1" / "logs" / "pretrain" / "x.pt").read_text() == "precious"
    with pytest.raises(CrqError, match="is not empty"):  # a run is no trial
        folder.open(PLAN, resume=False)


@pytest.mark.parametrize("named", [".", "../link"])
def test_the_folder_of_a_trial_stays_where_it_is(tmp_path, monkeypatch, named: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    monkeypatch.chdir(tmp_path / "a")
    PLAN.model_copy(update={"steps": 2}).save("recipe.toml")
    assert RunFolder(Path(named)).open(PLAN, resume=False) == tmp_path / "a-trial"
    assert recipe.load(tmp_path / "a-trial" / "recipe.toml").steps == 2
    assert recipe.load(Path("recipe.toml")) == PLAN
    assert RunFolder(Path(named)).open(PLAN, resume=True) is None


def test_the_float_network_of_a_trial_is_none(tmp_path) -> None:
    run(tmp_path / "a", steps=1)
    with pytest.raises(CrqError, match="another `steps`"):
        RunFolder(tmp_path / "a").float_network(PLAN)


@pytest.mark.parametrize(("key", "value"), [("metric", "top5_accuracy"), ("loss", "mine:loss"), ("seed", 5)])
def test_a_float_network_that_was_judged_or_trained_otherwise_is_refused(finished, key: str, value: object) -> None:
    with pytest.raises(CrqError, match=f"was trained with another `{key}`"):
        RunFolder(finished[0]).float_network(recipe.parse(values(**{key: value})))


def test_the_float_network_of_an_unfinished_run_is_refused(finished, tmp_path) -> None:
    started = RunFolder(tmp_path / "a")
    started.open(PLAN, resume=False)
    with pytest.raises(CrqError, match="has no finished pretrain phase"):
        started.float_network(PLAN)
    saved = torch.load(finished[0] / "checkpoints" / "pretrain.pt", weights_only=True)
    found = RunFolder(finished[0]).float_network(PLAN)
    assert all(torch.equal(value, found["network"][name]) for name, value in saved["network"].items())


def test_tables(tmp_path) -> None:
    rows = [
        {"layers": {"fc": {"cost": 0.5, "alpha": 2.0}}, "phase": "retrain", "epoch": 0, "loss": 1.5},
        {"layers": {"fc": {"cost": 0.25, "alpha": 1.0}}, "phase": "retrain", "epoch": 1, "loss": 1.0},
    ]
    RunFolder(tmp_path).write_tables(rows)
    metrics, layers = (list(csv.DictReader((tmp_path / f"{name}.csv").open())) for name in ("metrics", "layers"))
    assert metrics == [{"phase": "retrain", "epoch": str(i), "loss": loss} for i, loss in enumerate(("1.5", "1.0"))]
    assert layers[1] == {"phase": "retrain", "epoch": "1", "layer": "fc", "cost": "0.25", "alpha": "1.0"}
    RunFolder(tmp_path).write_tables([])  # a run of no epochs
    assert (tmp_path / "metrics.csv").read_text().strip() == "phase"


def test_rows_of_an_earlier_run_may_have_fewer_columns(tmp_path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_tables([{"phase": "pretrain", "loss": 1.0}, {"phase": "finetune", "loss": 0.5, "changed": 0.25}])
    assert (tmp_path / "metrics.csv").read_text().split() == [
        "phase,loss,changed",
        "pretrain,1.0,",
        "finetune,0.5,0.25",
    ]


def test_inputs_are_the_recipe_and_the_finished_phases(finished) -> None:
    names = ["recipe.toml", *(f"checkpoints/{phase}.pt" for phase in ("finetune", "pretrain", "retrain"))]
    assert RunFolder(finished[0]).inputs() == names


@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize("start", ["float", "given", "pretrained"])
def test_a_run_that_fails_before_its_first_checkpoint_leaves_the_folder_as_it_was(
    finished, tmp_path, made, start
) -> None:
    out = tmp_path / "a"
    if made:
        out.mkdir()
    changes = {"pretrain": {"epochs": 0, "lr": 0.1}} if start == "given" else {}
    plan = recipe.parse(values(callbacks=["no_such_module:Callback"], **changes))
    earlier = finished[0] if start == "pretrained" else None
    for _ in range(2):  # the second time, too
        with pytest.raises(CrqError, match="no_such_module"):
            trainer.train_recipe(plan, out, pretrained=earlier, console=Console(file=io.StringIO()))
        assert out.exists() == made
        assert not any(tmp_path.glob("a/*"))


def test_a_loss_that_fails_in_the_first_batch_leaves_nothing(tmp_path) -> None:
    with pytest.raises(CrqError, match="outputs in the first batch"):
        run(tmp_path / "a", loss=f"{__name__}:broken")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("path", ["notes.txt", "logs/notes.txt", "logs/pretrain/metrics.csv", "checkpoints/mine.ckpt"])
def test_a_run_that_fails_keeps_everything_where_something_else_lies_there(tmp_path, path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.open(PLAN, resume=False)
    with pytest.raises(ValueError, match="late"):
        _fail_after_writing(folder, folder.path / path)
    assert (folder.path / path).exists()
    assert folder.recipe.exists()


def test_a_run_that_fails_later_keeps_what_it_trained(tmp_path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.open(PLAN, resume=False)
    with pytest.raises(ValueError, match="late"):
        _fail_after_writing(folder, folder.latest("finetune"))
    assert folder.latest("finetune").exists()


def _fail_after_writing(folder: RunFolder, path: Path) -> None:
    with folder.undone_by_failure({"pretrain"}):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        raise ValueError("late")


def broken(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    raise ValueError("outputs in the first batch")
