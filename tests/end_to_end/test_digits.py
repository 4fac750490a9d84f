"""What a user runs first: `crq run digits`, from real images to a verified project."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from qonnx.core.onnx_exec import execute_onnx

from crq import hw
from crq.convert.frozen import FrozenModel
from crq.export.packing import unpack
from crq.hw.fold.search import choose
from crq.hw.ir.vectors import all_vectors
from crq.hw.rtl.verilator import run_network
from crq.hw.verify.live import trace, verify
from crq.train.data import load

CRQ = Path(sys.executable).with_name("crq")


def crq(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CRQ, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("digits") / "run"
    done = crq("run", "digits", "-o", folder)
    assert done.returncode == 0, done.stderr
    assert "bit-exact: 2," in done.stdout
    return folder


def test_the_run_folder_tells_everything(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["bit_exact"] is True
    assert [v["mode"] for v in summary["verdicts"]] == ["fast", "ap", "fast", "ap"]
    assert summary["verdicts"][0]["images"] == len(load("digits:test"))
    assert summary["verdicts"][2]["images"] >= 1000
    assert all(v["exact_integers"] == v["integers"] > 0 for v in summary["verdicts"])
    assert summary["bits_per_weight"] == pytest.approx(2, abs=0.01)
    assert list(summary["accuracy"]) == ["float", "retrained", "quantized", "finetuned", "frozen", "simulated"]
    assert summary["accuracy"]["simulated"] == summary["accuracy"]["frozen"] > 0.95
    for name in summary["files"].values():
        assert (run / name).exists(), name
    manifest = json.loads((run / "train" / "manifest.json").read_text())
    assert manifest["seed"] == 0
    assert manifest["recipe"]["name"] == "digits"


def test_the_testbench_begins_with_test_images(run: Path) -> None:
    lines = (run / "digits_hls" / "tb_data" / "input_codes.dat").read_text().splitlines()
    images = load("digits:test").images.numpy().reshape(-1, 64)
    assert [[int(v) for v in line.split()] for line in lines[:8]] == images[:8].tolist()


def test_a_second_run_reuses_the_first(run: Path) -> None:
    checkpoint = (run / "train" / "checkpoints" / "pretrain.pt").stat().st_mtime_ns
    dated = ("verdicts.json", "own.json")  # what is found is found again, at another time
    files = (p for p in sorted((run / "digits_hls").rglob("*")) if p.is_file() and p.name not in dated)
    project = {p: p.read_bytes() for p in files}
    done = crq("run", "digits", "-o", run, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bit_exact"] is True
    assert (run / "train" / "checkpoints" / "pretrain.pt").stat().st_mtime_ns == checkpoint
    assert {p: p.read_bytes() for p in project} == project


def test_runs_and_projects_are_compared(run: Path, tmp_path) -> None:
    other = tmp_path / "other"
    assert crq("build", run / "digits.onnx", "-o", other, "--target-fps", 100_000).returncode == 0
    done = crq("report", run, other)
    assert done.returncode == 0, done.stderr
    rows = {line.split("  ")[0].strip(): line.split() for line in done.stdout.splitlines()}
    saved = json.loads((run / "report.json").read_text())
    assert f"{saved['project']['accuracy']['frozen']:.2%}" in rows["accuracy"]
    assert rows["bit-exact"][1] == "yes,"  # of the run
    assert rows["bit-exact"][-2:] == ["not", "simulated"]  # of a project just built
    cycles = rows["cycles per image"]
    assert int(cycles[-2].replace(",", "")) > int(cycles[-1].replace(",", ""))
    done = crq("report", run, "--part", "KV260")
    assert done.returncode == 2
    assert "saved report" in done.stderr


def test_the_file_holds_the_exact_codes(run: Path) -> None:
    import onnx

    frozen = FrozenModel.load(run / "train" / "frozen.pt")
    proto = onnx.load(run / "digits.onnx")
    stored = {i.name: onnx.numpy_helper.to_array(i) for i in proto.graph.initializer}
    layers = [n for n, s in frozen.steps.items() if hasattr(s, "codes")]
    assert len(layers) == 3
    for name in layers:
        codes = frozen.steps[name].codes.numpy()
        codes = codes.T if codes.ndim == 2 else codes
        np.testing.assert_array_equal(unpack(stored[f"{name}.weight.packed"], codes.shape), codes)


def test_qonnx_runs_the_integer_graph_to_the_same_integers(run: Path) -> None:
    graph = hw.read_qonnx(run / "digits.onnx")
    frozen = FrozenModel.load(run / "train" / "frozen.pt")
    images = torch.cat(
        [load("digits:test").images, torch.from_numpy(all_vectors(hw.Network(graph), 40)).to(torch.uint8)]
    )
    name, result = graph.graph.input[0].name, graph.graph.output[0].name
    found = [execute_onnx(graph, {name: x[None].numpy().astype(np.float32)})[result] for x in images]
    np.testing.assert_array_equal(np.concatenate(found), frozen.integers(images).numpy())


@pytest.mark.parametrize(
    ("io_type", "mode"),
    [
        ("io_stream", "fast"), ("io_stream", "ap"), ("io_parallel", "fast"),
        pytest.param("io_parallel", "ap", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_simulation_equals_live_pytorch(run: Path, io_type: str, mode: str, tmp_path) -> None:
    project = hw.build(run / "digits.onnx", tmp_path / "project", io_type=io_type)
    vectors = all_vectors(project.network, 1000)
    for images in (load("digits:test").images.numpy(), vectors):
        verdict = verify(project, images, run / "train", mode=mode)
        assert verdict.integers == 10 * len(images)
        assert verdict.equal, str(verdict)
    _, links = trace(project, vectors[-50:], run / "train", mode=mode)
    assert [link.differing for link in links] == [0, 0]
    assert links[1].name.endswith("the live PyTorch model, the codes of 4 layers")


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
def test_the_rtl_form_with_the_trained_weights_equals_pytorch_on_real_images(run: Path, tmp_path) -> None:
    network = hw.Network(hw.read_qonnx(run / "digits.onnx"))
    images = load("digits:test").images[:20]
    found = run_network(network, choose(network, target_fps=100_000), tmp_path, images.numpy().astype(np.int64))
    expected = FrozenModel.load(run / "train" / "frozen.pt").integers(images).numpy()
    np.testing.assert_array_equal(found.values.reshape(20, -1), expected.reshape(20, -1))


@pytest.mark.slow
def test_the_steps_one_by_one_give_the_same_file_and_project(run: Path, tmp_path) -> None:
    for arguments in (
        ("export", run / "train", "-o", tmp_path / "digits.onnx"),
        ("check", tmp_path / "digits.onnx", "--reference", run / "train", "--data", "digits:test"),
        ("inspect", tmp_path / "digits.onnx", "--json"),
        ("build", tmp_path / "digits.onnx", "-o", tmp_path / "project"),
        ("simulate", tmp_path / "project", "--reference", run / "train", "--data", "digits:test"),
    ):
        done = crq(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
    assert "359 of 359 images, 3590 of 3590 integers" in done.stdout
    firmware = {
        p.relative_to(tmp_path / "project"): p.read_bytes() for p in (tmp_path / "project" / "firmware").rglob("*.h")
    }
    assert firmware
    for name, content in firmware.items():
        assert (run / "digits_hls" / name).read_bytes() == content, name


def test_another_model_is_refused_as_reference(run: Path, tmp_path) -> None:
    from tests.support.nets import Plain, frozen

    frozen(Plain).save(tmp_path / "frozen.pt")
    done = crq("simulate", run / "digits_hls", "--reference", tmp_path / "frozen.pt")
    assert done.returncode == 2
    assert "give the run it was exported from" in done.stderr


@pytest.mark.slow
def test_frozen_accuracy_stays_within_two_points_over_three_seeds(run: Path, tmp_path) -> None:
    summaries = [json.loads((run / "train" / "summary.json").read_text())]
    for seed in (1, 2):
        done = crq("train", "digits", "--seed", seed, "-o", tmp_path / str(seed), "--json")
        assert done.returncode == 0, done.stderr
        summaries.append(json.loads(done.stdout))
    floats, frozen = ([s["accuracy"][stage] for s in summaries] for stage in ("float", "frozen"))
    print(f"digits, seeds 0 to 2: float {floats}, frozen {frozen}")
    assert np.mean(floats) - np.mean(frozen) <= 0.02
    assert min(floats) > 0.96


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "digit"), "did you mean 'digits'"),
        (("run", "digits", "--part", "xc7z02"), "xc7z020"),
        (("build", "{file}", "-o", "{folder}/p", "--part", "nonsense"), "nonsense"),
        (("build", "{text}", "-o", "{folder}/p"), "not an ONNX"),
        (("build", "{file}", "-o", "{full}"), "not empty"),
        (("run", "digits", "-o", "{full}"), "not empty"),
        (("train", "digits", "-o", "{full}"), "not empty"),
        (("export", "{folder}", "-o", "{folder}/x.onnx"), "frozen.pt"),
        (("simulate", "{folder}"), "no crq project"),
        (("inspect", "{text}"), "not an ONNX"),
        (("trian", "digits"), "did you mean 'train'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_errors_are_one_clear_line_and_leave_nothing(run: Path, tmp_path, arguments, message: str) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    text = tmp_path / "text.onnx"
    text.write_text("no protobuf")
    names = {"file": run / "digits.onnx", "folder": tmp_path, "full": full, "text": text}
    before = sorted(tmp_path.rglob("*"))
    done = crq(*(a.format(**names) for a in arguments))
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_no_compiler_is_told_before_training(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = crq("run", "digits", "-o", tmp_path / "run")
    assert done.returncode == 3
    assert "apt-get install g++" in done.stderr
    assert not (tmp_path / "run").exists()
