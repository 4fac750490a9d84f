"""What NAME:SPLIT and its keys mean on the command line."""

from pathlib import Path

import pytest

from crq.errors import CrqError
from crq.hw.cli.sections import section_of, task_of
from crq.hw.ir.graph import Network
from crq.train import recipe, sections
from tests.support.random_graphs import GraphBuilder
from tests.support.recipes import values


def test_keys_are_those_of_a_recipe() -> None:
    section, split = section_of("a.csv:val", "there", ("label_column=kind", "sound.rate=8000", "shape=[1, 4]"))
    assert (split, section.name, section.root, section.label_column) == ("val", "a.csv", "there", "kind")
    assert (section.sound.rate, section.shape) == (8000, (1, 4))
    assert section_of("m:f:test", None)[0].name == "m:f"


def test_a_file_without_a_split_is_taken_whole(tmp_path) -> None:
    (tmp_path / "x.npy").write_bytes(b"")
    assert section_of(str(tmp_path / "x.npy"), None)[1] == "all"
    assert section_of("x.npy", str(tmp_path))[1] == "all"
    assert section_of(f"{tmp_path / 'x.npy'}:test", None)[1] == "test"


def test_a_recipe_or_a_run_has_its_data(tmp_path: Path) -> None:
    made = recipe.parse(values(data__test=0.5))
    for place in (tmp_path / "r.toml", tmp_path / "run" / "recipe.toml", tmp_path / "all" / "train" / "recipe.toml"):
        made.save(place)
        name = place if place.name == "r.toml" else place.parents[place.parent.name == "train"]
        assert section_of(f"{name}:test", None)[0] == made.data


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("digits", (), "must be name:split with split one of train, test, fit, val, all, for example digits:test"),
        ("digits:tset", (), "must be name:split"),
        ("missing.npz", (), "missing.npz: no such file; expected a file of data, or NAME:SPLIT"),
        ("pyproject.lock", (), "pyproject.lock: no such file"),
        ("digits:test", ("tset=0.5",), r"--data digits: unknown key 'data\.tset' \(did you mean 'test'\?\)"),
        ("digits:test", ("test=2",), r"key 'data\.test': .*less than 1"),
        ("digits:test", ("sound=3", "sound.rate=8000"), "--data-key 'sound.rate=8000': sound is 3, which has no keys"),
        ("digits:test", ("name.x=8000",), "--data-key 'name.x=8000': name is 'digits', which has no keys of its own"),
        ("digits:test", ("test",), "--data-key 'test': expected KEY=VALUE"),
    ],
)
def test_what_is_wrong_is_named(name: str, keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(CrqError, match=message):
        section_of(name, None, keys)


def test_a_file_of_another_kind_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(CrqError, match=r"a\.onnx is no file of data; expected one that ends in \.npz, \.npy, \.csv"):
        section_of(str(tmp_path / "a.onnx"), None)


def test_the_task_is_the_file_s() -> None:
    g = GraphBuilder((4,), "UINT8")
    network = Network(g.finish(g.matmul("x", 4)))
    plain, again = (task_of(network, sections.Data(name="x", target=target)) for target in ("labels", "input"))
    assert plain is not None
    assert again is not None
    assert plain.metric.name == "accuracy"
    assert (again.metric.name, again.reconstructs) == ("mse", True)


@pytest.mark.parametrize(
    ("said", "metric"),
    [
        ({}, None), ({"labels": "odd"}, None), ({"labels": "classes"}, "accuracy"), ({"labels": "numbers"}, "mse"),
        ({"labels": "bits"}, "label_accuracy"), ({"labels": "marks", "target": "input"}, "mse"),
        ({"target": "input"}, "mse"),
    ],
)  # fmt: skip
def test_a_loss_of_one_s_own_is_told_by_its_labels(said: dict[str, str], metric: str | None) -> None:
    g = GraphBuilder((4,), "UINT8")
    model = g.finish(g.matmul("x", 4))
    for key, value in {"loss": "nowhere:loss", **said}.items():
        model.set_metadata_prop(f"crq.{key}", value)
    found = task_of(Network(model), sections.Data(name="x"))
    assert (None if found is None else found.metric.name) == metric


@pytest.mark.parametrize(
    ("loss", "said", "metric"),
    [
        ("cross_entropy", "top5_accuracy", "top5_accuracy"), ("cross_entropy", "mse", "accuracy"),
        ("mse", "mae", "mae"), ("mse", "nowhere:f", "mse"),
    ],
)  # fmt: skip
def test_the_metric_is_the_file_s_where_it_fits_and_is_never_imported(loss: str, said: str, metric: str) -> None:
    g = GraphBuilder((4,), "UINT8")
    model = g.finish(g.matmul("x", 4))
    for key, value in {"loss": loss, "metric": said}.items():
        model.set_metadata_prop(f"crq.{key}", value)
    found = task_of(Network(model), sections.Data(name="x"))
    assert found is not None
    assert found.metric.name == metric
