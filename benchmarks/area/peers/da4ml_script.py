"""Runs where da4ml is installed: its solver and its Verilog of one matrix, into a folder.

    python da4ml_script.py MATRIX.npy LO HI FOLDER

`traced` follows da4ml's documentation: the product is traced on symbolic inputs, and the trace is written as Verilog.
`stages` writes the two stages that the solver itself returns, with the same generator.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import da4ml
import numpy as np
from da4ml.cmvm import solve
from da4ml.cmvm.types import QInterval, minimal_kif
from da4ml.codegen.rtl.verilog import comb_logic_gen
from da4ml.trace import FixedVariableArray, HWConfig, comb_trace

SOURCES = Path(da4ml.__file__).parent / "codegen" / "rtl" / "verilog" / "source"
# An adder costs its bits.
HARDWARE = HWConfig(1, -1, -1)
METHODS = ("wmc", "mc")


def traced(matrix, lo, hi, method):
    n = len(matrix)
    x = FixedVariableArray.from_lhs(
        np.full(n, lo), np.full(n, hi), np.ones(n), hwconf=HARDWARE, latency=0.0, solver_options={"method0": method}
    )
    return comb_trace(x, x @ matrix, keep_dead_inputs=True)


def stages(matrix, lo, hi, method):
    interval = QInterval(float(lo), float(hi), 1.0)
    return solve(matrix, method0=method, qintervals=[interval] * len(matrix), adder_size=HARDWARE.adder_size)


def timed(make, *arguments):
    cpu, wall = time.process_time(), time.perf_counter()
    made = make(*arguments)
    return made, time.process_time() - cpu, time.perf_counter() - wall


def formats(intervals):
    kinds = [minimal_kif(q) for q in intervals]
    return [(int(k.keep_negative + k.integers + k.fractional), bool(k.keep_negative)) for k in kinds]


def levels(ops, given):
    """Adders from the inputs to each value; `given` are the levels of the inputs."""
    found = []
    for op in ops:
        if op.opcode == -1:
            found.append(given[op.id0])
        else:
            found.append(max((found[i] for i in (op.id0, op.id1) if i >= 0), default=0) + (op.opcode in (0, 1)))
    return found


def beyond(part):
    """Adders whose result has more bits than shift_adder computes."""
    kinds = formats([op.qint for op in part.ops])
    count = 0
    for op, (bits, _) in zip(part.ops, kinds, strict=True):
        if op.opcode in (0, 1):
            (a, a_signed), (b, b_signed) = kinds[op.id0], kinds[op.id1]
            computed = max(a - min(op.data, 0), b + max(op.data, 0)) + 1 + op.opcode + (a_signed != b_signed)
            count += bits > computed
    return count


def facts(parts, method, cpu, wall):
    selected = sum(map(beyond, parts))
    depth = [0] * parts[0].shape[0]
    for part in parts:
        all_levels = levels(part.ops, depth)
        depth = [all_levels[i] if i >= 0 else 0 for i in part.out_idxs]
    return {
        "top": "da4ml_graph",
        "inputs": [bits for bits, _ in formats(parts[0].inp_qint)],
        "outputs": formats(parts[-1].out_qint),
        "adders": sum(op.opcode in (0, 1) for part in parts for op in part.ops),
        "depth": max(depth),
        "cpu_s": cpu,
        "wall_s": wall,
        "note": f"da4ml {version('da4ml')}, {method}" + (f", {selected} adders too narrow" if selected else ""),
    }


def write(folder, parts, found):
    folder.mkdir(parents=True)
    for name in ("shift_adder", "negative"):
        (folder / f"{name}.v").write_text((SOURCES / f"{name}.v").read_text())
    wires, previous = "", "x"
    for k, part in enumerate(parts):
        width = sum(bits for bits, _ in formats(part.out_qint))
        (folder / f"part{k}.graph.v").write_text(comb_logic_gen(part, f"da4ml_part{k}"))
        wires += f"wire [{width - 1}:0] w{k};\nda4ml_part{k} u{k} ({previous}, w{k});\n"
        previous = f"w{k}"
    bits = sum(found["inputs"])
    ports = f"input [{bits - 1}:0] x, output [{width - 1}:0] y"
    (folder / "graph.v").write_text(f"module da4ml_graph ({ports});\n{wires}assign y = {previous};\nendmodule\n")
    (folder / "facts.json").write_text(json.dumps(found, indent=2))


def main():
    matrix = np.ascontiguousarray(np.load(sys.argv[1]), np.float32)
    lo, hi, folder = float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
    for form, make in (("traced", traced), ("stages", stages)):
        make(np.array([[1, 1], [1, -1]], np.float32), lo, hi, METHODS[0])  # numba compiles on the first call
        tried = []
        for method in METHODS:
            made, cpu, wall = timed(make, matrix, lo, hi, method)
            assert np.array_equal(made.kernel, matrix)
            tried.append((made.cost, method, made, cpu, wall))
        _, method, made, cpu, wall = min(tried, key=lambda t: t[:2])
        parts = [made] if form == "traced" else list(made.solutions)
        write(folder / form, parts, facts(parts, method, cpu, wall))


if __name__ == "__main__":
    main()
