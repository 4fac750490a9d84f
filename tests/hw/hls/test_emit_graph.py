"""C++ of adder graphs: a statement per adder, exact widths, names of inputs. Results: tests/hw/hls/test_emit.py."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crq.hw.dataflow.units import Fold, units
from crq.hw.graphs.layer import HLS_OPERANDS, layer_graph
from crq.hw.hls.emit import emit
from crq.hw.hls.plan import Process, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv, Dense
from tests.support.random_graphs import GraphBuilder


def process(weights: np.ndarray, io_type: str = "io_parallel", dtype: str = "UINT2", group: int = 1) -> Process:
    g = GraphBuilder((weights.shape[1] * group, 4, 4), dtype)
    kind = "TERNARY" if np.abs(weights).max() < 2 else "INT8"
    model = g.finish(g.conv("x", len(weights), weights.shape[2:], weights=weights, group=group, weight_type=kind))
    network = Network(model)
    folds = {u.name: Fold(len(weights), int(np.prod(weights.shape[1:]))) for u in units(network)}
    return make_plan(network, io_type, folds).processes[-1]


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_every_adder_is_a_statement(io_type: str) -> None:
    weights = np.random.default_rng(0).integers(-1, 2, (6, 3, 3, 3))
    unrolled = process(weights, io_type)
    made = emit(unrolled, io_type)
    assert unrolled.unit is not None
    assert isinstance(unrolled.unit.layer, (Conv, Dense))
    graph = layer_graph(unrolled.unit.layer, HLS_OPERANDS)
    found = re.findall(r"const (ap_u?int<\d+>) v(\d+) = (.*);", made.config)
    assert [int(number) for _, number, _ in found] == list(range(len(graph.taps) + len(graph.adders)))
    for (kind, _, text), fmt in zip(found, graph.formats, strict=True):
        assert kind == f"ap_{'' if fmt.signed else 'u'}int<{fmt.bits}>"
        assert len(re.findall(r"\bv\d+", text)) in (0, 2, 3)
    assert f"graph_{'parallel' if io_type == 'io_parallel' else 'stream'}<" in made.function
    assert not made.tables


def test_inputs_have_their_names() -> None:
    config = emit(process(np.array([[[[1, 0], [0, 0]], [[0, 0], [0, -1]]]])), "io_parallel").config
    assert "const ap_uint<2> v0 = window_T::get(taps, 0, 0); // row 0, column 0, channel 0" in config
    assert "const ap_uint<2> v1 = window_T::get(taps, 0, 7); // row 1, column 1, channel 1" in config
    assert "const ap_int<3> v2 = v0 - v1;" in config
    assert "sums[0] = v2;" in config


def test_integer_weights_are_shifts() -> None:
    config = emit(process(np.array([[[[3]]], [[[0]]], [[[-4]]]]), dtype="INT3"), "io_parallel").config
    assert "const ap_int<3> v0 = window_T::get(taps, 0, 0); // row 0, column 0, channel 0" in config
    assert "ap_int<5>(window_T::get(taps, 0, 0)) << 2; // row 0, column 0, channel 0 * 4" in config
    assert "sums[1] = 0;" in config
    assert re.search(r"sums\[2\] = -v\d;", config)


def test_a_window_of_groups_is_read_group_by_group() -> None:
    config = emit(process(np.ones((2, 1, 1, 2), np.int64), group=2), "io_parallel").config
    assert re.findall(r"window_T::get\(taps, (\d), (\d)\); // row 0, column (\d), channel (\d)", config) == [
        ("0", "0", "0", "0"), ("1", "0", "0", "1"), ("0", "1", "1", "0"), ("1", "1", "1", "1"),
    ]  # fmt: skip
