"""How types are spelled, and the frame of a process."""

from __future__ import annotations

from dataclasses import replace

from crq.hw.dataflow.units import Fold
from crq.hw.hls.plan import make_plan
from crq.hw.hls.source import Source, cpp_type, number, stream_type
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format
from tests.support.random_graphs import GraphBuilder


def test_types() -> None:
    assert cpp_type(Format(5, True)) == "ap_int<5>"
    assert cpp_type(Format(12, False)) == "ap_uint<12>"
    g = GraphBuilder((3, 2, 2), "INT4")
    stream = make_plan(Network(g.finish(g.bias("x"))), "io_stream", {"bias1": Fold(1)}).inputs[0]
    assert stream_type(stream, "io_stream") == "nnet::array<ap_int<4>, 1>"
    assert stream_type(replace(stream, beat=3), "io_stream") == "nnet::array<ap_int<4>, 3>"
    assert stream_type(stream, "io_parallel") == "ap_int<4>"


def test_the_frame_of_a_process() -> None:
    g = GraphBuilder((3, 2, 2), "INT4")
    [process] = make_plan(Network(g.finish(g.bias("x"))), "io_stream", {"bias1": Fold(3)}).processes
    source = Source(process, "io_stream")
    made = source.made([number("a", 1), number("b", -1, "int")], [source.kernel("k", "more")])
    assert made.config == "struct bias1_config {\n    static const unsigned a = 1;\n    static const int b = -1;\n};"
    head = "inline void bias1(hls::stream<input_t> &in, hls::stream<result_t> &out) {"
    assert made.function == f"{head}\n    crq::k<input_t, result_t, bias1_config>(in, out, more);\n}}"
    assert made.call == "bias1(input, result);"
    assert source.made([], []).config == ""
