"""An AXI4-Stream top with TLAST around the top function (firmware/NAME_axi.cpp)."""

from __future__ import annotations

from hw.hls.plan import Plan, Stream

MAX_BUS_BITS = 4096  # of an AXI4-Stream TDATA that DMAs and switches take


def bus_bits(stream: Stream) -> int:
    """Bits of TDATA: all channels of a pixel, whole bytes."""
    return -(-stream.shape.c * stream.tensor.format.bits // 8) * 8


def has_axi_top(plan: Plan) -> bool:
    return plan.io_type == "io_stream" and max(bus_bits(plan.input), bus_bits(plan.output)) <= MAX_BUS_BITS


def axi_cpp(plan: Plan, name: str) -> str:
    """Words in, words out, channel 0 in the low bits; TLAST ends each image's result."""
    x, y = plan.input, plan.output
    xb, yb = x.tensor.format.bits, y.tensor.format.bits
    return f"""// AXI4-Stream top of {name}: one pixel per word, channel 0 in the low bits.
// TLAST marks the last word of a result.
// To use it, set the top to {name}_axi and add this file to the project.

#include "ap_axi_sdata.h"
#include "{name}.h"

typedef ap_axiu<{bus_bits(x)}, 0, 0, 0> input_word;
typedef ap_axiu<{bus_bits(y)}, 0, 0, 0> result_word;

static void from_axi(hls::stream<input_word> &in, hls::stream<input_t> &out) {{
Pixels:
    for (unsigned p = 0; p < {x.shape.pixels}; p++) {{
        #pragma HLS PIPELINE II=1
        const input_word word = in.read();
        input_t beat;
    Channels:
        for (unsigned c = 0; c < {x.shape.c}; c++) {{
            #pragma HLS UNROLL
            beat[c] = word.data.range({xb} * c + {xb - 1}, {xb} * c);
        }}
        out.write(beat);
    }}
}}

static void to_axi(hls::stream<result_t> &in, hls::stream<result_word> &out) {{
Pixels:
    for (unsigned p = 0; p < {y.shape.pixels}; p++) {{
        #pragma HLS PIPELINE II=1
        const result_t beat = in.read();
        result_word word;
        word.data = 0;
        word.keep = -1;
        word.strb = -1;
        word.last = p + 1 == {y.shape.pixels};
    Channels:
        for (unsigned c = 0; c < {y.shape.c}; c++) {{
            #pragma HLS UNROLL
            word.data.range({yb} * c + {yb - 1}, {yb} * c) = beat[c];
        }}
        out.write(word);
    }}
}}

void {name}_axi(hls::stream<input_word> &input, hls::stream<result_word> &result) {{
    #pragma HLS INTERFACE axis port=input
    #pragma HLS INTERFACE axis port=result
    #pragma HLS INTERFACE ap_ctrl_none port=return
    #pragma HLS DATAFLOW
    hls::stream<input_t> codes("codes");
    #pragma HLS STREAM variable=codes depth=2
    hls::stream<result_t> integers("integers");
    #pragma HLS STREAM variable=integers depth=2
    from_axi(input, codes);
    {name}(codes, integers);
    to_axi(integers, result);
}}
"""
