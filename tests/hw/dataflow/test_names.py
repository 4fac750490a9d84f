"""Generated names: layers and projects may be called anything, and the firmware still compiles and is exact."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from crq import hw
from crq.hw.cli.build import build as build_command
from crq.hw.dataflow.names import MAX_LENGTH, RESERVED, Names, bounded, identifier
from crq.hw.dataflow.units import Fold, units
from crq.hw.hls.plan import make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.proofs import accumulator, fifo, lint, multiplier
from tests.support.random_graphs import GraphBuilder, depthwise_net, residual_net, small_cnn


def named(*names: str):
    """Dense layers with these names, one behind the other, each with its thresholds."""
    g = GraphBuilder((4,), "UINT4", seed=1)
    x = "x"
    for _ in names[:-1]:
        x = g.threshold(g.matmul(x, 4), 2)
    graph = g.finish(g.matmul(x, 3))
    macs = [node for node in graph.graph.node if node.op_type == "MatMul"]
    for node, name in zip(macs, names, strict=True):
        node.name = name
    return graph


def built(graph, folder: Path, **options) -> hw.Project:
    """The project, whose C simulation equals the graph."""
    project = hw.build(graph, folder, **options)
    codes = all_vectors(project.network, 4)
    expected = evaluate(project.network, codes).reshape(len(codes), -1)
    assert np.array_equal(project.integers(codes), expected)
    return project


LONG = "f" * 300
CLASHES = {
    "case": ("fc", "Fc", "FC"),
    "tables": ("conv", "conv_thresholds", "conv_weights", "conv_starts"),
    "tables first": ("conv_thresholds", "conv_config", "conv"),
    "streams and types": ("a", "a_out", "a_t", "A_T"),
    "guards": ("layer_x", "x_tables", "x", "defines", "parameters"),
    "lengths": (LONG, LONG + "g", LONG[:-1] + "g"),
    "C types": ("time", "size", "key", "mode", "int8", "div", "clock", "time_t"),
    "C functions and macros": ("log", "exp", "read", "printf", "y1", "NULL", "BIAS", "assert", "stdin"),
    "words of the code": ("run", "threads", "in", "out", "codes", "integers", "class", "beat", "p", "c"),
}


QUICK = ("tables first", "guards", "words of the code")


@pytest.mark.parametrize("case", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CLASHES])
def test_any_names_build(case: str, tmp_path: Path) -> None:
    project = built(named(*CLASHES[case]), tmp_path / "p")
    assert [p.unit.name for p in project.plan.processes if p.unit] == list(CLASHES[case])
    files = list(project.directory.rglob("*"))
    assert len({str(path).lower() for path in files}) == len(files)
    assert max(len(path.name) for path in files) < 100
    proofs = [
        multiplier.check(project.directory, project.name, project.plan), lint.check(project.directory),
        accumulator.check(project.directory, project.plan), fifo.check(project.directory, project.plan),
    ]  # fmt: skip
    assert all(proof.ok for proof in proofs), [str(proof) for proof in proofs]
    report = project.report().to_dict()
    assert [unit["name"] for unit in report["units"]] == list(CLASHES[case])
    readme = (project.directory / "README.md").read_text()
    assert all(f"| `{name}`" in readme for name in CLASHES[case])


@pytest.mark.parametrize("case", ["case", "words of the code"])
def test_names_of_an_unrolled_project(case: str, tmp_path: Path) -> None:
    built(named(*CLASHES[case]), tmp_path / "p", io_type="io_parallel")


@pytest.mark.parametrize("first", ["conv1_copy1", "copy_conv1", "Conv1_Copy2"])
def test_a_copy_yields_to_a_layer_of_its_name(first: str, tmp_path: Path) -> None:
    graph = residual_net(4)
    plan = make_plan(Network(graph), "io_stream", {u.name: Fold(1, 1) for u in units(Network(graph))})
    copied = next(p for p in plan.processes if p.unit is None)
    target = first.replace("conv1", copied.input.name.removesuffix("_out"))
    last = graph.graph.node[-1]
    last.name = target
    project = built(graph, tmp_path / "p")
    assert target in {p.label for p in project.plan.processes}


@pytest.mark.parametrize("make", [small_cnn, residual_net, depthwise_net])
def test_the_names_that_are_kept_free_are_those_the_firmware_has(make, tmp_path: Path) -> None:
    project = hw.build(make(2), tmp_path / "p")
    firmware = project.directory / "firmware"
    headers = [*firmware.glob("layers/*.h"), *firmware.glob("weights/*.h"), firmware / "defines.h"]
    pattern = r"^(?:struct|inline void|static const \S+) (\w+)|^typedef .* (\w+);"
    found = re.findall(pattern, "".join(header.read_text() for header in headers), re.M)
    names = Names(["input_t", "result_t"])
    for process in project.plan.processes:
        names.unique(process.name)
    assert len(found) > 3 * len(project.plan.processes)
    assert {function or type_ for function, type_ in found} <= names.taken


def test_identifiers() -> None:
    assert identifier("conv1") == "conv1"
    assert identifier("1st.layer") == "layer_1st_layer"
    assert identifier("größe") == "gr__e"
    assert identifier("time", prefix="network") == "network_time"
    assert len(identifier(LONG)) == MAX_LENGTH
    assert bounded(LONG) == bounded(LONG) != bounded(LONG + "f")
    assert all(identifier(word) not in RESERVED for word in RESERVED)


def test_names_are_given_in_order_and_twice_the_same() -> None:
    wishes = ["fc", "Fc", "fc_t", "FC", "fc"]
    made = [[n.unique(w) for w in wishes] for n in (Names(["top"]), Names(["top"]))]
    assert made[0] == made[1] == ["fc", "Fc_2", "fc_t_2", "FC_3", "fc_4"]
    assert Names(["Conv"]).unique("conv") == "conv_2"


@pytest.mark.parametrize("name", ["main", "defines", "images", "log", "fc", "Fc", "layer_fc", "input_t"])
def test_a_graph_of_any_name_gives_a_project_that_compiles(name: str, tmp_path: Path) -> None:
    graph = named("fc", "fc2")
    graph.graph.name = name
    project = built(graph, tmp_path / "p")
    files = [path.name.lower() for path in (project.directory / "firmware").iterdir()]
    assert len(set(files)) == len(files)
    done = subprocess.run(["./build_lib.sh"], cwd=project.directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_file_name_of_200_letters(tmp_path: Path) -> None:
    file = tmp_path / f"{'n' * 200}.onnx"
    named("fc", "fc2").save(str(file))
    done = CliRunner().invoke(build_command, [str(file), "-o", str(tmp_path / "p")])
    assert done.exit_code == 0, done.output
    assert len(hw.open_project(tmp_path / "p").name) == MAX_LENGTH


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my project", "'my project': expected a C identifier"),
        ("größe", "expected a C identifier"),
        ("main", "'main': is a word of C"),
        ("codes", "'codes': is a word of C"),
        ("n" * 61, "61 letters; expected at most 60"),
    ],
)
def test_a_project_name_that_cannot_be_had_is_refused(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(hw.HwError, match=message):
        hw.build(small_cnn(0), tmp_path / "p", project_name=name)
    assert not (tmp_path / "p").exists()


def test_a_layer_yields_to_the_project_of_its_name(tmp_path: Path) -> None:
    project = built(named("fc", "fc2"), tmp_path / "p", project_name="fc")
    assert project.name == "fc"
    assert project.manifest.layers == {"fc": "fc_2", "fc2": "fc2"}


def test_verilog_files_have_bounded_names(tmp_path: Path) -> None:
    from crq.hw.rtl.generate import generate, write

    network = Network(named(LONG, LONG + "g"))
    design = generate(network, {u.name: Fold(1, 1) for u in units(network)})
    assert all(path.is_file() for path in write(design, tmp_path))
