"""The AXI4-Stream core around a network (NAME_axi.sv): words in, words out, TLAST behind each result."""

from __future__ import annotations

from collections.abc import Sequence

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.words import Port, Words, words_of
from crq.hw.ir.ports import numbered
from crq.hw.rtl.generate import STREAM
from crq.hw.rtl.lines import wrapped
from crq.hw.rtl.verilog import instance

ONE = """// AXI4-Stream core: an image is {x.per_image} words of {x.bits} bits, its result {y.per_image} of {y.bits}.
// In each word {x.lanes} and {y.lanes} values, the first in the low bits, zeros above them. m_axis_tlast ends a result;
// s_axis_tlast is not needed: images follow each other. aresetn ends all images that are inside.
"""
SEVERAL = """// AXI4-Stream core. Of an image and its results:
{rows}// In each word the first value has the low bits, zeros above the last. TLAST ends a result; that of the inputs is
// not needed: images follow each other. aresetn ends all images that are inside. Give all inputs and take all results
// side by side: an input that does not come, or a result that is not taken, in the end stops the others.
"""
TOP = """{comment}module {name}_axi (
    input  wire aclk,
    input  wire aresetn,
{ports}
);
  wire rst = !aresetn;
{body}  wire unused = &{{{unused}}};
endmodule
"""
ENTERING = """    input  wire {s}_tvalid,
    output wire {s}_tready,
    input  wire [{top}:0] {s}_tdata,
    input  wire {s}_tlast"""
LEAVING = """    output wire {m}_tvalid,
    input  wire {m}_tready,
    output wire [{top}:0] {m}_tdata,
    output wire {m}_tlast"""


def axi_top(name: str, inputs: Sequence[Port], results: Sequence[Port]) -> str:
    """Verilog-2001, so that a block design takes it, and the modules below it SystemVerilog."""
    xs, ys = [words_of(port) for port in inputs], [words_of(port) for port in results]
    comment = ONE.format(x=xs[0], y=ys[0]) if len(xs) == len(ys) == 1 else _several(xs, ys)
    ports, unused, body, last = list[str](), list[str](), "", ""
    network = {"clk": "aclk", "rst": "rst"}
    for port, (source, words) in enumerate(zip(inputs, xs, strict=True)):
        axis, beat = numbered("s_axis", port), numbered("beat", port)
        ports.append(ENTERING.format(s=axis, top=words.bits - 1))
        unused += [f"{axis}_tdata", f"{axis}_tlast"]
        body += _entering(source, words, port)
        network |= {f"in{port}_{p}": f"{beat}_{p}" for p in STREAM}
    for port, (result, words) in enumerate(zip(results, ys, strict=True)):
        ports.append(LEAVING.format(m=numbered("m_axis", port), top=words.bits - 1))
        body += _leaving(result, words, port)
        network |= {f"{numbered('out', port)}_{p}": f"{numbered('result', port)}_{p}" for p in STREAM}
        last += _last(words, port)
    body += instance(name, "network", {}, network) + last
    text = TOP.format(comment=comment, name=name, ports=",\n".join(ports), body=body, unused=", ".join(unused))
    return wrapped(text)


def _several(xs: Sequence[Words], ys: Sequence[Words]) -> str:
    ends = [(numbered(kind, port), w) for kind, side in (("s_axis", xs), ("m_axis", ys)) for port, w in enumerate(side)]
    rows = (f"//   {name}: {w.per_image} words of {w.bits} bits, {w.lanes} values in each\n" for name, w in ends)
    return SEVERAL.format(rows="".join(rows))


def _entering(port: Port, words: Words, number: int) -> str:
    """Words become beats."""
    axis, beat, all_ = (numbered(name, number) for name in ("s_axis", "beat", "words"))
    text = f"  wire {beat}_valid, {beat}_ready;\n  wire [{port.bits - 1}:0] {beat}_data;\n"
    width = words.lanes * words.lane_bits
    if words.per_beat == 1:
        text += f"  assign {beat}_valid = {axis}_tvalid;\n  assign {axis}_tready = {beat}_ready;\n"
        return text + f"  assign {beat}_data = {axis}_tdata[{port.bits - 1}:0];\n"
    whole = width * words.per_beat
    text += f"  wire [{whole - 1}:0] {all_};\n  assign {beat}_data = {all_}[{port.bits - 1}:0];\n"
    if whole > port.bits:
        text += f"  wire unused_{all_} = &{all_}[{whole - 1}:{port.bits}];\n"
    return text + instance("crq_widen", all_, {"WIDTH": width, "N": words.per_beat}, {
        "clk": "aclk", "rst": "rst", "in_valid": f"{axis}_tvalid", "in_ready": f"{axis}_tready",
        "in_data": f"{axis}_tdata[{width - 1}:0]", "out_valid": f"{beat}_valid", "out_ready": f"{beat}_ready",
        "out_data": all_})  # fmt: skip


def _leaving(port: Port, words: Words, number: int) -> str:
    """Beats become words."""
    axis, result, one, all_ = (numbered(name, number) for name in ("m_axis", "result", "word", "results"))
    text = f"  wire {result}_valid, {result}_ready;\n  wire [{port.bits - 1}:0] {result}_data;\n"
    width = words.lanes * words.lane_bits
    if words.per_beat == 1:
        text += f"  assign {axis}_tvalid = {result}_valid;\n  assign {result}_ready = {axis}_tready;\n"
        return text + f"  assign {axis}_tdata = {_padded(f'{result}_data', words.bits - port.bits)};\n"
    whole = width * words.per_beat
    text += f"  wire [{width - 1}:0] {one};\n  assign {axis}_tdata = {_padded(one, words.bits - width)};\n"
    return text + instance("crq_narrow", all_, {"WIDTH": width, "N": words.per_beat}, {
        "clk": "aclk", "rst": "rst", "in_valid": f"{result}_valid", "in_ready": f"{result}_ready",
        "in_data": _padded(f"{result}_data", whole - port.bits), "out_valid": f"{axis}_tvalid",
        "out_ready": f"{axis}_tready", "out_data": one})  # fmt: skip


def _padded(name: str, zeros: int) -> str:
    return f"{{{zeros}'b0, {name}}}" if zeros else name


def _last(words: Words, number: int) -> str:
    """TLAST: the last word of a result, counted."""
    axis, count = numbered("m_axis", number), numbered("count", number)
    if words.per_image == 1:
        return f"  assign {axis}_tlast = 1'b1;\n"
    bits = clog2(words.per_image)
    last = f"{bits}'d{words.per_image - 1}"
    return f"""  reg [{bits - 1}:0] {count};
  assign {axis}_tlast = {count} == {last};
  always @(posedge aclk) begin
    if (rst) {count} <= {bits}'d0;
    else if ({axis}_tvalid && {axis}_tready) {count} <= {axis}_tlast ? {bits}'d0 : {count} + 1'b1;
  end
"""
