"""The top function and its headers: golden texts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crq.hw.dataflow.units import Fold, units
from crq.hw.hls.emit import emit
from crq.hw.hls.firmware import bridge_cpp, defines_h, layer_h, parameters_h, prototype, top_cpp, top_h
from crq.hw.hls.plan import Plan, make_plan
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder


def residual(io_type: str) -> Plan:
    """x has two readers, of which one is a wide window: the other's FIFO is deep."""
    g = GraphBuilder((2, 4, 4), "UINT4", seed=1)
    h = g.threshold(g.conv("x", 2, pads=(1, 1, 1, 1)), 4)
    network = Network(g.finish(g.add(h, "x")))
    return make_plan(network, io_type, {u.name: Fold(2, u.fan_in) for u in units(network)})


STREAM, PARALLEL = residual("io_stream"), residual("io_parallel")
CALLS = [f"call{i}();" for i in range(3)]


def test_every_type_is_defined_once() -> None:
    text = defines_h(STREAM)
    assert [line for line in text.splitlines() if line.startswith("typedef")] == [
        "typedef nnet::array<ap_uint<4>, 2> input_t;",
        "typedef nnet::array<ap_uint<4>, 2> conv1_t;",
        "typedef nnet::array<ap_uint<5>, 2> result_t;",
    ]
    assert (
        "// A beat of a stream is an array of some channels of a pixel, or all; those of a pixel follow each other."
        in text
    )
    assert text.startswith("#ifndef DEFINES_H_\n#define DEFINES_H_\n")
    assert "typedef ap_uint<4> input_t;" in defines_h(PARALLEL)
    assert "// Arrays hold (height, width, channel)" in defines_h(PARALLEL)


def test_the_prototype_takes_streams_or_arrays() -> None:
    assert prototype(STREAM, "net") == "void net(hls::stream<input_t> &input, hls::stream<result_t> &result)"
    assert prototype(PARALLEL, "net") == "void net(const input_t input[32], result_t result[32])"


def test_the_header_says_what_goes_in_and_comes_out() -> None:
    text = top_h(STREAM, "net")
    assert text.startswith("#ifndef PROJECT_NET_H_\n#define PROJECT_NET_H_\n")
    assert "// input   4 x 4 pixels of 2 channels, uint4 codes\n" in text
    assert "// result  4 x 4 pixels of 2 channels, uint5 integers\n" in text
    assert f"{prototype(STREAM, 'net')};\n" in text


def test_a_streaming_top_declares_its_fifos_and_calls_in_order() -> None:
    depth = STREAM.depths["input_copy2"]
    assert depth > 2
    assert (
        top_cpp(STREAM, "net", CALLS).split('#include "parameters.h"\n\n')[1]
        == f"""\
void net(hls::stream<input_t> &input, hls::stream<result_t> &result) {{
    #pragma HLS INTERFACE mode=axis port=input
    #pragma HLS INTERFACE mode=axis port=result
    #pragma HLS DATAFLOW

    // Depths hold if every loop is pipelined in at most 64 stages: where branches join, a FIFO
    // takes what comes by one while the results of all loops of the others are on their way, or stalled in them.
    hls::stream<input_t> input_copy1("input_copy1");
    #pragma HLS STREAM variable=input_copy1 depth={STREAM.depths["input_copy1"]}
    #pragma HLS BIND_STORAGE variable=input_copy1 type=fifo impl=lutram
    hls::stream<input_t> input_copy2("input_copy2");
    #pragma HLS STREAM variable=input_copy2 depth={depth}
    #pragma HLS BIND_STORAGE variable=input_copy2 type=fifo impl=lutram
    hls::stream<conv1_t> conv1_out("conv1_out");
    #pragma HLS STREAM variable=conv1_out depth={STREAM.depths["conv1_out"]}
    #pragma HLS BIND_STORAGE variable=conv1_out type=fifo impl=lutram

    call0();
    call1(); CRQ_TRACE(conv1_out, 32)
    call2(); CRQ_TRACE(result, 32)
}}
"""
    )


def test_a_fifo_lies_where_the_estimate_has_it_and_one_of_two_beats_where_the_tool_wants() -> None:
    names = [s.name for s in STREAM.streams]
    sizes = dict(zip(names, (2, 512, 1 << 15), strict=True))
    text = top_cpp(replace(STREAM, depths=sizes), "net", CALLS)
    assert f"variable={names[0]} type=fifo" not in text
    assert f"#pragma HLS BIND_STORAGE variable={names[1]} type=fifo impl=lutram\n" in text
    assert f"#pragma HLS BIND_STORAGE variable={names[2]} type=fifo impl=bram\n" in text


def test_an_unrolled_top_declares_arrays_of_registers() -> None:
    text = top_cpp(PARALLEL, "net", CALLS)
    assert "    conv1_t conv1_out[32];\n    #pragma HLS ARRAY_PARTITION variable=conv1_out complete dim=0\n" in text
    assert "    #pragma HLS PIPELINE II=1\n" in text
    assert "hls::stream" not in text
    assert "DATAFLOW" not in text


def test_a_call_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        top_cpp(STREAM, "net", CALLS[:2])


def test_layers_include_their_tables_if_they_have_any() -> None:
    copy, conv, add = STREAM.processes
    text = layer_h(conv, emit(conv, "io_stream"))
    assert text.startswith("#ifndef LAYER_CONV1_H_\n#define LAYER_CONV1_H_\n")
    assert '#include "../weights/conv1.h"' in text
    assert (
        text.index("// conv1: 3x3 convolution") < text.index("struct conv1_config {") < text.index("inline void conv1(")
    )
    for process in (copy, add):
        assert "../weights/" not in layer_h(process, emit(process, "io_stream"))
    assert "struct" not in layer_h(copy, emit(copy, "io_stream"))


def test_every_layer_is_included_in_order() -> None:
    included = [line for line in parameters_h(STREAM).splitlines() if line.startswith("#include")]
    assert included == [f'#include "layers/{name}.h"' for name in ("copy_input", "conv1", "add3")]


def test_the_bridge_passes_images_as_plain_integers() -> None:
    text = bridge_cpp(STREAM, "net")
    assert 'extern "C" unsigned crq_run(const int *codes, long long *integers, long images, long long *trace) {' in text
    assert "hls::stream<input_t> input" in text
    assert "net(input, result);" in text
    assert "input_t input[32];" in bridge_cpp(PARALLEL, "net")
