"""Adder graphs as SystemVerilog: the portable form, that of Xilinx with its primitives' models, and mapped netlists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from crq.hw.graphs import solve
from crq.hw.graphs.stages import staged
from crq.hw.ir.layers import smallest_format
from crq.hw.rtl.graph import graph_module
from crq.hw.rtl.synth import DEFINES, PASSES, SCRIPT
from crq.hw.rtl.verilator import verilate
from tests.support.graphs import LIBRARY, PRIMITIVES, Case, inputs, simulate

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="verilator is not installed")
needs_yosys = pytest.mark.skipif(find_spec("pyosys") is None, reason="pyosys is not installed")


def random_case(seed: int, operands: int = 3) -> Case:
    """Ternary or integer weights, signed and unsigned inputs of any interval, any number of stages."""
    rng = np.random.default_rng(seed)
    outputs, elements = int(rng.integers(1, 9)), int(rng.integers(1, 25))
    most = int(rng.choice([1, 1, 1, 9]))
    matrix = rng.integers(-most, most + 1, (outputs, elements)) * (rng.random((outputs, elements)) < 0.8)
    bits = int(rng.integers(1, 9))
    low = -(1 << (bits - 1)) if rng.random() < 0.5 else 0
    ends = np.sort(rng.integers(low, low + (1 << bits), (elements, 2)), axis=1)
    ends[rng.random(elements) < 0.5] = low, low + (1 << bits) - 1
    ranges = [(int(a), int(b)) for a, b in ends]
    graph = solve(matrix, ranges, operands=operands)
    width = 2 + max((f.bits for f in graph.formats), default=0)
    x = inputs(rng, ranges, 200)
    return Case(staged(graph, int(rng.integers(1, 4))), matrix, x, bits, width)


def written(cases: list[Case], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i, case in enumerate(cases):
        paths.append(folder / f"graph{i}.sv")
        paths[-1].write_text(case.module(f"graph{i}"))
    return paths


@needs_verilator
@pytest.mark.parametrize("form", ["", "CRQ_XILINX=8", pytest.param("CRQ_XILINX=4", marks=pytest.mark.slow)])
def test_every_output_is_exact(form: str, tmp_path: Path) -> None:
    # The models of the primitives compile slowly.
    cases = [random_case(seed, 3 if seed % 4 else 2) for seed in range(8 if form else 40)]
    sources = [*LIBRARY, *written(cases, tmp_path), PRIMITIVES]
    simulate(cases, tmp_path, sources, [f"graph{i}" for i in range(len(cases))], form)


@needs_verilator
@pytest.mark.parametrize("stages", [1, 3])
def test_bits_that_a_sum_never_needs_are_no_warnings(stages: int, tmp_path: Path) -> None:
    """The interval of 8x - x reaches below zero and beyond that of 7x."""
    matrix = np.array([[7, 1, 1, 1], [1, 7, 1, 1]])
    graph = solve(matrix, [(0, 255)] * 4, operands=2)
    width = smallest_format(0, 10 * 255).bits
    assert any(graph.formats[term.value].bits > width for term in graph.outputs if term)
    (tmp_path / "graph.sv").write_text(graph_module("graph", staged(graph, stages), 8, width))
    verilate(["--lint-only", "-Wall", "--top-module", "graph", "graph.sv"], tmp_path)


@needs_verilator
@pytest.mark.parametrize("operands", [2, 3])
def test_a_changed_adder_is_caught(operands: int, tmp_path: Path) -> None:
    """One sign of one adder, in the source that is simulated."""
    case = random_case(4, operands)
    [path] = written([case], tmp_path)
    text = path.read_text()
    if operands == 2:
        other = {"+": "-", "-": "+"}
        changed = re.sub(r"(keep \*\) wire .*) ([+-]) ", lambda m: f"{m[1]} {other[m[2]]} ", text, count=1)
    else:
        changed = re.sub(r"\.NC\((\d)\)", lambda m: f".NC({1 - int(m[1])})", text, count=1)
    assert changed != text
    path.write_text(changed)
    with pytest.raises(AssertionError, match="case 0"):
        simulate([case], tmp_path, [*LIBRARY, path, PRIMITIVES], ["graph0"])


@needs_verilator
@needs_yosys
@pytest.mark.parametrize("family", ["xcup", pytest.param("xc7", marks=pytest.mark.slow)])
def test_the_mapped_netlist_is_exact(family: str, tmp_path: Path) -> None:
    cases = [random_case(seed) for seed in (2, 3)]
    paths = written(cases, tmp_path)
    netlists = []
    for i, path in enumerate(paths):
        read = f"read_verilog -sv -D{DEFINES[family]} {' '.join(map(str, [*LIBRARY, path]))}"
        netlists.append(tmp_path / f"netlist{i}.v")
        commands = [read, f"{PASSES[family]} -top graph{i}", f"rename -top netlist{i}"]
        commands.append(f"write_verilog -noattr {netlists[-1].name}")
        subprocess.run([sys.executable, "-c", SCRIPT, *commands], cwd=tmp_path, check=True, capture_output=True)
    assert "LUT6_2" in "".join(n.read_text() for n in netlists)
    simulate(cases, tmp_path, [*netlists, PRIMITIVES], [f"netlist{i}" for i in range(len(cases))])


@needs_verilator
@pytest.mark.parametrize("form", ["", "CRQ_XILINX=8", "CRQ_XILINX=4"])
def test_no_form_has_a_warning(form: str, tmp_path: Path) -> None:
    # The bits of a carry chain follow from each other, which Verilator takes for a loop of the whole vector.
    quiet = '`verilator_config\nlint_off -rule UNOPTFLAT\nlint_off -file "*primitives.sv"\n'
    (tmp_path / "quiet.vlt").write_text(quiet)
    for i, path in enumerate(written([random_case(seed) for seed in range(6)], tmp_path)):
        command = ["verilator", "--lint-only", "-Wall", "--top-module", f"graph{i}", *([f"-D{form}"] if form else [])]
        sources = map(str, [*LIBRARY, path, PRIMITIVES])
        done = subprocess.run([*command, "quiet.vlt", *sources], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), f"case {i}"


def test_inputs_have_their_names_and_sums_their_places() -> None:
    graph = staged(solve(np.array([[1, 1, 0, -1], [1, 1, 0, 1]]), [(0, 3)] * 4, operands=2), 2)
    text = graph_module("sums", graph, 2, 5, lambda e: f"row 0, channel {e}")
    assert "// row 0, channel 3" in text
    assert text.count("(* keep *)") == 3
    assert "2 sums of 4 inputs: 3 adders, 0 of them of three operands, in 2 stages of 1 levels at most." in text
