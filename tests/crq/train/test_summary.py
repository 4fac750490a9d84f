"""The summary and the metadata of a run."""

import json

import pytest
import torch

import crq
from crq.train import recipe
from crq.train.setup import Setup
from crq.train.summary import metadata, summarize
from tests.support.recipes import digits, values


@pytest.fixture(scope="module")
def setup() -> Setup:
    return Setup(recipe.parse(values()), data=digits(200), test=digits(50))


def test_costs_are_those_of_the_weights_at_their_time(setup: Setup) -> None:
    prepared = crq.prepare(setup.network, setup.recipe.ternary)
    layers = {name: layer.weight.detach().clone() for name, layer in crq.coded_layers(prepared).items()}
    ternary = {name: weight.sign() for name, weight in layers.items()}  # J = 0
    found = summarize(setup, prepared, layers, ternary, {"float": {"accuracy": 0.5}}, {"train": 1.23456})
    assert (found[found["metric"]], found["seconds"]) == ({"float": 0.5}, {"train": 1.23})
    assert (found["test_images"], found["method"], found["not_exportable"]) == (50, "crq", None)
    assert found["parameters"] == sum(p.numel() for p in setup.network.parameters())
    assert list(found["layers"]) == ["conv1", "conv2", "fc"]
    for name, row in found["layers"].items():
        assert row["weights"] == layers[name].numel()
        assert row["cost_after"] == 0
        assert row["cost_before"] == row["cost"] > 0
        alpha = torch.tensor(row["alpha"])
        codes = layers[name].sign() * (layers[name].abs() > alpha / 2)
        assert row["zeros"] == pytest.approx(float((codes == 0).float().mean()))
    assert found["size"]["weights"] == sum(row["weights"] for row in found["layers"].values())
    json.dumps(found)


def test_metadata_names_what_the_file_was_made_from(setup: Setup) -> None:
    found = metadata(setup)
    assert json.loads(found["lambda"]) == {"retrain": 0.05}
    assert (found["recipe"], found["method"], found["data"]) == ("toy", "crq", "some")
    assert json.loads(found["class_names"]) == list("0123456789")
    assert found["preprocessing"].endswith("value = byte × 0.00390625")
    assert all(isinstance(value, str) for value in found.values())
    assert "labels" not in found


def test_of_a_loss_of_one_s_own_the_file_says_what_it_compares_with(setup: Setup, monkeypatch) -> None:
    monkeypatch.setattr(setup, "recipe", setup.recipe.model_copy(update={"loss": "mine:loss"}))
    assert {key: metadata(setup)[key] for key in ("loss", "labels")} == {"loss": "mine:loss", "labels": "classes"}
