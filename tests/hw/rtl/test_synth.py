"""Synthesis with Yosys: what a primitive costs, what the cache remembers, and how a missing tool is told."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from crq.errors import ToolError
from crq.hw.cost.resources import Resources
from crq.hw.errors import HwError
from crq.hw.rtl import synth
from crq.hw.rtl.synth import FAMILIES, Synthesis, check_family, resources, synthesize, tool
from crq.hw.rtl.verilog import Design, module

needs_yosys = pytest.mark.skipif(find_spec("pyosys") is None, reason="pyosys is not installed")

XOR = """  assign out_valid = in0_valid;
  assign in0_ready = out_ready;
  logic [3:0] held;
  always_ff @(posedge clk) if (in0_valid) held <= {held[2:0], ^in0_data};
  assign out_data = held;
  wire unused = rst;
"""


def design(body: str = XOR) -> Design:
    inner = module("inner", {"in0": 6}, {"out": 4}, body, "parity of six bits, four registers")
    ports = ", ".join(f".{p}({p})" for p in ("clk", "rst", "in0_valid", "in0_ready", "in0_data", "out_valid"))
    two = f"""  wire [3:0] a, b;
  inner u_a ({ports}, .out_ready(out_ready), .out_data(a));
  wire other_valid, other_ready;
  inner u_b (.clk(clk), .rst(rst), .in0_valid(in0_valid), .in0_ready(other_ready), .in0_data(~in0_data),
             .out_valid(other_valid), .out_ready(out_ready), .out_data(b));
  assign out_data = {{b, a}};
"""
    return Design("outer", {"inner.sv": inner, "outer.sv": module("outer", {"in0": 6}, {"out": 8}, two, "two of them")})


def test_primitives_have_the_prices_of_the_library_guides() -> None:
    found = resources(
        {"LUT6": 5, "LUT2": 1, "CARRY4": 9, "MUXF7": 2, "FDRE": 7, "FDSE": 1, "RAM32M": 2, "SRL16E": 3, "RAMB18E1": 1,
         "RAMB36E2": 2, "DSP48E2": 1, "URAM288": 1, "GND": 4}
    )  # fmt: skip
    assert found == Resources(logic=6, lutram=2 * 4 + 3, ff=8, bram18=1 + 2 * 2, uram=1, dsp=1)
    assert resources({"LUT4": 3, "CCU2C": 2, "TRELLIS_FF": 5, "TRELLIS_DPR16X4": 1, "DP16KD": 1}) == Resources(
        logic=7, lutram=6, ff=5, bram18=1
    )
    assert resources({}) == Resources()


def test_a_primitive_without_a_price_is_named() -> None:
    with pytest.raises(ToolError, match="cells without a price: LUT9, \\$mul; add them to hw/rtl/synth.py"):
        resources({"LUT6": 1, "LUT9": 1, "$mul": 2})


def test_a_module_costs_its_own_and_every_instance_below_it() -> None:
    own = {"top": Resources(logic=1), "a": Resources(logic=10, ff=2), "b": Resources(logic=100, bram18=1)}
    found = Synthesis("xcup", "Yosys 0", 1.0, "top", own, {"top": {"a": 2, "b": 1}, "a": {"b": 3}, "b": {}})
    assert found.total("b") == Resources(logic=100, bram18=1)
    assert found.total("a") == Resources(logic=310, ff=2, bram18=3)
    assert found.total() == Resources(logic=1 + 2 * 310 + 100, ff=4, bram18=7)


def test_families_that_are_none_are_refused() -> None:
    for family in FAMILIES:
        check_family(family)
    for refused in (lambda: check_family("nexus"), lambda: synthesize(design(), "nexus")):
        with pytest.raises(HwError, match="family 'nexus': expected xcup, xc7, ecp5, ice40 or gowin"):
            refused()


@pytest.mark.parametrize("missing", ["module", "package"])
def test_without_yosys_the_remedy_is_named(missing: str, monkeypatch) -> None:
    if missing == "module":
        monkeypatch.setattr(synth, "find_spec", lambda name: None)
    else:
        monkeypatch.setattr(synth, "find_spec", lambda name: object())
        monkeypatch.setattr(synth, "version", absent)
    with pytest.raises(ToolError, match=r'pip install "\.\[synth\]"') as error:
        tool()
    assert error.value.exit_code == 3


def absent(name: str) -> str:
    raise synth.PackageNotFoundError(name)


@needs_yosys
def test_a_design_is_measured_once_and_remembered_by_content(tmp_path: Path, monkeypatch) -> None:
    """A parity of six inputs is one LUT6 beside its four registers; six inverters stand before one of the two."""
    cache = tmp_path / "cache"
    first = synthesize(design(), "xc7", cache=cache)
    assert first.total("inner") == Resources(logic=1, ff=4)
    assert first.total() == Resources(logic=2 + 6, ff=8)
    assert (first.family, first.top, first.below["outer"]) == ("xc7", "outer", {"inner": 2})
    [stored] = cache.iterdir()
    assert json.loads(stored.read_text())["family"] == "xc7"
    monkeypatch.setattr(synth.subprocess, "run", None)  # Yosys is not run again
    assert synthesize(design(), "xc7", cache=cache) == first
    for other in ((design(XOR.replace("^in0", "&in0")), "xc7"), (design(), "xcup")):
        with pytest.raises(TypeError):
            synthesize(*other, cache=cache)


@needs_yosys
def test_sources_that_yosys_refuses_are_told_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="(?s)Yosys failed on outer:.*ERROR"):
        synthesize(design("  assign out_valid == 1;\n"), cache=tmp_path)
    assert list(tmp_path.iterdir()) == []
