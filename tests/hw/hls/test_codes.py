"""Codes of sums in C++: every reachable sum of every channel, in all three compilations, against the thresholds."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import hls4ml
import numpy as np
import pytest
from numpy.typing import NDArray

from crq import hw
from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.units import Fold, units
from crq.hw.hls.codes import codes_of
from crq.hw.hls.csim import MODES
from crq.hw.hls.plan import Process, make_plan
from crq.hw.hls.source import cpp_type
from crq.hw.hls.tables import tables_h
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from tests.support.random_graphs import GraphBuilder, random_input

KERNELS = Path(hw.__file__).parent / "hls" / "kernels"
AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
CHANNELS, PE = 4, 2

MAIN = """
#include "ap_int.h"
#include <cstdio>
{tables}
struct {name}_config {{
{fields}
}};
int main() {{
    const int low[] = {{{low}}}, high[] = {{{high}}};
    {declaration}
    for (unsigned c = 0; c < {channels}; c++)
        for (int x = low[c]; x <= high[c]; x++)
            std::printf("%d\\n", int(codes.apply<{code}>({sum_}(x), c / {pe}, c % {pe})));
    return 0;
}}
"""


def stepped(low: int, step: float, count: int, away: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.floor(low + step * np.arange(1, count + 1))[None].astype(np.int64) + away[:, None]


def process_of(kind: str) -> Process:
    """A convolution or threshold whose stage is of this kind."""
    g = GraphBuilder((16, 2, 2), "INT6", seed=2)
    away, rng = np.arange(CHANNELS) * 3, np.random.default_rng(0)
    if kind == "round":
        g = GraphBuilder((CHANNELS, 2, 2), "INT9")
        codes = np.arange(-7, 8)
        ties = codes * 16 - 8 + (codes & 1)
        h = g.threshold("x", 4, signed=True, table=ties[None].repeat(CHANNELS, 0))
        fold = Fold(PE)
    else:
        sums = g.conv("x", CHANNELS, (2, 2))
        bits, signed = {"ramp": (8, True), "compare": (3, False), "none": (0, False)}.get(kind, (6, True))
        count = (1 << bits) - 1
        random = np.sort(rng.integers(-700, 700, (CHANNELS, count)), axis=1)
        table = stepped(-640, 5.3, count, away) if kind == "ramp" else random
        h = sums if kind == "none" else g.threshold(sums, bits, signed, table)
        fold = Fold(PE, 64 if kind == "compare" else 1)
    network = Network(g.finish(h))
    plan = make_plan(network, "io_stream", {u.name: fold for u in units(network)})
    found = [p for p in plan.processes if p.unit]
    assert stage(found[-1].unit, fold).kind == kind
    return found[-1]


@pytest.mark.parametrize("mode", ["fast", "ap", "hls"])
@pytest.mark.parametrize("kind", ["ramp", "round", "compare", "lut", "none"])
def test_every_sum_has_its_code(kind: str, mode: str, tmp_path: Path) -> None:
    process = process_of(kind)
    unit, made = process.unit, codes_of(process)
    layer = unit.quantizer
    sums = layer.input if layer else unit.output
    code = cpp_type(unit.output.format)
    (tmp_path / "nnet_utils").symlink_to(KERNELS)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "tables.h").write_text(tables_h(made.tables, process.name, "tables"))
    include = '#include "nnet_utils/crq_threshold.h"\n#include "weights/tables.h"'
    text = MAIN.format(
        tables=include, name=process.name, fields="\n".join(made.fields), low=", ".join(map(str, sums.lo)),
        high=", ".join(map(str, sums.hi)), declaration=made.declaration, channels=CHANNELS, pe=PE, code=code,
        sum_=cpp_type(sums.format),
    )  # fmt: skip
    (tmp_path / "main.cpp").write_text(text)
    types = KERNELS / "sim" / "fast" if mode == "fast" else AP_TYPES
    flags = [flag for flag in MODES[mode] if flag.startswith("-D")]
    command = ["g++", "-std=c++14", "-Wno-unknown-pragmas", *flags, f"-I{types}", f"-I{KERNELS / 'sim'}", "main.cpp"]
    done = subprocess.run([*command, "-o", "main"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    run = subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True)
    expected = []
    for channel, (low, high) in enumerate(zip(sums.lo, sums.hi, strict=True)):
        x = np.arange(low, high + 1)
        reached = (layer.thresholds[channel] <= x[:, None]).sum(1) + layer.qmin if layer else x
        expected += reached.tolist()
    assert [int(line) for line in run.stdout.split()] == expected


@pytest.mark.parametrize("form", ["parallel", "folded"])
@pytest.mark.parametrize(("channels", "searchers"), [(4, 2), (12, 1)])
def test_lanes_are_searched_one_after_the_other_where_there_is_time(
    form: str, channels: int, searchers: int, tmp_path: Path
) -> None:
    """Four lanes of four bits: 9 cycles per block leave each searcher two lanes, 27 all four."""
    g = GraphBuilder((channels, 5, 5), "UINT4", seed=6)
    model = g.finish(g.threshold(g.conv("x", 8, pads=(1, 1, 1, 1)), 4))
    project = hw.build(model, tmp_path / "p", folding={"conv1": (4, 4, form)})
    [process] = [p for p in project.plan.processes if p.unit and p.unit.name == "conv1"]
    assert stage(process.unit, process.fold).searchers == searchers
    made = codes_of(process)
    assert made.one_by_one
    assert sum("block factor=2 dim=2" in p for p in made.pragmas) == (searchers == 2) * len(made.tables)
    text = (project.directory / "firmware" / "layers" / "conv1.h").read_text()
    assert f"crq::mac_{'folded' if form == 'folded' else 'stream'}_searched<" in text
    assert f"static const unsigned searchers = {searchers};" in text
    images = random_input(model, 4)
    np.testing.assert_array_equal(project.integers(images, mode="hls"), evaluate(project.network, images))


def test_a_dataflow_region_is_streams_and_calls_of_functions_that_stay_functions() -> None:
    """The canonical form of AMD UG1399: no loop, no function that is dissolved into the region."""
    text = (KERNELS / "crq_codes.h").read_text()
    bodies = dict(re.findall(r"^void (\w+)\([^{]*\) \{\n(.*?)^\}", text.split("#else")[0], re.M | re.S))
    regions = [body for body in bodies.values() if "HLS DATAFLOW" in body]
    assert len(regions) == 2
    for body in regions:
        called = re.findall(r"^    (\w+)<.*>\(.*\);", body, re.M)
        assert len(called) == 2
        assert all("#pragma HLS INLINE off" in bodies[name] for name in called)
        assert "for (" not in body
