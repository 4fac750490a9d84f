"""What a byte of a data set is worth: stated by the user, known of crq's own files, or not known at all."""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from crq import export
from crq.errors import CrqError
from crq.hw.cli.data import UNLABELLED, UNSTATED, DataOptions, Statement, _no_classifier, codes_of, data_options
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.images import takes_256ths
from crq.hw.verify.chain import load_network
from crq.train.data import load
from tests.support.nets import Plain, frozen
from tests.support.random_graphs import GraphBuilder

BYTES = np.arange(256, dtype=np.uint8).reshape(4, 1, 8, 8)


def network(
    dtype: str = "UINT8", scale: float = 2**-8, shape: tuple[int, ...] = (1, 8, 8), classes: int = 0
) -> Network:
    """A map of two channels, or scores of that many classes."""
    g = GraphBuilder(shape, dtype)
    if classes:
        return Network(g.finish(g.conv("x", classes, shape[1:]), input_scale=scale))
    x = "x" if len(shape) > 1 else g.threshold(g.matmul("x", 4), 2)
    last = g.conv(x, 2, (1, 1)) if len(shape) > 1 else g.matmul(x, 2)
    return Network(g.finish(last, input_scale=scale))


def test_without_a_statement_bytes_are_what_our_own_files_take() -> None:
    assert np.array_equal(codes_of(network(), BYTES, Statement()), BYTES)
    half = codes_of(network("UINT4", 1 / 16), BYTES, Statement())
    assert half.reshape(-1).tolist() == np.clip(np.rint(np.arange(256) / 16), 0, 15).tolist()


@pytest.mark.parametrize("scale", [None, 1 / 255, 1 / 128])
def test_values_are_scaled_standardised_and_rounded_to_the_grid(scale: float | None) -> None:
    net = network("INT8", 2**-5)
    found = codes_of(net, BYTES, Statement(scale=scale, mean=(0.25,), std=(0.5,)))
    values = (BYTES.astype(np.float64) * (scale or 1 / 255) - 0.25) / 0.5
    assert np.array_equal(found, np.clip(np.rint(values * 32), -128, 127))


@pytest.mark.parametrize(("scale", "told"), [(1 / 255, False), (1 / 64, True)])
def test_values_that_no_code_reaches_are_told(scale: float, told: bool, capsys: pytest.CaptureFixture[str]) -> None:
    codes_of(network(), BYTES, Statement(scale=scale))
    said = capsys.readouterr().err
    assert ("warning: 75% of the values lie beyond what the input's codes reach and are clipped" in said) is told


def test_one_channel_of_another_unit_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    bytes_, std = np.full((5, 30), 128, np.uint8), [1.0] * 30
    codes_of(network(shape=(30,)), bytes_, Statement(scale=1 / 256, std=tuple(std)))
    assert capsys.readouterr().err == ""
    std[7] = 0.001
    codes_of(network(shape=(30,)), bytes_, Statement(scale=1 / 256, std=tuple(std)))
    assert "warning: 3% of the values (of channel 7, from 0, 100%) lie beyond" in capsys.readouterr().err


def test_signed_bytes_count_from_minus_128() -> None:
    found = codes_of(network("INT8", 1.0), BYTES, Statement(signed=True, codes=True))
    assert found.reshape(-1).tolist() == list(range(-128, 128))
    values = codes_of(network("INT8", 2**-7), BYTES, Statement(signed=True, scale=1 / 128))
    assert np.array_equal(values, found)


def test_every_channel_has_its_own_mean() -> None:
    images = np.full((2, 3, 4, 4), 100, np.uint8)
    statement = Statement(scale=1.0, mean=(0.0, 10.0, 20.0), std=(1.0, 2.0, 4.0))
    for net in (network(scale=1.0, shape=(3, 4, 4)), network(scale=1.0, shape=(48,))):
        found = codes_of(net, images, statement).reshape(2, 3, 16)
        assert found[:, :, 0].tolist() == [[100, 45, 20]] * 2
        assert (found == found[:, :, :1]).all()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (Statement(codes=True), r"--codes: bytes in \[0, 255\]; the input takes codes \[-128, 127\]"),
        (Statement(mean=(1.0, 2.0)), "--mean: 2 numbers; expected one, or one for each of 1 channels"),
        (Statement(std=(1.0, 2.0, 3.0)), "--std: 3 numbers; expected one, or one for each of 1 channels"),
    ],
)
def test_statements_that_do_not_suit_are_refused(statement: Statement, message: str) -> None:
    with pytest.raises(HwError, match=message):
        codes_of(network("INT8"), BYTES, statement)


def test_images_of_another_shape_are_refused_by_name() -> None:
    with pytest.raises(HwError, match="the data's images are 1×8×8, the network takes 3×4×4"):
        codes_of(network(shape=(3, 4, 4)), BYTES, Statement())


