"""An AXI4-Stream top with TLAST around the top function (firmware/NAME_axi.cpp)."""

from __future__ import annotations

from collections.abc import Sequence

from crq.hw.dataflow.words import Words, words_of
from crq.hw.forms.render import render
from crq.hw.hls.plan import End, Plan, Stream, ends
from crq.hw.ir.ports import numbered


def has_axi_top(plan: Plan) -> bool:
    return plan.io_type == "io_stream"


def axi_cpp(plan: Plan, name: str) -> str:
    """Words in, words out, the first channel in the low bits; TLAST ends each image's result."""
    inputs, results = _ports("input", plan.inputs), _ports("result", plan.outputs)
    whole = all(words.per_beat == 1 for _, words, _ in (*inputs, *results))
    return render("crq.hw.hls", "axi.cpp", name=name, inputs=inputs, results=results, whole=whole)


def _ports(kind: str, streams: Sequence[Stream]) -> list[tuple[End, Words, str]]:
    """Each end with its words and the number behind the names that belong to it."""
    words, numbers = map(words_of, streams), (numbered("", port) for port in range(len(streams)))
    return list(zip(ends(kind, streams), words, numbers, strict=True))
