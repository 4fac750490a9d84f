"""Multiplier-free by compilation: the firmware compiles against ap types that have no multiplication."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from crq.hw.compiler import compiler
from crq.hw.hls.csim import COMMON
from crq.hw.hls.plan import Plan
from crq.hw.ir.layers import Mac
from crq.hw.verify.proofs.proof import Proof

# Lines by which the ap headers define *, / and % for each pair of operand types.
DEFINITION = re.compile(
    r"^(\s*)(?:OP_BIN_\w+|REF_BIN_OP\w*|SYN_CONCAT_REF_BIN_OP)\((?:\*|/|%),.*?(\\?)\s*$", re.MULTILINE
)
ASSIGNMENT = re.compile(r"^(\s*)OP_ASSIGN_\w+\((?:\*|/|%)=.*?(\\?)\s*$", re.MULTILINE)

# Deleted overloads: without them an ap value would convert to a native integer and multiply as one.
DELETED = """
#ifndef CRQ_NO_MULTIPLY_OPERATORS_
#define CRQ_NO_MULTIPLY_OPERATORS_
#define CRQ_DELETE_ONE(OP, REF)                                                             \\
  template <int W, bool S, class T> void operator OP(const REF<W, S>&, const T&) = delete; \\
  template <class T, int W, bool S> void operator OP(const T&, const REF<W, S>&) = delete; \\
  template <int W, bool S, int W2, bool S2> void operator OP(const REF<W, S>&, const REF<W2, S2>&) = delete;
#define CRQ_DELETE(OP) CRQ_DELETE_ONE(OP, ap_int_base) CRQ_DELETE_ONE(OP, ap_range_ref) CRQ_DELETE_ONE(OP, ap_bit_ref)
CRQ_DELETE(*)
CRQ_DELETE(/)
CRQ_DELETE(%)
#define CRQ_DELETE_ASSIGN(OP) \\
  template <int W, bool S, class T> void operator OP(ap_int_base<W, S>&, const T&) = delete;
CRQ_DELETE_ASSIGN(*=)
CRQ_DELETE_ASSIGN(/=)
CRQ_DELETE_ASSIGN(%=)
#endif
"""


def headers_without_multiplication(source: Path, target: Path) -> int:
    """Copies the ap headers; removes every definition of *, / and %. Returns how many were removed."""
    shutil.copytree(source, target)
    removed = 0
    for header in ("ap_int_base.h", "ap_int_ref.h"):
        path = target / header
        text, n = DEFINITION.subn(r"\1\2", path.read_text())
        text, m = ASSIGNMENT.subn(r"\1\2", text)
        path.write_text(text)
        removed += n + m
    with (target / "ap_int.h").open("a") as file:
        file.write(DELETED)
    return removed


def check(project: Path, name: str, plan: Plan) -> Proof:
    """Compiles the code of the synthesis branch. Declared integer layers are listed, and only they may multiply."""
    layers = [p.unit.layer for p in plan.processes if p.unit]
    integer = tuple(x.name for x in layers if isinstance(x, Mac) and not x.multiplier_free)
    with tempfile.TemporaryDirectory() as folder:
        headers = Path(folder) / "ap_types"
        removed = headers_without_multiplication(project / "firmware" / "ap_types", headers)
        if not removed:
            return Proof("multiplier-free", False, "the project's ap headers define no multiplication to remove")
        flags = ["-DCRQ_HLS", "-DCRQ_NATIVE_ROM", "-DCRQ_NO_MULTIPLY", "-O0", "-c", "-Isim/include", f"-I{headers}"]
        command = [
            compiler(),
            *(f for f in COMMON if f != "-shared"),
            *flags,
            f"firmware/{name}.cpp",
            "-o",
            "/dev/null",
        ]
        run = subprocess.run(command, cwd=project, capture_output=True, text=True)
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if "error:" in line]
        return Proof("multiplier-free", False, "; ".join(errors[:3]) or run.stderr[-500:])
    facts = f"{len(layers)} layers compile against integer types without *, / and % ({removed} definitions removed)"
    return Proof("multiplier-free", True, facts, integer)
