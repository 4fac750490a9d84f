"""An AXI4-Stream top with TLAST around the top function (firmware/NAME_axi.cpp)."""

from __future__ import annotations

from crq.hw.dataflow.words import words_of
from crq.hw.forms.render import render
from crq.hw.hls.plan import Plan


def has_axi_top(plan: Plan) -> bool:
    return plan.io_type == "io_stream"


def axi_cpp(plan: Plan, name: str) -> str:
    """Words in, words out, the first channel in the low bits; TLAST ends each image's result."""
    x, y = plan.input, plan.output
    return render("crq.hw.hls", "axi.cpp", name=name, x=x, y=y, x_words=words_of(x), y_words=words_of(y))
