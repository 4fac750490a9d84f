"""The comment above each layer of the firmware."""

from __future__ import annotations

from crq.hw.dataflow.schedule import cycles
from crq.hw.forms.comments import Described, comment, pair
from crq.hw.graphs.layer import HLS_OPERANDS
from crq.hw.hls.plan import Process


def describe(process: Process, streaming: bool) -> str:
    """A `//` comment of several lines."""
    if process.unit is None:
        return f"// {_between(process)}"
    loop = process.loop
    return comment(
        Described(
            process.name,
            process.unit,
            process.fold,
            HLS_OPERANDS,
            tuple(s.tensor for s in process.inputs),
            tuple(s.beat for s in (*process.inputs, process.output)),
            cycles(process.unit, process.fold).steps if streaming else None,
            process.cycles,
            f"folded: {loop.rows} rows of {loop.ring.row_words} words in one memory" if loop else "",
        )  # fmt: skip
    )


def _between(process: Process) -> str:
    x, y, window = process.input, process.output, process.window
    if window is not None:
        return f"{process.name}: of {x.name} every row and column {pair(window.stride)} apart; the others are dropped."
    if x.beat != y.beat:
        return f"{process.name}: beats of {x.beat} channels of {x.name} become beats of {y.beat}."
    return f"{process.name}: copies {x.name} for its {len(process.outputs)} readers."
