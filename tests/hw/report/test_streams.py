"""Rows of streams against the graph they are of."""

from __future__ import annotations

from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.streams import fifo_depths
from crq.hw.dataflow.timing import HLS
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.streams import INPUT, OUTPUT, streams
from tests.support.random_graphs import residual_net


def test_rows_are_the_graphs_edges_with_their_beats_and_fifos() -> None:
    network = Network(residual_net(1, size=4))
    folds = choose(network)
    rows = streams(network, folds, "io_stream", HLS)
    assert [row["from"] for row in rows].count(INPUT) >= 1
    assert [row["to"] for row in rows].count(OUTPUT) == 1
    depths, beats = fifo_depths(network, folds, HLS), set(stream_beats(network, folds).values())
    assert sorted(row["depth"] for row in rows if row["to"] != OUTPUT) == sorted(depths.values())
    assert {row["beat"] for row in rows} <= beats
    assert max(row["bits"] for row in rows) <= 32


def test_an_unrolled_network_has_whole_tensors_and_no_fifos() -> None:
    network = Network(residual_net(1, size=4))
    rows = streams(network, choose(network), "io_parallel", HLS)
    assert {row["depth"] for row in rows} == {0}
    assert rows[0]["beat"] == network.inputs[0].shape.size
