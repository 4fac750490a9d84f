"""SystemVerilog of one pixel of an unrolled unit: a value per channel, its code, and a register."""

from __future__ import annotations

from crq.hw.dataflow.names import bounded
from crq.hw.dataflow.units import Unit
from crq.hw.dataflow.unrolled import codes
from crq.hw.ir.layers import Add, Bias, Format, Mac, MaxPool, Negate
from crq.hw.rtl.elements import CodeLanes, add_lanes, widened
from crq.hw.rtl.verilog import Design, clocked_module, constant, instance


def pixel_module(unit: Unit, design: Design) -> str:
    """Adds the module of a pixel of `unit` and returns its name. It takes that pixel of each input, or, of a
    convolution or dense layer, its finished sums."""
    name, channels = f"{bounded(unit.name)}_pixel", unit.output.shape.c
    formats = [sums_format(unit)] if isinstance(unit.layer, Mac) else [t.format for t in unit.inputs]
    text, source, x = _values(unit, formats)
    found, out = codes(unit), unit.output.format
    if found is not None:
        text += f"  wire [{channels * out.bits - 1}:0] results;\n"
        lanes = CodeLanes(bounded(unit.name), *found, channels)
        text, source = text + lanes.text(design, source, x, "results", "en", "en")[0], "results"
    inputs = {f"in{i}": channels * fmt.bits for i, fmt in enumerate(formats)}
    _add(design, name, inputs, channels * out.bits, text, source, f"A pixel of {unit.layer.kind} {unit.name}")
    return name


def sums_format(unit: Unit) -> Format:
    """Of the sums of a convolution or dense layer."""
    found = codes(unit)
    return Format(found[0].width, True) if found else unit.output.format


def _values(unit: Unit, formats: list[Format]) -> tuple[str, str, Format]:
    """(text, vector, format) of a value per channel."""
    layer, x, out, channels = unit.layer, formats[0], unit.layer.output.format, range(unit.output.shape.c)
    if isinstance(layer, Add):
        text = add_lanes(layer, len(channels), "in0", "in1", "values")
    elif isinstance(layer, (Bias, Negate)):
        text = ""
        for c in channels:
            wide = f"{{{widened('in0', c, x.bits, out.bits, x.signed)}}}"
            if isinstance(layer, Bias):
                value = f"{wide} + {constant(int(layer.values[c]), out.bits)}"
            else:
                value = f"-{wide}" if layer.signs[c] < 0 else wide
            text += f"  assign values[{c * out.bits}+:{out.bits}] = {value};\n"
    else:
        return "", "in0", x
    return f"  wire [{len(channels) * out.bits - 1}:0] values;\n{text}", "values", out


def maximum_module(unit: Unit, inside: int, design: Design) -> str:
    """Adds the module of the largest of `inside` pixels, per channel, and returns its name."""
    assert isinstance(unit.layer, MaxPool)
    name, channels, fmt = f"{bounded(unit.name)}_largest{inside}", unit.output.shape.c, unit.output.format
    text = f"  wire [{channels * fmt.bits - 1}:0] largest;\n"
    for c in range(channels):
        operands = [f"in0[{(t * channels + c) * fmt.bits}+:{fmt.bits}]" for t in reversed(range(inside))]
        text += instance("crq_max", f"max{c}", {"N": inside, "BITS": fmt.bits, "SIGNED": int(fmt.signed)}, {
            "d": f"{{{', '.join(operands)}}}", "q": f"largest[{c * fmt.bits}+:{fmt.bits}]"})  # fmt: skip
    inputs = {"in0": inside * channels * fmt.bits}
    _add(design, name, inputs, channels * fmt.bits, text, "largest", f"The largest of {inside} pixels")
    return name


def _add(
    design: Design, name: str, inputs: dict[str, int], bits: int, text: str, source: str, summary: str
) -> None:  # fmt: skip
    body = f"{text}  always_ff @(posedge clk) if (en) out <= {source};\n"
    design.sources[f"{name}.sv"] = clocked_module(name, inputs, bits, body, summary)
