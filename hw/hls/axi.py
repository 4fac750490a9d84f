"""An AXI4-Stream top with TLAST around the top function (firmware/NAME_axi.cpp)."""

from __future__ import annotations

from typing import NamedTuple

from hw.dataflow.beats import MAX_BEAT_BITS
from hw.hls.plan import Plan, Stream
from hw.hls.render import render


class Words(NamedTuple):
    """How a stream passes a bus: each beat in `per_beat` words of `bits`, `lanes` channels of `lane_bits` in each."""

    bits: int
    lanes: int
    lane_bits: int
    per_beat: int
    per_image: int


def words_of(stream: Stream) -> Words:
    """The smallest words that AXI DMA takes, powers of two from 8 to 1,024 bits; wider beats are cut into several."""
    bits = stream.tensor.format.bits
    per_beat = -(-stream.beat // (MAX_BEAT_BITS // bits))
    lanes = -(-stream.beat // per_beat)
    return Words(max(8, 1 << (lanes * bits - 1).bit_length()), lanes, bits, per_beat, per_beat * stream.beats)


def has_axi_top(plan: Plan) -> bool:
    return plan.io_type == "io_stream"


def axi_cpp(plan: Plan, name: str) -> str:
    """Words in, words out, the first channel in the low bits; TLAST ends each image's result."""
    x, y = plan.input, plan.output
    return render("axi.cpp", name=name, x=x, y=y, x_words=words_of(x), y_words=words_of(y))
