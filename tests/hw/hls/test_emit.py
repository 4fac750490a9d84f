"""C++ of each kind of layer, compiled by g++ and run by itself on the integers that plain loops give its inputs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import hls4ml
import numpy as np
import pytest
from numpy.typing import NDArray

from crq import hw
from crq.hw.dataflow.units import FOLDED, PARALLEL, Fold, Unit, units
from crq.hw.errors import HwError
from crq.hw.hls.csim import MODES
from crq.hw.hls.emit import emit
from crq.hw.hls.firmware import defines_h, layer_h
from crq.hw.hls.plan import Plan, Process, Stream, make_plan
from crq.hw.hls.tables import tables_h
from crq.hw.ir.graph import Network
from tests.support import reference
from tests.support.random_graphs import GraphBuilder, random_input

KERNELS = Path(hw.__file__).parent / "hls" / "kernels"
AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"

IMAGES = 12
SAME = (1, 1, 1, 1)

MAIN = """
#include <iostream>
{headers}
{helpers}
int main() {{
    for (unsigned image = 0; image < {images}; image++) {{
{calls}
    }}
    return 0;
}}
"""
STREAMS = """
template <class beat_T> void feed(hls::stream<beat_T> &stream, unsigned beats) {
    for (unsigned p = 0; p < beats; p++) {
        beat_T beat;
        for (unsigned c = 0; c < beat_T::size; c++) {
            long long value;
            std::cin >> value;
            beat[c] = value;
        }
        stream.write(beat);
    }
}
template <class beat_T> void drain(hls::stream<beat_T> &stream, unsigned beats) {
    for (unsigned p = 0; p < beats; p++) {
        const beat_T beat = stream.read();
        for (unsigned c = 0; c < beat_T::size; c++)
            std::cout << (long long)(beat[c]) << " ";
    }
    if (!stream.empty())
        std::cout << "left over ";
}
"""
ARRAYS = """
template <class T> void feed(T *array, unsigned values) {
    for (unsigned i = 0; i < values; i++) {
        long long value;
        std::cin >> value;
        array[i] = value;
    }
}
template <class T> void drain(const T *array, unsigned values) {
    for (unsigned i = 0; i < values; i++)
        std::cout << (long long)(array[i]) << " ";
}
"""


def every_kind() -> GraphBuilder:
    """Every kind of layer; integer, bipolar, ternary, grouped and dilated sums; compared and searched thresholds."""
    g = GraphBuilder((3, 6, 5), "INT4", seed=3)
    a = g.threshold(g.conv("x", 4, pads=SAME, weight_type="INT4"), 3)
    b = g.conv(a, 4, pads=(2, 2, 2, 2), dilations=(2, 2), group=2, weight_type="BIPOLAR")
    h = g.bias(g.negate(g.shift(g.add(a, g.threshold(b, 3, signed=True)), 1)))
    h = g.threshold(g.max_pool(g.concat(h, a), (2, 2), (1, 2), (0, 1, 1, 0)), 5)
    h = g.enlarge(g.enlarge(h, parts=True), (1, 2))
    h = g.concat(g.matmul(g.flatten(h), 4), g.flatten(g.global_sum(h)))
    g.bias(h)
    return g


FOLDS = {
    "most": lambda u: Fold(u.output.shape.c, u.fan_in),
    "least": lambda u: Fold(1, 1),
    "some": lambda u: parallel(u)[len(parallel(u)) // 2],
    "folded": lambda u: next((f for f in reversed(u.legal_folds()) if f.pe * f.simd <= 4), u.legal_folds()[0]),
    "folded least": lambda u: next((f for f in u.legal_folds() if f.form == FOLDED), u.legal_folds()[0]),
}


def parallel(unit: Unit) -> list[Fold]:
    return [f for f in unit.legal_folds() if f.form == PARALLEL]


def write(plan: Plan, folder: Path) -> None:
    """The firmware's headers, and a main that feeds every process by itself."""
    calls = []
    for kind in ("layers", "weights"):
        (folder / kind).mkdir()
    shutil.copytree(KERNELS, folder / "nnet_utils")
    (folder / "defines.h").write_text(defines_h(plan))
    for process in plan.processes:
        made = emit(process, plan.io_type)
        (folder / "layers" / f"{process.name}.h").write_text(layer_h(process, made))
        (folder / "weights" / f"{process.name}.h").write_text(tables_h(made.tables, process.name, "tables"))
        calls.append(call_of(process, plan.io_type == "io_stream"))
    headers = "\n".join(f'#include "layers/{process.name}.h"' for process in plan.processes)
    helpers = STREAMS if plan.io_type == "io_stream" else ARRAYS
    main = MAIN.format(headers=headers, helpers=helpers, images=IMAGES, calls="\n".join(calls))
    (folder / "main.cpp").write_text(main)


