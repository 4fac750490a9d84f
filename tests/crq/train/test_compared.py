"""Runs that are compared: what each trains, and that finished ones are taken."""

import json

import pytest

import crq
from crq import coded_layers, models
from crq.errors import CrqError
from crq.train import compared, recipe
from crq.train.compared import INT8, candidate_of, float_of, row, trained
from tests.support.recipes import values


def small(**changes) -> recipe.Recipe:
    quick = {"pretrain__epochs": 1, "retrain__epochs": 1, "finetune__epochs": 1, "calibration": 64}
    return recipe.parse(values(**{**quick, **changes}))


def test_all_have_as_many_epochs_and_the_same_float_network() -> None:
    made = small(retrain__epochs=3, finetune__epochs=4, ternary={"method": "crq", "layers": {"head": {"skip": True}}})
    assert candidate_of(made, "crq", 5).retrain.epochs == 3
    for name in ("ste", "twn", "lsq", INT8):
        found = candidate_of(made, name, 5)
        assert (found.seed, found.retrain.epochs, found.finetune.epochs) == (5, 0, 7)
        assert found.pretrain == made.pretrain
    integers = candidate_of(made, INT8, 0).ternary
    assert (integers.integer, integers.layers, integers.skip) == ({"*": 8}, {}, ())
    assert candidate_of(made, "ste", 0).ternary.layers == made.ternary.layers
    own = small(ternary={"method": "crq", "layers": {"*": {"method": "twn", "penalty": 0.5}}})
    prepared = crq.prepare(models.build(own.network.name), candidate_of(own, "lsq", 0).ternary)
    assert {type(layer.method).__name__ for layer in coded_layers(prepared).values()} == {"LSQ"}
    assert candidate_of(own, "lsq", 0).ternary.layers == {"*": {"penalty": 0.5}}
    assert set(float_of(made, 2).phases) == {"pretrain"}
    dosed = small(ternary={"method": "crq+"}, finetune__dose=0.4)
    assert [candidate_of(dosed, name, 0).finetune.dose for name in ("crq+", "ste")] == [0.4, None]
    with pytest.raises(CrqError, match="method 'tws': expected some of crq, .*int8"):
        candidate_of(made, "tws", 0)


def test_crq_without_a_retrain_is_not_told_as_crq() -> None:
    with pytest.raises(CrqError, match=r"method crq pulls the weights together in .*, and the recipe has none"):
        candidate_of(small(retrain__epochs=0), "crq", 0)
    assert candidate_of(small(retrain__epochs=0), "crq+", 0).finetune.epochs == 1  # its penalty acts there too


def test_a_finished_run_is_taken_and_another_recipe_s_is_not(tmp_path, monkeypatch) -> None:
    made = small(ternary={"method": "ste"})
    start = trained(float_of(made, 0), tmp_path / "float")
    prices = []

    def price(folder) -> tuple[int, int]:
        prices.append(folder)
        return 100, 200

    found = row("ste", candidate_of(made, "ste", 0), tmp_path / "ste", tmp_path / "float", price)
    stored = json.loads((tmp_path / "ste" / "summary.json").read_text())
    assert (found.epochs, found.lut_folded, found.lut_fast, prices) == (2, 100, 200, [tmp_path / "ste"])
    assert found.float_test == start["accuracy"]["float"] == stored["accuracy"]["float"]
    assert found.test == stored["accuracy"]["frozen"]
    layers = stored["layers"].values()
    assert found.zeros == pytest.approx(
        sum(v["zeros"] * v["weights"] for v in layers) / sum(v["weights"] for v in layers)
    )
    assert 0 < found.seconds == json.loads((tmp_path / "ste" / "processor.json").read_text())
    monkeypatch.setattr(compared, "train_recipe", None)
    assert row("ste", candidate_of(made, "ste", 0), tmp_path / "ste", tmp_path / "float", price) == found
    with pytest.raises(CrqError, match="holds a run of another recipe"):
        trained(candidate_of(made, "twn", 0), tmp_path / "ste")


def test_the_time_before_an_interruption_counts(tmp_path, monkeypatch) -> None:
    made, real = small(ternary={"method": "ste"}), compared.train_recipe
    ticks = iter([0.0, 10.0, 100.0, 101.0])
    monkeypatch.setattr(compared.time, "process_time", lambda: next(ticks))

    def stopped(*arguments, **more):
        real(*arguments, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(compared, "train_recipe", stopped)
    with pytest.raises(KeyboardInterrupt):
        trained(float_of(made, 0), tmp_path / "run")
    monkeypatch.setattr(compared, "train_recipe", real)
    assert trained(float_of(made, 0), tmp_path / "run")["processor_seconds"] == 11.0


def test_a_run_that_fails_at_once_leaves_an_empty_folder_empty(tmp_path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for _ in range(2):
        with pytest.raises(CrqError, match="no_such_module"):
            trained(small(ternary={"method": "ste"}, callbacks=["no_such_module:Callback"]), folder)
        assert not any(folder.iterdir())


def test_the_held_out_figure_is_of_the_epoch_that_is_kept(tmp_path) -> None:
    """At this rate the network forgets what it has learned."""
    wild = small(
        ternary={"method": "ste"}, retrain__epochs=0, pretrain__epochs=4,
        finetune={"epochs": 8, "lr": 3.0, "schedule": "constant", "patience": 2},
    )  # fmt: skip
    assert trained(float_of(wild, 0), tmp_path / "float")["validation"] is None
    found = trained(wild, tmp_path / "run", tmp_path / "float")
    lines = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    place = lines[0].split(",").index("validation")
    figures = [float(line.split(",")[place]) for line in lines[1:] if line.startswith("finetune")]
    assert found["validation"] == pytest.approx(max(figures))
    assert figures[-1] < max(figures)
    trial = wild.model_copy(update={"steps": 1})  # which ends before any look at held-out samples
    trained(float_of(trial, 0), tmp_path / "tried")
    assert trained(trial, tmp_path / "trial", tmp_path / "tried")["validation"] is None
