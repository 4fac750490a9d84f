"""The streams between units, as rows of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.streams import fifo_depths
from crq.hw.dataflow.timing import Timing
from crq.hw.dataflow.units import Fold, units
from crq.hw.ir.graph import Network
from crq.hw.ir.ports import numbered

INPUT, OUTPUT = "input", "output"
"""Ends of the network among the names of units, which no unit has: a layer is named after a tensor of its own."""


def streams(network: Network, folds: Mapping[str, Fold], io_type: str, timing: Timing) -> list[dict[str, Any]]:
    """One row per stream, in the order of their readers: `from` and `to`, channels per `beat`, `bits` of one, and the
    `depth` of its FIFO in beats (0: none). With io_parallel a beat is the whole tensor, without FIFOs."""
    whole = io_type == "io_parallel"
    beats = {} if whole else stream_beats(network, folds)
    depths = {} if whole else fifo_depths(network, folds, timing)
    givers = {tensor.name: numbered(INPUT, port) for port, tensor in enumerate(network.inputs)}
    givers |= {unit.output.name: unit.name for unit in units(network)}
    rows = []
    for unit in units(network):
        for i, (source, tensor) in enumerate(zip(unit.sources, unit.inputs, strict=True)):
            rows.append(
                {
                    "from": givers[source.name], "to": unit.name, "bits": tensor.format.bits,
                    "beat": source.shape.size if whole else beats[source.name], "depth": depths.get((unit.name, i), 0),
                }
            )  # fmt: skip
    for port, last in enumerate(network.leaving):
        beat, end = last.shape.size if whole else beats[last.name], numbered(OUTPUT, port)
        rows.append({"from": givers[last.name], "to": end, "bits": last.format.bits, "beat": beat, "depth": 0})
    return rows
