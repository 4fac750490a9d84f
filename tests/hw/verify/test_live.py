"""Live PyTorch against simulation: every quantizer of a frozen model, whatever its modules are called."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import crq
from crq import export, hw
from crq.hw.cli.check import check
from crq.hw.cli.simulate import simulate
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.chain import load_network
from crq.hw.verify.link import Link, compare
from crq.hw.verify.live import described, frozen_of, layer_codes, trace, verdict_facts, verify
from crq.hw.verify.proofs.mutation import flipped_weight
from tests.support.legal_files import LEGAL
from tests.support.nets import Branches, Plain, Signal, frozen


class Named(nn.Module):
    shape = (1, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3)
        self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(24, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self.conv1(x)))
        return self.fc(torch.relu(self.conv2(x)).flatten(1))


class Numbered(nn.Sequential):
    """The same network, whose layers are named 0, 1, …"""

    shape = Named.shape

    def __init__(self) -> None:
        named = Named()
        super().__init__(
            named.conv1, nn.ReLU(), named.pool, named.conv2, nn.ReLU(), nn.Flatten(), named.fc,
        )  # fmt: skip


def folder_of(model: crq.FrozenModel, folder: Path) -> Path:
    """A run folder with the model, its file and its project."""
    model.save(folder / "frozen.pt")
    hw.build(export.to_qonnx(model, folder / "m.onnx"), folder / "net", project_name="net")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    # With this method's weights every one that is flipped below shows in the results.
    models = {net.__name__: frozen(net, method="crq") for net in (Named, Numbered)}
    return {name: folder_of(model, tmp_path_factory.mktemp(name)) for name, model in models.items()}


def images(network: type, count: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, *network.shape))


def test_every_quantizer_has_its_codes_whatever_the_modules_are_called(runs: dict[str, Path]) -> None:
    x, codes = images(Named, 4), {}
    for name, folder in runs.items():
        network, model = load_network(folder / "m.onnx"), crq.FrozenModel.load(folder / "frozen.pt")
        codes[name] = layer_codes(network, model, x)
        steps = model.trace(torch.as_tensor(x))
        quantized = [
            steps[w.name] for w in model.wires if type(model.steps[w.name]).__name__ in ("Threshold", "MaxPool")
        ]
        assert len(quantized) == 3
        for found, step in zip(codes[name].values(), [*quantized, model.integers(torch.as_tensor(x))], strict=True):
            np.testing.assert_array_equal(found.reshape(4, -1), step.numpy().reshape(4, -1))
        assert {layer.name for layer in network if layer.kind in ("Threshold", "MaxPool")} < codes[name].keys()
    for one, other in zip(codes["Named"].values(), codes["Numbered"].values(), strict=True):
        np.testing.assert_array_equal(one, other)


def reports(command, folder: Path, *arguments: str) -> list[dict]:
    done = CliRunner().invoke(command, [*arguments, "--reference", str(folder), "--limit", "9", "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    return facts.get("links") or facts["layers"]


@pytest.mark.slow
def test_the_commands_compare_as_many_integers_for_numbered_modules_as_for_named_ones(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    npz = str(tmp_path / "t.npz")
    traced = {
        name: reports(simulate, folder, str(folder / "net"), "--no-checks", "--trace", npz)
        for name, folder in runs.items()
    }
    checked = {name: reports(check, folder, str(folder / "m.onnx")) for name, folder in runs.items()}
    for found, which in ((traced, "the live PyTorch model"), (checked, "PyTorch = integer graph")):
        counts = {name: [(link["images"], link["integers"]) for link in links] for name, links in found.items()}
        assert counts["Named"] == counts["Numbered"]
        [live] = [link for link in found["Numbered"] if which in link["name"]]
        # two thresholds and a pool, and the five results
        assert live["integers"] == 9 * (4 * 8 * 8 + 4 * 4 * 4 + 6 * 2 * 2 + 5)


def without_record(folder: Path, target: Path) -> Path:
    """A file as an older crq wrote it."""
    proto = onnx.load(folder / "m.onnx")
    kept = [p for p in proto.metadata_props if "step" not in p.key]
    assert len(kept) < len(proto.metadata_props)
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    onnx.save(proto, target)
    return target


def test_a_file_without_the_record_of_steps_is_refused_with_what_to_do(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = runs["Numbered"]
    file = without_record(folder, tmp_path / "old.onnx")
    model = crq.FrozenModel.load(folder / "frozen.pt")
    remedy = "does not say which of its layers are the frozen model's 0_quant, .*export the frozen model again"
    with pytest.raises(hw.HwError, match=remedy):
        layer_codes(load_network(file), model, images(Named, 2))
    done = CliRunner().invoke(check, [str(file), "--reference", str(folder), "--limit", "5"])
    assert isinstance(done.exception, hw.HwError)
    assert "export the frozen model again and build from the new file" in str(done.exception)
    project = hw.build(file, tmp_path / "old")
    assert verify(project, images(Named, 3), folder).equal  # the result needs no record
    with pytest.raises(hw.HwError, match=remedy):
        trace(project, images(Named, 3), folder)


def test_another_frozen_model_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    frozen(Named, seed=3).save(tmp_path / "frozen.pt")
    project = hw.open_project(runs["Named"] / "net")
    right, wrong = (crq.FrozenModel.load(folder / "frozen.pt").content_hash for folder in (runs["Named"], tmp_path))
    message = (
        f"is frozen model {wrong[:16]}…, but the project was made from {right[:16]}…; give the run it was exported"
    )
    for refused in (
        lambda: verify(project, images(Named, 2), tmp_path),
        lambda: trace(project, images(Named, 2), tmp_path),
        lambda: frozen_of(project.network, tmp_path / "frozen.pt"),
    ):
        with pytest.raises(hw.HwError, match=message):
            refused()
    assert frozen_of(project.network, runs["Named"]).content_hash == right


def test_a_foreign_file_names_no_model(runs: dict[str, Path], tmp_path: Path) -> None:
    project = hw.build(LEGAL["output flattened from pixels"], tmp_path / "net")
    with pytest.raises(hw.HwError, match="was made from a file that names none"):
        verify(project, np.zeros((1, *project.network.inputs[0].shape)), runs["Named"])


def test_results_flattened_from_pixels_are_bit_exact_and_in_the_order_of_the_file(tmp_path: Path) -> None:
    """More images than are evaluated at once; a result in another order would differ."""
    project = hw.build(LEGAL["output flattened from pixels"], tmp_path / "net")
    assert project.network.layers[-1].kind == "Flatten"
    codes = np.random.default_rng(1).integers(0, 16, (70, 2, 6, 6))
    for mode in ("fast", "ap"):
        verdict = verify(project, codes, mode=mode)
        assert (verdict.equal, verdict.images, verdict.integers) == (True, 70, 70 * 180)
    traced, [link] = trace(project, codes)
    assert link.equal
    np.testing.assert_array_equal(project.integers(codes), traced["q1"].reshape(70, -1))
    assert not np.array_equal(project.integers(codes), traced["q1"].transpose(0, 2, 3, 1).reshape(70, -1))


@pytest.mark.parametrize("network", [Signal, Branches])
def test_signals_and_networks_that_end_by_flattening_equal_their_model(network: type, tmp_path: Path) -> None:
    model = frozen(network)
    folder = folder_of(model, tmp_path)
    project, x = hw.open_project(folder / "net"), images(network, 5)
    verdict = verify(project, x, folder)
    assert (verdict.equal, verdict.integers) == (True, 15)
    np.testing.assert_array_equal(project.integers(x).reshape(5, -1), model.integers(torch.as_tensor(x)).numpy())


def test_the_layers_of_a_signal_equal_those_of_its_frozen_model(tmp_path: Path) -> None:
    folder = folder_of(frozen(Signal), tmp_path)
    _, links = trace(hw.open_project(folder / "net"), images(Signal, 5), folder / "frozen.pt")
    assert [link.equal for link in links] == [True, True], links
    assert links[1].integers == 5 * (5 * 24 + 4 * 11 + 3)


def with_a_wrong_weight(project: Path, layer: str, folder: Path) -> hw.Project:
    """A copy with one weight of `layer` flipped."""
    copy = hw.open_project(shutil.copytree(project, folder / layer))
    [process] = [p for p in copy.plan.processes if p.name == layer]
    assert process.unit is not None
    flipped_weight(process, process.unit.layer, copy.plan).put(copy.directory)
    return copy


def test_a_fault_in_the_project_is_found_at_its_layer(runs: dict[str, Path], tmp_path: Path) -> None:
    hidden = with_a_wrong_weight(runs["Numbered"] / "net", "n_3", tmp_path)
    x = all_vectors(hidden.network, 100)
    _, [link] = trace(hidden, x)
    assert not link.equal
    assert link.first is not None
    assert (link.first.layer, link.first.accumulator is None) == ("n_3_quant", False)
    last = with_a_wrong_weight(runs["Numbered"] / "net", "n_6", tmp_path)
    _, links = trace(last, x, runs["Numbered"])
    assert [link.first and link.first.layer for link in links] == ["n_6", "n_6_bias"]
    for project in (hidden, last):
        verdict = verify(project, x, runs["Numbered"])
        assert not verdict.equal
        assert described(verdict).startswith("NOT bit-exact: ")


def test_a_trace_of_too_many_images_names_how_many_fit(runs: dict[str, Path], monkeypatch) -> None:
    """Eight bytes for each integer of every unit."""
    project = hw.open_project(runs["Named"] / "net")
    per_image = 8 * (4 * 64 + 4 * 16 + 6 * 4 + 5 + 5)
    monkeypatch.setattr("crq.hw.verify.live.TRACE_BYTES", 7 * per_image)
    assert len(trace(project, images(Named, 7))[0]) == 5
    with pytest.raises(hw.HwError, match=r"of 8 images take .*; trace at most 7 images of this network \(--limit\)"):
        trace(project, images(Named, 8))


def test_the_verdict_in_words_and_figures() -> None:
    expected = np.zeros((4, 3), np.int64)
    found = expected.copy()
    found[2, :2] = 1
    link = compare("fast simulation against the integer graph", found, expected, figures={"accuracy": 0.75})
    assert described(link) == (
        "NOT bit-exact: 1 of 4 images differ, 2 of 12 integers (fast simulation against the integer graph); "
        "accuracy 75.00%"
    )
    assert verdict_facts(link, "fast", None) == {
        "against": "the integer graph", "mode": "fast", "images": 4, "exact_images": 3, "integers": 12,
        "exact_integers": 10, "figures": {"accuracy": 0.75}, "bit_exact": False,
    }  # fmt: skip
    same: Link = compare("x", expected, expected)
    assert described(same) == "bit-exact: 4 of 4 images, 12 of 12 integers (x)"
    regression = compare("x", expected, expected, figures={"mse": 0.25, "r2": 0.5})
    assert described(regression) == "bit-exact: 4 of 4 images, 12 of 12 integers (x); mse 0.25, r2 0.5"
    assert verdict_facts(same, "ap", "runs/a")["against"] == "the live PyTorch model"


def test_images_that_are_classified_as_labelled_are_counted(tmp_path: Path) -> None:
    folder = folder_of(frozen(Plain), tmp_path)
    project, x = hw.open_project(folder / "net"), images(Plain, 30)
    answers = crq.FrozenModel.load(folder / "frozen.pt")(torch.as_tensor(x)).numpy().argmax(1)
    labels = answers.copy()
    labels[:12] = (labels[:12] + 1) % 5

    def score(labels: np.ndarray):
        return lambda logits: {"accuracy": float((logits.argmax(1) == labels).mean())}

    assert verify(project, x, folder, score=score(labels)).figures == {"accuracy": 18 / 30}
    assert verify(project, x, score=score(answers)).figures == {"accuracy": 1.0}


def test_a_fault_behind_live_codes_is_named_at_its_layer(runs: dict[str, Path], tmp_path: Path) -> None:
    wrong = with_a_wrong_weight(runs["Named"] / "net", "conv1", tmp_path / "p")
    done = CliRunner().invoke(
        simulate,
        [str(wrong.directory), "--reference", str(runs["Named"]), "--no-checks", "--changed",
         "--trace", str(tmp_path / "t.npz")],
    )  # fmt: skip
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.output
    assert "the live PyTorch model" in done.output
    assert done.output.count("first: layer 'conv1_quant'") == 2, done.output


def test_pools_of_sums_are_no_codes(tmp_path: Path) -> None:
    """Between a convolution and its batch norm: `Branches` pools sums, whose sign the file may turn."""
    run = folder_of(frozen(Branches), tmp_path)
    project, model = hw.open_project(run / "net"), crq.FrozenModel.load(run / "frozen.pt")
    assert "grouped_pool" not in model.code_steps()
    _, links = trace(project, images(Branches, 3), run)
    assert [link.equal for link in links] == [True, True]
    done = CliRunner().invoke(check, [str(run / "m.onnx"), "--reference", str(run), "--limit", "5"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_no_images_are_asked_for_by_no_one(limit: str, runs: dict[str, Path]) -> None:
    for command, subject in ((simulate, "net"), (check, "m.onnx")):
        done = CliRunner().invoke(command, [str(runs["Named"] / subject), "--limit", limit])
        assert done.exit_code == 2, done.output
        assert "is not in the range x>=1" in done.output


def test_the_class_is_that_of_live_pytorch(tmp_path: Path) -> None:
    model = frozen(Plain)
    model.save(tmp_path / "frozen.pt")
    project = hw.build(export.to_qonnx(model, tmp_path / "m.onnx"), tmp_path / "net", argmax=True)
    codes = all_vectors(project.network, 20)
    with torch.no_grad():
        classes = model.integers(torch.as_tensor(codes)).argmax(1).numpy()
    score = lambda scores: {"accuracy": float((scores.argmax(1) == classes).mean())}  # noqa: E731
    found = verify(project, codes, tmp_path / "frozen.pt", score=score)
    assert found.equal
    assert found.integers == len(codes)
    assert found.figures == {"accuracy": 1.0}
    _, links = trace(project, codes, tmp_path / "frozen.pt")
    assert all(link.equal for link in links)
    done = CliRunner().invoke(check, [str(tmp_path / "m.onnx"), "--project", str(tmp_path / "net"), "--limit", "10"])
    assert done.exit_code == 0, done.output
