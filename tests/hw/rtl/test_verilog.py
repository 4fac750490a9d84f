"""Pieces of SystemVerilog: constants, concatenations and memory images mean the integers they are made of."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.rtl.verilog import (
    Design,
    clocked_module,
    constant,
    held_back,
    instance,
    library,
    literal,
    module,
    slices,
    words,
)


def read(text: str) -> tuple[int, int]:
    """(width, value) of a sized hexadecimal constant."""
    width, digits = re.fullmatch(r"(\d+)'h([0-9a-f]+)", text).groups()
    return int(width), int(digits, 16)


@given(st.lists(st.booleans(), min_size=1, max_size=80))
def test_a_literal_has_its_first_bit_lowest(bits: list[bool]) -> None:
    width, value = read(literal(int(b) for b in bits))
    assert width == len(bits)
    assert [bool(value >> i & 1) for i in range(width)] == bits
    assert value >> width == 0


@given(st.integers(1, 70), st.data())
def test_a_constant_is_twos_complement(width: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(1 << (width - 1)), (1 << (width - 1)) - 1))
    found_width, found = read(constant(value, width))
    assert found_width == width
    assert 0 <= found < 1 << width
    assert found - (found >> (width - 1) << width) == value


def test_constants_by_hand() -> None:
    assert constant(-1, 4) == "4'hf"
    assert constant(-8, 4) == "4'h8"
    assert literal([1, 0, 0, 0, 1]) == "5'h11"
    assert slices("w", [4, 5, 0], 3) == "{w[0+:3], w[12+:6]}"


@given(st.lists(st.integers(0, 12), min_size=1, max_size=20), st.integers(1, 5), st.integers(0, (1 << 65) - 1))
def test_slices_pick_elements_the_first_one_lowest(elements: list[int], width: int, vector: int) -> None:
    parts = re.findall(r"v\[(\d+)\+:(\d+)\]", slices("v", elements, width))
    value = shift = 0
    for low, size in reversed([(int(a), int(b)) for a, b in parts]):  # a concatenation lists its highest part first
        value |= (vector >> low & (1 << size) - 1) << shift
        shift += size
    assert shift == len(elements) * width
    mask = (1 << width) - 1
    assert [value >> (i * width) & mask for i in range(len(elements))] == [
        vector >> (e * width) & mask for e in elements
    ]


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 5), st.data())
def test_words_of_a_memory_hold_their_row(width: int, columns: int, depth: int, data: st.DataObject) -> None:
    ends = -(1 << (width - 1)), (1 << (width - 1)) - 1
    rows = [data.draw(st.lists(st.integers(*ends), min_size=columns, max_size=columns)) for _ in range(depth)]
    lines = words(np.array(rows, np.int64), width).splitlines()
    assert len(lines) == depth
    for line, row in zip(lines, rows, strict=True):
        fields = [int(line, 16) >> (i * width) & (1 << width) - 1 for i in range(columns)]
        assert [f - (f >> (width - 1) << width) for f in fields] == row
        assert int(line, 16) >> (columns * width) == 0


def test_words_by_hand() -> None:
    assert words(np.array([[1, -1], [-2, 3]]), 4) == "f1\n3e\n"


def test_an_instance_names_its_ports_and_its_parameters_only_if_it_has_any() -> None:
    text = instance("crq_fifo", "a", {"WIDTH": 3, "FILE": '"x.mem"'}, {"clk": "clk", "d": "{x, y}"})
    assert " ".join(text.split()) == 'crq_fifo #(.WIDTH(3), .FILE("x.mem")) u_a ( .clk(clk), .d({x, y}) );'
    assert " ".join(instance("unit_a", "a", {}, {"clk": "clk"}).split()) == "unit_a u_a ( .clk(clk) );"


def test_a_module_has_a_stream_for_each_input_and_one_output() -> None:
    text = module("unit_a", {"in0": 8, "in1": 1}, {"out": 12}, "  assign out_valid = in0_valid;\n", "What it is.")
    lines = text.splitlines()
    assert lines[0] == "// What it is."
    assert lines[-2:] == ["  assign out_valid = in0_valid;", "endmodule"]
    ports = re.findall(r"(input|output) logic (?:\[(\d+):0\] )?(\w+)", text)
    data = [(direction, name, int(high)) for direction, high, name in ports if high]
    assert data == [("input", "in0_data", 7), ("input", "in1_data", 0), ("output", "out_data", 11)]
    wires = [(direction, name) for direction, high, name in ports if not high]
    assert wires == [
        ("input", "clk"), ("input", "rst"), ("input", "in0_valid"), ("output", "in0_ready"), ("input", "in1_valid"),
        ("output", "in1_ready"), ("output", "out_valid"), ("input", "out_ready"),
    ]  # fmt: skip


def test_every_file_of_the_library_holds_the_module_it_is_named_after() -> None:
    found = library()
    assert "crq_fifo.sv" in found
    for name, text in found.items():
        assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [name.removesuffix(".sv")]
    used = {kind for text in found.values() for kind in re.findall(r"\b(crq_\w+) (?:#|u_)", text)}
    assert {f"{name}.sv" for name in used} <= found.keys()


def test_designs_share_nothing() -> None:
    one, other = Design("a"), Design("b")
    one.sources["a.sv"], one.memories["a.mem"] = "", ""
    assert not other.sources
    assert not other.memories


def test_elements_below_zero_are_zeros() -> None:
    assert slices("v", [-1, -1, 2, 3, -1, 0], 4) == "{v[0+:4], 4'b0, v[8+:8], 8'b0}"


def test_a_clocked_module_has_no_handshake() -> None:
    text = clocked_module("m", {"in0": 8}, 4, "  assign out = in0[3:0];\n", "What it is.")
    assert text.startswith("// What it is.\n(* keep_hierarchy *)\nmodule m (\n    input logic clk,\n")
    assert "input logic [7:0] in0,\n    output logic [3:0] out\n);" in text


def test_a_vector_is_held_back_by_as_many_registers() -> None:
    assert held_back(4, "x", "en", 0) == ("", "x")
    text, name = held_back(4, "x", "go", 2)
    assert name == "x_held1"
    assert "if (go) begin\n      x_held0 <= x;\n      x_held1 <= x_held0;" in text
