"""The AXI4-Stream core around a network (NAME_axi.sv): words in, words out, TLAST behind each result."""

from __future__ import annotations

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.words import Port, Words, words_of
from crq.hw.rtl.lines import wrapped
from crq.hw.rtl.verilog import instance

TOP = """// AXI4-Stream core: an image is {x.per_image} words of {x.bits} bits, its result {y.per_image} of {y.bits}.
// In each word {x.lanes} and {y.lanes} values, the first in the low bits, zeros above them. m_axis_tlast ends a result;
// s_axis_tlast is not needed: images follow each other. aresetn ends all images that are inside.
module {name}_axi (
    input  wire aclk,
    input  wire aresetn,
    input  wire s_axis_tvalid,
    output wire s_axis_tready,
    input  wire [{x_top}:0] s_axis_tdata,
    input  wire s_axis_tlast,
    output wire m_axis_tvalid,
    input  wire m_axis_tready,
    output wire [{y_top}:0] m_axis_tdata,
    output wire m_axis_tlast
);
  wire rst = !aresetn;
{body}  wire unused = &{{s_axis_tdata, s_axis_tlast}};
endmodule
"""


def axi_top(name: str, source: Port, result: Port) -> str:
    """Verilog-2001, so that a block design takes it, and the modules below it SystemVerilog."""
    x, y = words_of(source), words_of(result)
    body = _entering(source, x) + _leaving(result, y)
    ports = {"clk": "aclk", "rst": "rst"}
    ports |= {f"in0_{p}": f"beat_{p}" for p in ("valid", "ready", "data")}
    ports |= {f"out_{p}": f"result_{p}" for p in ("valid", "ready", "data")}
    body += instance(name, "network", {}, ports) + _last(y)
    return wrapped(TOP.format(name=name, x=x, y=y, x_top=x.bits - 1, y_top=y.bits - 1, body=body))


def _entering(port: Port, words: Words) -> str:
    """Words become beats."""
    text = f"  wire beat_valid, beat_ready;\n  wire [{port.bits - 1}:0] beat_data;\n"
    width = words.lanes * words.lane_bits
    if words.per_beat == 1:
        text += "  assign beat_valid = s_axis_tvalid;\n  assign s_axis_tready = beat_ready;\n"
        return text + f"  assign beat_data = s_axis_tdata[{port.bits - 1}:0];\n"
    whole = width * words.per_beat
    text += f"  wire [{whole - 1}:0] words;\n  assign beat_data = words[{port.bits - 1}:0];\n"
    if whole > port.bits:
        text += f"  wire unused_words = &words[{whole - 1}:{port.bits}];\n"
    return text + instance("crq_widen", "words", {"WIDTH": width, "N": words.per_beat}, {
        "clk": "aclk", "rst": "rst", "in_valid": "s_axis_tvalid", "in_ready": "s_axis_tready",
        "in_data": f"s_axis_tdata[{width - 1}:0]", "out_valid": "beat_valid", "out_ready": "beat_ready",
        "out_data": "words"})  # fmt: skip


def _leaving(port: Port, words: Words) -> str:
    """Beats become words."""
    text = f"  wire result_valid, result_ready;\n  wire [{port.bits - 1}:0] result_data;\n"
    width = words.lanes * words.lane_bits
    if words.per_beat == 1:
        text += "  assign m_axis_tvalid = result_valid;\n  assign result_ready = m_axis_tready;\n"
        return text + f"  assign m_axis_tdata = {_padded('result_data', words.bits - port.bits)};\n"
    whole = width * words.per_beat
    text += f"  wire [{width - 1}:0] word;\n  assign m_axis_tdata = {_padded('word', words.bits - width)};\n"
    return text + instance("crq_narrow", "results", {"WIDTH": width, "N": words.per_beat}, {
        "clk": "aclk", "rst": "rst", "in_valid": "result_valid", "in_ready": "result_ready",
        "in_data": _padded("result_data", whole - port.bits), "out_valid": "m_axis_tvalid",
        "out_ready": "m_axis_tready", "out_data": "word"})  # fmt: skip


def _padded(name: str, zeros: int) -> str:
    return f"{{{zeros}'b0, {name}}}" if zeros else name


def _last(words: Words) -> str:
    """TLAST: the last word of a result, counted."""
    if words.per_image == 1:
        return "  assign m_axis_tlast = 1'b1;\n"
    bits = clog2(words.per_image)
    last = f"{bits}'d{words.per_image - 1}"
    return f"""  reg [{bits - 1}:0] count;
  assign m_axis_tlast = count == {last};
  always @(posedge aclk) begin
    if (rst) count <= {bits}'d0;
    else if (m_axis_tvalid && m_axis_tready) count <= m_axis_tlast ? {bits}'d0 : count + 1'b1;
  end
"""
