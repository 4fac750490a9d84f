"""Runs where alkaid is installed: its solver and its Verilog of one matrix, into a folder.

    python alkaid_script.py MATRIX.npy LO HI FOLDER

`two` and `three`: without and with its pass that fuses adders to such of three operands.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import alkaid
import numpy as np
from alkaid.codegen.rtl.verilog.comb import comb_logic_gen
from alkaid.codegen.rtl.verilog.lookup import lookup_source
from alkaid.trace import FVArray, HWConfig, trace
from alkaid.trace.passes import add_surrogate, dead_code_elimin, fuse_ternary_adders

SOURCES = Path(alkaid.__file__).parent / "codegen" / "rtl" / "verilog" / "source"
# An adder costs its bits.
HARDWARE = HWConfig(1, -1, -1)
METHODS = ("wmc", "mc", "mc-pdc")
ADDERS = (0, 1, 11)


def traced(matrix, lo, hi, method):
    n = len(matrix)
    x = FVArray.from_lhs(
        np.full(n, lo), np.full(n, hi), np.ones(n), hwconf=HARDWARE, solver_options={"method0": method}
    )
    return trace(x, x @ matrix)


def fused(*arguments):
    """As alkaid's RTLModel does by default."""
    return add_surrogate(dead_code_elimin(fuse_ternary_adders(traced(*arguments))), _skip_op8_cost=True)


def timed(make, *arguments):
    cpu, wall = time.process_time(), time.perf_counter()
    made = make(*arguments)
    return made, time.process_time() - cpu, time.perf_counter() - wall


def depth(graph):
    found = []
    for op in graph.ops:
        found.append(max((found[i] for i in op.addr), default=0) + (op.opcode in ADDERS))
    return max(found)


def main():
    matrix = np.ascontiguousarray(np.load(sys.argv[1]), np.float32)
    lo, hi, folder = float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
    for form, make in (("two", traced), ("three", fused)):
        make(np.array([[1, 1], [1, -1]], np.float32), lo, hi, METHODS[0])
        tried = []
        for method in METHODS:
            made, cpu, wall = timed(make, matrix, lo, hi, method)
            assert np.array_equal(made.kernel, matrix)
            tried.append((made.cost, method, made, cpu, wall))
        _, method, made, cpu, wall = min(tried, key=lambda t: t[:2])
        (folder / form).mkdir(parents=True)
        for source in SOURCES.glob("*.v"):
            (folder / form / source.name).write_text(source.read_text())
        (folder / form / "logic.graph.v").write_text(comb_logic_gen(made, "alkaid_graph"))
        if made.lookup_tables:  # of groups of 1-bit inputs
            (folder / form / "tables.v").write_text(lookup_source([made]))
        facts = {
            "top": "alkaid_graph",
            "inputs": made.inp_kifs.sum(axis=0).tolist(),
            "outputs": [(int(sum(q.kif)), bool(q.kif[0])) for q in made.out_qint],
            "adders": sum(op.opcode in ADDERS for op in made.ops),
            "depth": depth(made),
            "cpu_s": cpu,
            "wall_s": wall,
            "note": f"alkaid {version('alkaid')}, {method}",
        }
        (folder / form / "facts.json").write_text(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
