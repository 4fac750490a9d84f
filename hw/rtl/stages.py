"""SystemVerilog of what follows the sums of a unit: its thresholds, and the register of its result."""

from __future__ import annotations

from crq.hw.dataflow.names import bounded
from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.dataflow.units import Fold, Unit
from crq.hw.rtl.sequential import sequential_stage
from crq.hw.rtl.thresholds import compare_lanes
from crq.hw.rtl.verilog import Design, instance


def stage_of(design: Design, unit: Unit, fold: Fold, found: Table | Ramp | None, width: int) -> str:
    """From `sums` (PE of `width` bits), valid while `done`, to the unit's output; `free` when it takes them.

    Thresholds read `signed_sums`.
    """
    bits, lanes = unit.output.format.bits, fold.pe
    if stage(unit, fold).kind == "none":
        parts = ", ".join(f"sums[{lane * width}+:{bits}]" for lane in reversed(range(lanes)))
        return (
            "  assign out_valid = done;\n  assign free = out_ready;\n"
            f"  assign out_data = {{{parts}}};\n  wire unused_sums = &signed_sums;\n"
        )
    assert found is not None
    chosen = stage(unit, fold)
    if chosen.kind in ("lut", "bram", "ramp"):
        text = "  wire load = done && free;\n"
        return text + sequential_stage(
            design, bounded(unit.name), found, lanes, chosen.searchers, chosen.kind, "signed_sums", fold.quick
        )
    text = f"  wire [{lanes * bits - 1}:0] codes;\n"
    compared, latency = compare_lanes(
        design, bounded(unit.name), found, lanes, "signed_sums", "codes", "free", "done", fold.quick
    )
    return text + compared + output(lanes * bits, "done", "codes", latency)


def output(width: int, valid: str, data: str, latency: int = 0) -> str:
    """The register of the result; `valid` belongs to what entered `latency` cycles before `data`."""
    text, push = "", valid
    if latency:
        text += "  wire valid_code;\n" + instance("crq_delay", "search", {"WIDTH": 1, "DEPTH": latency}, {
            "clk": "clk", "rst": "rst", "en": "free", "d": valid, "q": "valid_code"})  # fmt: skip
        push = "valid_code"
    return text + instance("crq_output", "result", {"WIDTH": width}, {
        "clk": "clk", "rst": "rst", "push": push, "free": "free", "d": data, "out_valid": "out_valid",
        "out_ready": "out_ready", "out_data": "out_data"})  # fmt: skip
