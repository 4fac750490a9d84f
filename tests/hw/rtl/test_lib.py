"""The lanes of hw/rtl/lib in all their forms, against integers; the primitives are tests/support/primitives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from crq.hw.rtl.bench import verilate
from crq.hw.rtl.synth import DEFINES, PASSES, SCRIPT
from tests.support.lanes import PRIMITIVES, exhaustive_lane, random_lane, simulate

LIBRARY = [Path(str(f)) for f in (files("crq.hw.rtl") / "lib").iterdir() if f.name.endswith(".sv")]
LANE = sorted(f for f in LIBRARY if f.stem.split("_")[1] in ("pe", "lane", "pair", "add3", "acc", "carry", "ccu"))
SEVERAL = 3  # each takes Verilator seconds
FORMS = ["", *DEFINES.values()]
LONG = ("CRQ_XILINX=4", "CRQ_ICE40")
needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")


@needs_verilator
@pytest.mark.parametrize("form", [pytest.param(f, marks=pytest.mark.slow) if f in LONG else f for f in FORMS])
def test_every_product_and_random_lanes_are_exact(form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(len(form))
    lanes = [exhaustive_lane(bits, signed) for bits in (1, 3) for signed in (False, True)]
    lanes += [random_lane(rng, 60, simd=int(simd)) for simd in rng.permutation(np.arange(2, 19))[:SEVERAL]]
    lanes += [random_lane(rng, 60, simd=simd, digits=1, single=0, zero=1) for simd in (1, 9, 16, 36)]
    lanes += [random_lane(rng, 60, simd=5, digits=digits, signed=digits % 2) for digits in (2, 7)]
    simulate(lanes, tmp_path, [*LANE, Path(str(PRIMITIVES))], define=form)


@needs_verilator
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "sizes", ["SIMD=1 BITS=1", "SIMD=9 ACC=10", "SIMD=16 ZERO=1'b1", "SIMD=3 DIGITS=3 SIGNED=1'b1",
              "SIMD=8 ACC=5 SINGLE=1'b1"],
)  # fmt: skip
def test_no_form_has_a_warning(form: str, sizes: str, tmp_path: Path) -> None:
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "crq_pe", *([f"-D{form}"] if form else [])]
    command += [f"-G{size}" for size in sizes.split()]
    # The bits of a carry chain follow from each other, which Verilator takes for a loop of the whole vector.
    quiet = '`verilator_config\nlint_off -rule UNOPTFLAT\nlint_off -file "*primitives.sv"\n'
    (tmp_path / "quiet.vlt").write_text(quiet)
    done = subprocess.run(
        [*command, "quiet.vlt", *map(str, LANE), str(PRIMITIVES)], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@needs_verilator
@pytest.mark.skipif(find_spec("pyosys") is None, reason="pyosys is not installed")
@pytest.mark.parametrize("family", ["xcup", "xc7"])
def test_the_mapped_netlist_is_exact(family: str, tmp_path: Path) -> None:
    lane = random_lane(np.random.default_rng(1), 200, simd=11, digits=1, bits=4, signed=1, single=0, zero=1, acc=9)
    top = "chparam -set SIMD 11 -set BITS 4 -set SIGNED 1 -set ACC 9 -set ZERO 1 crq_pe"
    read = f"read_verilog -sv -D{DEFINES[family]} -defer {' '.join(map(str, LANE))}"
    commands = [read, top, f"{PASSES[family]} -top crq_pe", "rename -top netlist", "write_verilog -noattr netlist.v"]
    subprocess.run([sys.executable, "-c", SCRIPT, *commands], cwd=tmp_path, check=True, capture_output=True)
    assert "LUT6_2" in (tmp_path / "netlist.v").read_text()
    simulate([lane], tmp_path, [tmp_path / "netlist.v", Path(str(PRIMITIVES))], module="netlist")


@needs_verilator
@pytest.mark.parametrize(
    ("module", "parameters"),
    [
        ("crq_add", {"LANES": 2, "XB": 7, "YB": 4, "OUT": 6}),
        ("crq_ramp", {"WIDTH": 9, "F": 2, "RB": 10, "BB": 9, "DB": 4, "BITS": 2}),
    ],
)
def test_sums_narrower_than_their_operands_are_no_warning(module: str, parameters: dict[str, int]) -> None:
    given = [f"-G{name}={value}" for name, value in parameters.items()]
    verilate(["--lint-only", "-Wall", *given, f"{module}.sv"], LIBRARY[0].parent)
