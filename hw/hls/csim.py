"""C simulation: compiles a project's firmware with g++ and runs batches of images through it."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.errors import ToolError, VerificationError
from crq.files import atomic_path
from crq.hw.compiler import compiler, machine
from crq.hw.errors import HwError
from crq.hw.forms.folder import own

# fast: native integers; ap: the ap types; hls: the ap types and the code of the synthesis tool's branch.
MODES: dict[str, list[str]] = {
    "fast": ["-O3", "-march=native", "-DCRQ_FAST_SIM", "-Isim/fast", "-Isim/include"],
    "ap": ["-O2", "-march=native", "-Isim/include", "-Ifirmware/ap_types"],
    "hls": ["-O1", "-DCRQ_HLS", "-Isim/include", "-Ifirmware/ap_types"],
}
COMMON = ["-std=c++14", "-fPIC", "-shared", "-fno-gnu-unique", "-Wno-unknown-pragmas", "-Wno-psabi"]
SOURCES = ("firmware", "sim")


class Batch(NamedTuple):
    """Results of a run: integers (N, outputs) and, if traced, the integers of every layer (N, traced)."""

    integers: NDArray[np.int64]
    trace: NDArray[np.int64] | None


def compile_simulation(project: Path, mode: str, trace: bool = False) -> Path:
    """The compiled simulation of a project, kept in its folder `build` and reused while sources and compiler stay.

    Raises `HwError` for an unknown mode, `ToolError` if the compiler is missing or fails.
    """
    if mode not in MODES:
        raise HwError(f"simulation mode {mode!r}: expected one of {', '.join(MODES)}")
    flags = [*COMMON, *MODES[mode], *(["-DCRQ_TRACE_LAYERS"] if trace else [])]
    [bridge] = sorted(project.glob("*_bridge.cpp"))
    stem = f"{mode}{'-trace' if trace else ''}"
    build = project / "build"
    library = build / f"{stem}-{_key(project, bridge, flags)}.so"
    if library.is_file():
        return library
    build.mkdir(exist_ok=True)
    top = f"firmware/{bridge.name.removesuffix('_bridge.cpp')}.cpp"
    with atomic_path(library) as temporary:
        command = [compiler(), *flags, bridge.name, top, "-o", str(temporary.resolve())]
        run = subprocess.run(command, cwd=project, capture_output=True, text=True)
        if run.returncode:
            raise ToolError(f"{' '.join(command)} failed in {project}:\n{run.stderr[-4000:]}")
    own(project, library, instead_of=[p for p in build.glob(f"{stem}-????????????????.so") if p != library])
    return library


def _key(project: Path, bridge: Path, flags: list[str]) -> str:
    digest = hashlib.sha256(repr((flags, machine(compiler()))).encode())
    for path in [bridge, *(p for s in SOURCES for p in sorted((project / s).rglob("*")) if p.is_file())]:
        digest.update(str(path.relative_to(project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Simulation:
    """A compiled project; `run` may be called from several threads."""

    def __init__(self, library: Path, inputs: int, outputs: int, traced: int = 0) -> None:
        self.inputs, self.outputs, self.traced = inputs, outputs, traced
        self.function = ctypes.CDLL(str(library)).crq_run
        self.function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long, ctypes.c_void_p)
        self.function.restype = ctypes.c_uint

    def run(self, codes: NDArray[np.int32]) -> Batch:
        """`codes`: int32 (N, inputs). Raises `VerificationError` on reads from empty streams or data left over."""
        codes = np.ascontiguousarray(codes, np.int32)
        if codes.ndim != 2 or codes.shape[1] != self.inputs:
            raise HwError(f"expected codes of shape (N, {self.inputs}), found {codes.shape}")
        integers = np.zeros((len(codes), self.outputs), np.int64)
        trace = np.zeros((len(codes), self.traced), np.int64) if self.traced else None
        errors = self.function(
            codes.ctypes.data, integers.ctypes.data, len(codes), trace.ctypes.data if trace is not None else None
        )
        if errors:
            raise VerificationError(f"C simulation: {errors} reads from empty streams or streams with data left over")
        return Batch(integers, trace)

    def batches(self, codes: NDArray[np.int32], threads: int, size: int) -> Iterator[Batch]:
        """The results of `codes` in order, `size` images at a time, `threads` batches at once."""
        pieces = (codes[i : i + size] for i in range(0, len(codes), size))
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(self.run, pieces)