def test_labels_come_only_where_what_a_byte_is_worth_is_known() -> None:
    """A foreign file says nothing of it, so that no accuracy is printed of it."""
    net = network(classes=10)
    unknown = DataOptions("digits:test", None, Statement()).load(net, 5)
    assert (unknown.score, unknown.note, len(unknown.codes)) == (None, UNSTATED, 5)
    stated = DataOptions("digits:test", None, Statement(scale=1 / 256)).load(net, 5)
    assert stated.note is None
    assert stated.score is not None
    assert stated.score(np.zeros((5, 10))).keys() == {"accuracy"}
    assert np.array_equal(stated.codes, unknown.codes)


@pytest.mark.parametrize(
    ("classes", "gives"),
    [
        (0, "a map of 2×8×8 numbers and the data have 10 classes"),
        (9, "9 numbers and the data have 10 classes"),
        (64, "64 numbers, as many as it takes, and the data have 10 classes"),
    ],
)
def test_what_are_no_scores_of_classes_have_no_accuracy(classes: int, gives: str) -> None:
    """The results of an autoencoder, or a map, of a file that does not say what it was trained for."""
    found = DataOptions("digits:test", None, Statement(scale=1 / 256)).load(network(classes=classes), 5)
    assert (found.score, len(found.codes)) == (None, 5)
    assert found.note == (f"accuracy not given: the network gives {gives}; the file does not say that it classifies")
    named = network(classes=classes)
    named.metadata.other["class_names"] = '["a"]'
    assert _no_classifier(named, 10) is None
    more = DataOptions("digits:test", None, Statement(scale=1 / 256)).load(network(classes=12), 5)
    assert more.score is not None  # data may lack some of the classes


def test_several_outputs_have_no_accuracy() -> None:
    net = network(classes=10)
    net.outputs += net.outputs
    assert "several outputs" in str(_no_classifier(net, 10))


def test_a_file_of_a_recipe_says_what_bytes_are_worth_before_its_steps() -> None:
    g = GraphBuilder((1, 8, 8), "INT8")
    model = g.finish(g.conv("x", 10, (8, 8)), input_scale=2**-5)
    facts = {"frozen_hash": json.dumps("0" * 64), "input.preprocessing": json.dumps([["Sub", 0.25], ["Div", 0.5]])}
    for key, value in facts.items():
        model.set_metadata_prop(f"crq.{key}", value)
    assert DataOptions("digits:test", None, Statement()).load(Network(model), 5).note == UNSTATED
    model.set_metadata_prop("crq.recipe", "digits")
    found = DataOptions("digits:test", None, Statement()).load(Network(model), 5)
    images = load("digits:test").images[:5].numpy()
    assert np.array_equal(found.codes, np.clip(np.rint((images / 256 - 0.25) / 0.5 * 32), -128, 127))
    assert found.note is None
    assert found.score is not None
    right = np.eye(10)[load("digits:test").labels[:5].numpy()]
    assert (found.score(right), found.score(-right)) == ({"accuracy": 1.0}, {"accuracy": 0.0})


def classifier(*classes: str) -> Network:
    g = GraphBuilder((2,), "INT8")
    model = g.finish(g.matmul("x", 3), input_scale=1.0)
    model.set_metadata_prop("crq.class_names", json.dumps(classes))
    return Network(model)