def call_of(process: Process, streaming: bool) -> str:
    """A block that feeds the inputs of `process`, calls it, and drains its outputs."""

    def declared(stream: Stream, name: str) -> str:
        return (
            f'hls::stream<{stream.type_name}> {name}("s");'
            if streaming
            else f"{stream.type_name} {name}[{stream.shape.size}];"
        )

    def amount(stream: Stream) -> int:
        return stream.beats if streaming else stream.shape.size

    inputs = [(s, f"i{n}") for n, s in enumerate(process.inputs)]
    outputs = [(s, f"o{n}") for n, s in enumerate(process.outputs)]
    lines = [declared(s, n) for s, n in inputs + outputs]
    lines += [f"feed({n}, {amount(s)});" for s, n in inputs]
    lines.append(f"{process.name}({', '.join(n for _, n in inputs + outputs)});")
    lines += [f"drain({n}, {amount(s)});" for s, n in outputs]
    return "        { " + " ".join(lines) + ' std::cout << "\\n"; }'


def beats(values: NDArray[np.int64], stream: Stream, steps: tuple[int, int]) -> list[int]:
    """One image in the order in which it streams; `steps` between rows and columns that are left."""
    c, rows, columns = stream.shape
    image = values.reshape(c, *values.shape[1:]) if values.ndim == 3 else values.reshape(stream.shape)
    kept = image[:, :: steps[0], :: steps[1]] if steps != (1, 1) else image.reshape(stream.shape)
    assert kept.shape == (c, rows, columns)
    return kept.transpose(1, 2, 0).ravel().tolist()


def strides(plan: Plan) -> dict[Stream, tuple[int, int]]:
    """By stream, which pixels are left of its tensor."""
    dropping = [p for p in plan.processes if p.unit is None and p.window]
    return {p.output: p.window.stride for p in dropping if p.window}


@pytest.mark.parametrize(
    ("io_type", "folds", "mode"),
    [("io_stream", "some", "fast"), ("io_stream", "some", "ap"), ("io_stream", "least", "ap"),
     ("io_stream", "folded", "fast"), ("io_stream", "folded", "ap"), ("io_stream", "folded least", "ap"),
     ("io_parallel", "most", "fast")],
)  # fmt: skip
def test_every_kind_of_layer_equals_plain_loops(io_type: str, folds: str, mode: str, tmp_path: Path) -> None:
    g = every_kind()
    model = g.finish(f"{g.nodes[-1].name}_out")
    network = Network(model)
    plan = make_plan(network, io_type, {u.name: FOLDS[folds](u) for u in units(network)})
    kinds = {p.unit.layer.kind for p in plan.processes if p.unit}
    assert kinds == {"Conv", "Dense", "Threshold", "MaxPool", "GlobalSum", "Add", "Bias", "Negate", "Shift", "Concat",
                     "Enlarge"}  # fmt: skip
    assert any(p.unit is None for p in plan.processes)
    write(plan, tmp_path)
    types = KERNELS / "sim" / "fast" if mode == "fast" else AP_TYPES
    include = [f"-I{KERNELS / 'sim'}", f"-I{types}"]
    flags = [flag for flag in MODES[mode] if flag.startswith("-D")]
    command = ["g++", "-std=c++14", "-O1", "-Wno-unknown-pragmas", *flags, *include, "main.cpp", "-o", "main"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]

    x = random_input(model, IMAGES)
    values = {"x": x, **reference.run(model, x)}
    feed, expected, left = [], [], strides(plan)
    for image in range(IMAGES):
        for process in plan.processes:
            feed += [v for s in process.inputs for v in beats(values[s.tensor.name][image], s, left.get(s, (1, 1)))]
            outputs = [beats(values[s.tensor.name][image], s, left.get(s, (1, 1))) for s in process.outputs]
            expected.append((process.name, " ".join(str(v) for out in outputs for v in out)))
    run = subprocess.run(["./main"], cwd=tmp_path, input=" ".join(map(str, feed)), capture_output=True, text=True)
    found = [line.strip() for line in run.stdout.splitlines()]
    assert [(name, line) for (name, _), line in zip(expected, found, strict=True)] == expected


