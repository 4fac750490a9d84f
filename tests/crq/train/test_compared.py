"""Runs that are compared: what each trains, and that finished ones are taken."""

import json

import pytest

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
    assert set(float_of(made, 2).phases) == {"pretrain"}
    with pytest.raises(CrqError, match="method 'tws': expected some of crq, .*int8"):
        candidate_of(made, "tws", 0)


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
    monkeypatch.setattr(compared, "train_recipe", None)
    assert row("ste", candidate_of(made, "ste", 0), tmp_path / "ste", tmp_path / "float", price) == found
    with pytest.raises(CrqError, match="holds a run of another recipe"):
        trained(candidate_of(made, "twn", 0), tmp_path / "ste")
