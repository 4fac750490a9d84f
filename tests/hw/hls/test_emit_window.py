"""C++ of windowed layers: their memories, configurations and widths. What they compute: tests/hw/hls/test_emit.py."""

from __future__ import annotations

import re

import pytest

from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.hls.emit import emit
from crq.hw.hls.emit_window import fast_lane, partial_bits
from crq.hw.hls.plan import Process, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format
from tests.support.random_graphs import GraphBuilder

SAME = (1, 1, 1, 1)


def one(g: GraphBuilder, output: str, io_type: str = "io_stream", fold: Fold | None = None) -> Process:
    network = Network(g.finish(output))
    plan = make_plan(network, io_type, {u.name: fold or Fold(1, 1) for u in units(network)})
    return plan.processes[-1]


@pytest.mark.parametrize(
    ("rom", "impl"), [("auto", "lutram"), ("lut", "lutram"), ("bram", "bram")]
)  # fmt: skip
def test_the_weights_of_a_folded_layer_are_bound_to_their_memory(rom: str, impl: str) -> None:
    g = GraphBuilder((2, 5, 5), "UINT4")
    made = emit(one(g, g.conv("x", 4), fold=Fold(2, 6, rom)), "io_stream")
    assert f"#pragma HLS BIND_STORAGE variable=conv1_weights type=rom_1p impl={impl}" in made.function


def test_unrolled_weights_are_bound_to_no_memory() -> None:
    g = GraphBuilder((2, 5, 5), "UINT4")
    h = g.conv("x", 4)
    assert "BIND_STORAGE" not in emit(one(g, h, fold=Fold(4, 18)), "io_stream").function
    parallel = emit(one(g, h, "io_parallel", Fold(4, 18)), "io_parallel").function
    assert "weights" not in parallel
    assert "#pragma HLS INLINE" in parallel


def test_a_configuration_holds_the_geometry() -> None:
    g = GraphBuilder((2, 6, 5), "INT4")
    config = emit(one(g, g.conv("x", 4, (3, 2), (2, 1), (1, 0, 0, 1), (1, 2), 2), fold=Fold(2, 3)), "io_stream").config
    for name, value in {
        "in_height": 6, "in_width": 5, "in_channels": 2, "out_height": 3, "out_width": 4, "out_channels": 4,
        "kernel_height": 3, "kernel_width": 2, "stride_height": 2, "stride_width": 1, "dilation_height": 1,
        "dilation_width": 2, "pad_top": 1, "pad_left": 0, "pad_bottom": 0, "pad_right": 1, "groups": 2, "pe": 2,
        "simd": 3,
    }.items():  # fmt: skip
        assert f"static const unsigned {name} = {value};" in config
    assert config.startswith("struct conv1_config {")
    assert "static const bool ternary = true;" in config


def test_line_buffers_have_their_distance_as_a_number() -> None:
    g = GraphBuilder((2, 5, 6), "UINT4")
    made = emit(one(g, g.conv("x", 4, pads=SAME), fold=Fold(2, 6)), "io_stream").function
    assert "input_t::value_type lines[2][8][2];" in made
    assert "#pragma HLS DEPENDENCE variable=lines inter RAW distance=8 true" in made
    assert "DEPENDENCE" not in emit(one(g, g.conv("x", 4, (1, 1)), fold=Fold(2, 2)), "io_stream").function


@pytest.mark.parametrize(("width", "impl"), [(64, "lutram"), (128, "bram")])  # 4 rows of words of 16 bits
def test_the_rows_of_a_folded_layer_are_bound_to_their_memory(width: int, impl: str) -> None:
    g = GraphBuilder((4, 5, width), "UINT4")
    made = emit(one(g, g.conv("x", 4, pads=SAME), fold=Fold(2, 4, form=FOLDED)), "io_stream")
    assert f"#pragma HLS BIND_STORAGE variable=buffer type=ram_s2p impl={impl}" in made.function
    assert "crq::mac_folded<input_t, result_t, conv1_config>(in, out, buffer, conv1_weights," in made.function
    facts = dict(re.findall(r"static const (?:unsigned|int|bool) (\w+) = (-?\w+);", made.config))
    assert (facts["word"], facts["pixel_words"], facts["ring_rows"], facts["lanewise"]) == ("4", "1", "4", "false")
    assert int(facts["first_words"]) == width + 2  # a row above and two pixels of the one below
    assert (facts["until_first"], facts["until_low"]) == ("2", "2")


@pytest.mark.parametrize("data", [Format(1, False), Format(4, False), Format(8, False), Format(4, True)])
@pytest.mark.parametrize("weight_bits", [2, 4, 8])
@pytest.mark.parametrize("simd", [1, 2, 3, 8, 9])
def test_the_sum_of_a_cycle_fits_its_width(data: Format, weight_bits: int, simd: int) -> None:
    """Signed, whatever signs operands and weights have."""
    x = [-(1 << (data.bits - 1)), (1 << (data.bits - 1)) - 1] if data.signed else [0, (1 << data.bits) - 1]
    w = [-(1 << (weight_bits - 1)), (1 << (weight_bits - 1)) - 1]
    products = [a * b * simd for a in x for b in w]
    bits = partial_bits(data, weight_bits, simd)
    assert -(1 << (bits - 1)) <= min(products)
    assert max(products) < 1 << (bits - 1)


@pytest.mark.parametrize(
    ("accum", "data", "ternary", "expected"),
    [
        (Format(16, True), Format(8, False), True, "unsigned short"),
        (Format(17, True), Format(8, False), True, "unsigned int"),
        (Format(9, True), Format(16, False), True, "unsigned int"),  # the operand and its sign need 17
        (Format(9, True), Format(8, False), False, "unsigned int"),
        (Format(32, True), Format(8, False), False, "unsigned int"),
        (Format(33, True), Format(8, False), True, "unsigned long long"),
    ],
)
def test_lanes_of_the_fast_simulation_hold_the_accumulator(accum, data, ternary: bool, expected: str) -> None:
    assert fast_lane(accum, data, ternary) == expected