def one(g: GraphBuilder, output: str, io_type: str = "io_stream", fold: Fold | None = None) -> Process:
    network = Network(g.finish(output))
    plan = make_plan(network, io_type, {u.name: fold or Fold(1, 1) for u in units(network)})
    return plan.processes[-1]


def test_a_call_names_the_streams_and_a_function_what_passes() -> None:
    g = GraphBuilder((2, 2, 2), "UINT4")
    process = one(g, g.add(g.shift("x", 1), "x"))
    made = emit(process, "io_stream")
    assert made.call == "add2(shift1_out, input_copy2, result);"
    types = "hls::stream<shift1_t> &in0, hls::stream<input_t> &in1, hls::stream<result_t> &out"
    assert made.function.startswith(f"inline void add2({types}) {{")
    parallel = emit(process, "io_parallel").function
    assert parallel.startswith("inline void add2(const shift1_t in0[8], const input_t in1[8], result_t out[8]) {")


def test_integers_wider_than_63_bits_are_refused_by_name() -> None:
    g = GraphBuilder((2, 1, 1), "INT4")
    fits = g.shift("x", 59)
    emit(one(g, fits), "io_stream")
    message = "layer 'shift2': tensor 'shift2_out' needs 64 bits; the hardware holds at most 63. Put an activation"
    with pytest.raises(HwError, match=message):
        emit(one(g, g.shift("x", 60)), "io_stream")


@pytest.mark.parametrize(("blocks", "pragma"), [(2, "ARRAY_PARTITION variable=sums complete dim=1"),
                                                (4, "DEPENDENCE variable=sums inter RAW distance=4 true")])  # fmt: skip
def test_sums_of_many_beats_wait_in_a_memory(blocks: int, pragma: str) -> None:
    g = GraphBuilder((8, 4, 4), "UINT4")
    made = emit(one(g, g.global_sum("x"), fold=Fold(8 // blocks)), "io_stream")
    assert f"#pragma HLS {pragma}" in made.function
    assert f"result_t::value_type sums[{blocks}][{8 // blocks}];" in made.function


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_constants_that_are_alike_in_every_block_are_stored_once(tmp_path: Path, io_type: str) -> None:
    g = GraphBuilder((4, 3, 2), "INT4")
    bias, negated = g.bias("x", np.full(4, 3)), g.negate("x", np.full(4, -1))
    project = hw.build(g.finish(g.concat(bias, negated)), tmp_path / "p", project_name="p", io_type=io_type)
    for name in ("bias1", "neg2"):
        text = (project.directory / "firmware" / "weights" / f"{name}.h").read_text()
        assert f"[1][{project.folds[name].pe}] = {{" in text
    images = np.random.default_rng(0).integers(-8, 8, (3, 4, 3, 2))
    wanted = np.concatenate([images + 3, -images], axis=1)
    for mode in ("fast", "ap"):
        assert np.array_equal(project.integers(images, mode=mode), wanted)
