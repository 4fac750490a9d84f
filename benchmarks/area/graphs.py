"""Our adder graphs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import numpy as np

from benchmarks.area.case import Case
from benchmarks.area.circuit import Circuit
from crq.hw.graphs.graph import Graph
from crq.hw.graphs.search import solve
from crq.hw.graphs.stages import Staged
from crq.hw.ir.layers import Format
from crq.hw.rtl.graph import graph_module
from crq.hw.rtl.verilog import Design, library

ADDERS = ("crq_sum3.sv", "crq_carry.sv")


def adder_graphs(case: Case, family: str, searches: tuple[float, ...] = ()) -> Iterator[Circuit]:
    """Of adders of two operands and of three, as the product solves them; then after other CPU seconds of search."""
    for operands in (2, 3) if family != "ecp5" else (2,):
        for seconds in (None, *searches):
            graph, cpu, wall = solved(case, operands, seconds)
            name = f"our graph, {operands}-input adders" + ("" if seconds is None else f", {seconds:g} s")
            yield circuit(name, graph, case)._replace(cpu_s=cpu, wall_s=wall)


def adder_library() -> dict[str, str]:
    """The modules of the library that graphs use."""
    every = library()
    return {name: every[name] for name in ADDERS}


def solved(case: Case, operands: int, seconds: float | None) -> tuple[Graph, float, float]:
    """(graph, CPU and wall seconds of its search)."""
    ranges = [(case.lo, case.hi)] * len(case.matrix)
    with nothing_remembered():
        solve(np.eye(2, dtype=np.int64), ranges[:2], operands=operands)  # compiles the solver
        cpu, wall = time.process_time(), time.perf_counter()
        graph = solve(case.matrix.T, ranges, operands=operands, seconds=seconds)
        return graph, time.process_time() - cpu, time.perf_counter() - wall


@contextmanager
def nothing_remembered() -> Iterator[None]:
    """A cache of graphs that is empty."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, XDG_CACHE_HOME=folder):
        yield


def circuit(name: str, graph: Graph, case: Case) -> Circuit:
    """Wires and adders without a register."""
    values = len(graph.taps) + len(graph.adders)
    loose = Staged(graph, 0, [0] * values, [0] * values)
    width = case.out.bits
    module = graph_module("our_graph", loose, case.format.bits, width)
    inputs, outputs = case.matrix.shape
    ports = f"input [{inputs * case.format.bits - 1}:0] x, output [{outputs * width - 1}:0] y"
    top = f"module our_form ({ports});\n  our_graph u_graph (.clk(1'b0), .en(1'b0), .x, .y);\nendmodule\n"
    design = Design("our_form", {**adder_library(), "our_graph.sv": module, "our_form.sv": top})
    formats = (Format(width, True),) * outputs
    return Circuit(name, design, (case.format.bits,) * inputs, formats, len(graph.adders), graph.depth)
