"""Building: folder handling, errors by name, input codes, the testbench."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner

from crq import hw
from crq.hw.cli.build import build as build_command
from crq.hw.cli.simulate import simulate as simulate_command
from crq.hw.dataflow.words import words_of
from crq.hw.hls.csim import compile_simulation
from crq.hw.hls.plugin import require_registered
from crq.hw.ir.vectors import all_vectors, bounding
from tests.support.random_graphs import GraphBuilder, random_input, small_cnn


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return hw.build(small_cnn(4), tmp_path_factory.mktemp("build") / "p", project_name="digits")


def test_refuses_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(hw.HwError, match="not empty"):
        hw.build(small_cnn(0), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failed_build_leaves_nothing(tmp_path, monkeypatch):
    require_registered()  # the writer's module can be imported only after hls4ml
    monkeypatch.setattr("crq.hw.hls.writer.host_py", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hw.build(small_cnn(0), tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "xc9z999"}, "part 'xc9z999'"),
        ({"io_type": "io_serial"}, "io_type 'io_serial'"),
        ({"project_name": "my project"}, "project name 'my project'"),
        ({"folding": {"conv7": hw.Fold(1, 1)}}, "'conv7'"),
        ({"folding": {"conv1": hw.Fold(3, 1)}}, "'conv1'"),
        ({"target_fps": 1e9}, "target"),
        ({"target_fps": -1.0}, "target"),
        ({"target_latency": 0.01}, "target latency"),
        ({"best_fit": True, "target_fps": 10.0}, "best fit"),
        ({"weight_rom": {"conv9": "lut"}}, "weight ROM of 'conv9'"),
        ({"weight_rom": {"conv1": "flash"}}, "style 'flash'; expected one of auto, lut, bram"),
        ({"weight_rom": {"pool3": "lut"}}, "a MaxPool has no weights"),
        ({"io_type": "io_parallel", "best_fit": True}, "io_parallel unrolls every layer"),
    ],
)
def test_options_are_refused_by_name(tmp_path, options, message):
    with pytest.raises(hw.HwError, match=message):
        hw.build(small_cnn(0), tmp_path / "p", **options)
    assert not (tmp_path / "p").exists()


def test_weight_rom_goes_where_it_is_put(tmp_path):
    """By size, or by name: the pragma, the comment above the layer and the estimate say the same."""
    folding = {"conv4": hw.Fold(1, 1)}
    by_size = hw.build(small_cnn(0), tmp_path / "a", folding=folding)
    by_name = hw.build(small_cnn(0), tmp_path / "b", folding=folding, weight_rom={"conv4": "bram"})
    for project, impl, place in ((by_size, "lutram", "in LUTs"), (by_name, "bram", "in block RAM")):
        text = (project.directory / "firmware" / "layers" / "conv4.h").read_text()
        assert f"variable=conv4_weights type=rom_1p impl={impl}" in text
        assert place in text
    units = {u["name"]: u for u in by_name.report().to_dict()["units"]}
    assert units["conv4"]["parts"]["weights"]["bram18"] == 1
    codes = all_vectors(by_name.network, 4)
    assert np.array_equal(by_name.integers(codes), by_size.integers(codes))


def test_missing_and_wrong_files(tmp_path):
    with pytest.raises(hw.HwError, match="no such file"):
        hw.build(tmp_path / "absent.onnx", tmp_path / "p")
    with pytest.raises(hw.HwError, match="no crq project"):
        hw.open_project(tmp_path)


def test_floats_on_the_grid_equal_codes_and_others_raise(project):
    codes = random_input(project.graph, 3)
    floats = codes.astype(np.float32) / 256
    assert np.array_equal(project.integers(floats), project.integers(codes.astype(np.uint8)))
    with pytest.raises(hw.HwError, match="not on the input grid"):
        project.integers(floats + np.float32(0.001))
    assert np.array_equal(project.integers(floats + np.float32(0.001), quantize=True), project.integers(codes))
    with pytest.raises(hw.HwError, match="codes in"):
        project.integers(codes + 200)
    with pytest.raises(hw.HwError, match="shape"):
        project.integers(codes[:, :, :4])
    with pytest.raises(hw.HwError, match="finite"):
        project.integers(np.full_like(floats, np.nan))


def test_unknown_mode_and_missing_compiler(project, monkeypatch):
    with pytest.raises(hw.HwError, match="mode 'slow'"):
        compile_simulation(project.directory, "slow")
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(hw.ToolError, match="apt-get install"):
        compile_simulation(project.directory, "fast")


def test_testbench_passes_and_finds_a_wrong_expectation(project, tmp_path):
    copy = shutil.copytree(project.directory, tmp_path / "p")
    passed = subprocess.run(["./build_lib.sh"], cwd=copy, capture_output=True, text=True)
    assert passed.returncode == 0, passed.stderr
    assert "bit-exact" in passed.stdout
    expected = copy / "tb_data" / "expected.dat"
    first, rest = expected.read_text().split(" ", 1)
    expected.write_text(f"{int(first) + 1} {rest}")
    failed = subprocess.run(["./digits_test"], cwd=copy, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "image 0, integer 0" in failed.stderr


def lines_of(project, name: str) -> list[list[int]]:
    return [[int(v) for v in line.split()] for line in (project.directory / "tb_data" / name).read_text().splitlines()]


def test_given_images_begin_the_testbench(project, tmp_path):
    """The first few, as codes or floats, in every build the same; the rest is made up as without them."""
    images = random_input(project.graph, 20, seed=7)
    made = [
        hw.build(small_cnn(4), tmp_path / str(i), project_name="digits", images=x)
        for i, x in enumerate((images, (images / 256).astype(np.float32)))
    ]
    codes = lines_of(made[0], "input_codes.dat")
    assert codes[:8] == images[:8].transpose(0, 2, 3, 1).reshape(8, -1).tolist()
    assert len(codes) == len(lines_of(project, "input_codes.dat")) == 32
    bounds = bounding(project.network, 6)[0].transpose(0, 2, 3, 1).reshape(6, -1).tolist()
    assert codes[8:14] == bounds
    assert lines_of(made[0], "expected.dat") == project.integers(np.array(codes).reshape(-1, 1, 8, 8)).tolist()
    assert made[0].manifest == made[1].manifest
    facts = made[0].manifest.testbench
    assert (facts["images"], facts["given"]) == (32, 8)
    assert facts["sha256"] != project.manifest.testbench["sha256"]
    assert "the first 8 were given" in (made[0].directory / "README.md").read_text()
    assert project.manifest.testbench["given"] == 0


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 1, 7, 8), np.uint8), r"images of shape \(2, 1, 7, 8\): expected \(N, 1, 8, 8\)"),
        (np.full((2, 1, 8, 8), 256), "codes in"),
        (np.full((2, 1, 8, 8), 0.3), "not on the input grid"),
    ],
)
def test_images_that_the_network_does_not_take_are_refused(images, message, tmp_path):
    with pytest.raises(hw.HwError, match=message):
        hw.build(small_cnn(4), tmp_path / "p", images=images)
    assert not (tmp_path / "p").exists()


def test_build_with_data(tmp_path):
    model = tmp_path / "m.onnx"
    g = GraphBuilder((1, 8, 8), seed=1)
    g.finish(g.matmul(g.flatten(g.threshold(g.conv("x", 2), 2)), 3)).save(str(model))
    built = CliRunner().invoke(build_command, [str(model), "-o", str(tmp_path / "p"), "--data", "digits:test"])
    assert built.exit_code == 0, built.output
    from crq.train.data import load

    first = load("digits:test").images[:8].numpy().reshape(8, -1).tolist()
    assert lines_of(hw.open_project(tmp_path / "p"), "input_codes.dat")[:8] == first
    wrong = CliRunner().invoke(build_command, [str(model), "-o", str(tmp_path / "q"), "--data", "digits"])
    assert "must be name:split" in str(wrong.exception)
    assert not (tmp_path / "q").exists()
    options = ["--data", "cifar10:test", "--data-root", str(tmp_path / "absent")]
    wrong = CliRunner().invoke(build_command, [str(model), "-o", str(tmp_path / "q"), *options])
    assert "absent does not exist" in str(wrong.exception)


def test_host_snippet_packs_and_unpacks(project):
    scope: dict = {}
    exec((project.directory / "host.py").read_text(), scope)
    codes = random_input(project.graph, 2)
    words = scope["pack"](codes)
    assert words[1][9][0] == codes[1, 0, 1, 1]
    output = project.plan.outputs[0]
    integers = project.integers(codes).reshape(2, *output.shape)
    bits, size = output.tensor.format.bits, words_of(output).bits // 8
    beats = integers.transpose(0, 2, 3, 1).reshape(-1, output.beat)
    packed = [sum((int(v) & ((1 << bits) - 1)) << (bits * c) for c, v in enumerate(beat)) for beat in beats]
    received = np.frombuffer(b"".join(word.to_bytes(size, "little") for word in packed), np.uint8)
    assert np.array_equal(scope["unpack"](received), integers)
    assert np.array_equal(scope["logits"](integers), project.simulate(codes))


def test_commands(project, tmp_path):
    model = tmp_path / "m.onnx"
    g = GraphBuilder((1, 6, 6), seed=1)
    graph = g.finish(g.matmul(g.flatten(g.threshold(g.conv("x", 4), 4)), 3))
    graph.save(str(model))
    missing = CliRunner().invoke(build_command, [str(tmp_path / "no.onnx"), "-o", str(tmp_path / "q")])
    assert isinstance(missing.exception, hw.HwError)
    wrong = CliRunner().invoke(build_command, [str(model), "-o", str(tmp_path / "q"), "--fold", "conv1=4"])
    assert wrong.exit_code == 2
    options = ["--target-latency", "100", "--rom", "conv1=bram"]
    built = CliRunner().invoke(build_command, [str(model), "-o", str(tmp_path / "r"), *options])
    assert built.exit_code == 0, built.output
    assert "folded for a latency of 100 µs at 5 ns" in built.output
    assert re.search(r"conv1 .*block RAM", built.output), built.output
    run = CliRunner().invoke(
        simulate_command, [str(project.directory), "--limit", "20", "--json", "--trace", str(tmp_path / "t.npz")]
    )
    assert run.exit_code == 0, run.output
    facts = json.loads(run.output)
    assert facts["bit_exact"]
    assert [c["name"] for c in facts["checks"]] == [
        "multiplier-free",
        "sources",
        "accumulators",
        "thresholds",
        "FIFO depths",
        "mutations",
    ]
    assert facts["layers"][0]["differing"] == 0
    traced = {(p.unit.threshold or p.unit.layer).name for p in project.plan.processes if p.unit}
    assert set(np.load(tmp_path / "t.npz")) == traced


@pytest.mark.parametrize(("stem", "name"), [("reg", "network_reg"), ("crq_net", "network_crq_net"), ("plain", "plain")])
def test_a_file_may_have_the_name_of_a_word(stem: str, name: str, tmp_path) -> None:
    model = small_cnn(1)
    model.save(str(tmp_path / f"{stem}.onnx"))
    for target in ("hls", "rtl"):
        assert hw.build(tmp_path / f"{stem}.onnx", tmp_path / target, target=target).name == name