def test_without_labels_there_is_no_score_but_a_note(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(6, 2)
    for name, arrays in {
        "all": {"x": values},
        "test": {"x_train": values, "y_train": [0, 1] * 3, "x_test": values},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
        found = DataOptions(f"{tmp_path / name}.npz:{name}", None, Statement()).load(classifier())
        assert (found.score, found.note, len(found.codes)) == (None, UNLABELLED["classes"], 6)
    np.savez(tmp_path / "b.npz", x=np.zeros((3, 1, 8, 8), np.uint8))
    assert (
        DataOptions(f"{tmp_path}/b.npz:all", None, Statement(scale=1.0)).load(network()).note == UNLABELLED["classes"]
    )


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_samples_alone_are_enough_to_compare_integers(tmp_path: Path, suffix: str) -> None:
    x = np.arange(128, dtype=np.uint8).reshape(2, 1, 8, 8)
    np.save(tmp_path / "d.npy", x)
    np.savez(tmp_path / "d.npz", codes=x.astype(np.int64), integers=x)  # codes say themselves what they are
    found = DataOptions(f"{tmp_path}/d.{suffix}:all", None, Statement()).load(network())
    assert np.array_equal(found.codes, x)
    assert found.score is None


def test_a_test_split_alone_has_its_accuracy(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_test=np.zeros((3, 1, 8, 8), np.uint8), y_test=[0, 1, 1])
    assert DataOptions(f"{tmp_path}/d.npz:test", None, Statement(scale=1.0)).load(network(classes=2)).score is not None
    with pytest.raises(CrqError, match=r"has no split train, only test"):
        DataOptions(f"{tmp_path}/d.npz:train", None, Statement(scale=1.0)).load(network())


def test_labels_are_compared_by_the_file_s_names_of_classes(tmp_path: Path) -> None:
    labels = np.array(["pos", "neg", "pos", "neg"])
    np.savez(tmp_path / "d.npz", x=np.zeros((4, 2)), y=labels)
    options = DataOptions(f"{tmp_path}/d.npz:all", None, Statement())
    for names in (("neg", "pos"), ("pos", "neg"), ("zeb", "pos", "neg")):
        found = options.load(classifier(*names))
        assert found.score is not None
        right = np.eye(3)[[names.index(label) for label in labels]]
        assert found.score(right) == {"accuracy": 1.0}
        assert found.score(np.eye(3)[[names.index("pos")] * 4]) == {"accuracy": 0.5}
    with pytest.raises(HwError, match=r"d\.npz has classes that the network does not: neg; the network's are pos, zeb"):
        options.load(classifier("pos", "zeb"))


@pytest.mark.parametrize(
    ("loss", "labels", "figures"),
    [
        ("mse", [[0.0, 2.0], [4.0, 4.0]], {"mse": (1 + 0 + 1 + 16) / 4, "r2": 1 - 18 / (8 + 2)}),
        ("l1", [[0.0, 2.0], [4.0, 4.0]], {"mae": (1 + 0 + 1 + 4) / 4, "r2": 1 - 18 / (8 + 2)}),
        ("bce", [[1, 0], [1, 1]], {"label_accuracy": 2 / 4, "f1": 2 * 2 / (3 + 3)}),
    ],
)
def test_every_loss_has_its_figure_or_a_note(
    loss: str, labels: list, figures: dict[str, float], tmp_path: Path
) -> None:
    g = GraphBuilder((2,), "INT8")
    model = g.finish(g.matmul("x", 2), input_scale=1.0)
    model.set_metadata_prop("crq.loss", loss)
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 2)), y=labels)
    found = DataOptions(f"{tmp_path}/d.npz:all", None, Statement()).load(Network(model))
    assert found.note is None
    assert found.score is not None
    assert found.score(np.array([[1.0, 2.0], [5.0, 0.0]])) == pytest.approx(figures)
    np.savez(tmp_path / "bare.npz", x=np.zeros((3, 2)))
    bare = DataOptions(f"{tmp_path}/bare.npz:all", None, Statement()).load(Network(model))
    kind = "bits" if loss == "bce" else "numbers"
    assert (bare.score, bare.note, bare.codes.shape) == (None, UNLABELLED[kind], (3, 2, 1, 1))


@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_images_by_class_are_simulated_without_a_figure(loss: str) -> None:
    g = GraphBuilder((1, 8, 8), "UINT8")
    model = g.finish(g.conv("x", 2, (8, 8)), input_scale=2**-8)
    model.set_metadata_prop("crq.loss", loss)
    found = DataOptions("digits:test", None, Statement(codes=True)).load(Network(model), 4)
    assert (found.score, found.note) == (None, UNLABELLED["bits" if loss == "bce" else "numbers"])
    assert np.array_equal(found.codes, load("digits:test").images[:4].numpy())


@click.command()
@data_options("Images.")
def command(data: DataOptions) -> None:
    click.echo(repr(data))


def invoked(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_options_become_a_statement() -> None:
    said = Statement(scale=1 / 255, mean=(0.5, 0.25, 1.0), std=(2.0,), signed=True)
    done = invoked("--data", "d:test", "--scale", "1/255", "--mean", "0.5,1/4, 1", "--std", "2", "--signed")
    assert done.output.strip() == repr(DataOptions("d:test", None, said))
    assert invoked().output.strip() == repr(DataOptions(None, None, Statement()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scale", "1/255"), "say what --data holds: name it too"),
        (("--data", "d:test", "--codes", "--mean", "1"), "--codes says it all"),
        (("--data", "d:test", "--scale", "1,2"), "expected one positive number, such as 1/255"),
        (("--data", "d:test", "--scale", "-1"), "expected one positive number"),
        (("--data", "d:test", "--scale", "1/0"), "expected numbers with commas between"),
        (("--data", "d:test", "--mean", "a"), "expected numbers with commas between"),
        (("--data", "d:test", "--std", "1,0"), "expected positive numbers"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: tuple[str, ...], message: str) -> None:
    done = invoked(*arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())


def test_a_file_of_ours_for_other_inputs_does_not_say_what_a_byte_is_worth(tmp_path: Path) -> None:
    """Its grid is of the images that its own loop standardized; recipes train on byte / 256."""
    for config, known in (({}, True), ({"input_signed": True, "input_scale": 2**-5}, False)):
        model = frozen(Plain, **config)
        net = load_network(export.to_qonnx(model, tmp_path / "m.onnx"))
        images = np.zeros((2, *Plain.shape), np.uint8)
        assert net.metadata.frozen_hash is not None
        assert takes_256ths(net) is known
        assert len(codes_of(net, images, Statement())) == 2
