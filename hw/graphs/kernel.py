"""Calls the compiled search (solver.cpp), which is built once per machine."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.errors import ToolError
from crq.files import atomic_path
from crq.hw.compiler import cache_folder, compiler, machine

SOURCE = Path(__file__).with_name("solver.cpp")
FLAGS = ["-std=c++14", "-O3", "-march=native", "-fPIC", "-shared"]


class Found(NamedTuple):
    """`adders` (N, 7): operands, then value and sign of each; `outputs` (M, 2): value or -1, and sign."""

    adders: NDArray[np.int32]
    outputs: NDArray[np.int32]


def search(
    matrix: NDArray[np.int8], ranges: Sequence[tuple[int, int]], *, operands: int, levels: int, seed: int, moves: int,
    seconds: float,
) -> Found:  # fmt: skip
    """Adders of the sums `matrix` (outputs, columns) in {-1, 0, 1}, of columns in `ranges`.

    `levels` 0: no limit. `moves` 0: until `seconds` of CPU are spent; below 0: no sums are shared. Raises `ToolError`
    if the machine's memory does not suffice.
    """
    outputs, columns = matrix.shape
    lo, hi = (np.array([r[i] for r in ranges], np.int64) for i in (0, 1))
    # A term more is at most an adder more.
    adders, results = np.zeros((np.count_nonzero(matrix), 7), np.int32), np.zeros((outputs, 2), np.int32)
    matrix = np.ascontiguousarray(matrix)
    made = _function()(
        columns, outputs, lo.ctypes.data, hi.ctypes.data, matrix.ctypes.data, operands, levels, seed, moves, seconds,
        adders.ctypes.data, results.ctypes.data,
    )  # fmt: skip
    if made < 0:
        raise ToolError(f"adder graph of {outputs} sums of {columns} inputs: this machine's memory does not suffice")
    return Found(adders[:made].copy(), results)


def version() -> str:
    """Changes with the search: what it found before is then searched again."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]


@lru_cache
def _function() -> ctypes._FuncPointer:
    key = hashlib.sha256(repr((version(), FLAGS, machine(compiler()))).encode()).hexdigest()[:16]
    library = cache_folder("solver") / f"graphs-{key}.so"
    if not library.is_file():
        try:
            with atomic_path(library) as temporary:
                _compile(temporary)
        except OSError:  # a cache that cannot be written: this process alone has the library
            library = Path(tempfile.mkdtemp(prefix="crq-solver-")) / library.name
            _compile(library)
    function = ctypes.CDLL(str(library)).crq_adder_graph
    integer, pointer = ctypes.c_int, ctypes.c_void_p
    function.argtypes = (
        integer, integer, pointer, pointer, pointer, integer, integer, ctypes.c_uint64, ctypes.c_int64, ctypes.c_double,
        pointer, pointer,
    )  # fmt: skip
    function.restype = integer
    return function


def _compile(library: Path) -> None:
    command = [compiler(), *FLAGS, str(SOURCE), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ToolError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
