"""The compiled search: what more moves give, and that a compiler which fails is told."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from crq.errors import ToolError
from crq.hw.graphs import kernel
from tests.hw.graphs.test_search import ternary


def adders(moves: int, operands: int = 2) -> int:
    matrix = ternary(2, 16, 72).astype(np.int8)
    found = kernel.search(
        matrix, [(-8, 7)] * 72, operands=operands, levels=0, seed=0, moves=moves, seconds=0
    )  # fmt: skip
    return len(found.adders)


def test_sharing_saves_half_and_moves_save_more() -> None:
    terms = np.count_nonzero(ternary(2, 16, 72)) - 16
    assert adders(-1) == terms
    assert adders(1) < 0.6 * terms
    assert adders(3000) < adders(1)
    assert adders(1, operands=3) < 0.65 * adders(1)


def test_time_ends_a_search() -> None:
    matrix = ternary(2, 16, 72).astype(np.int8)
    found = kernel.search(matrix, [(-8, 7)] * 72, operands=3, levels=0, seed=0, moves=0, seconds=0.05)
    assert len(found.adders) < adders(1, operands=3) + 5


def test_a_source_that_does_not_compile_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kernel, "SOURCE", tmp_path / "broken.cpp")
    (tmp_path / "broken.cpp").write_text("nonsense")
    kernel._function.cache_clear()
    try:
        with pytest.raises(ToolError, match="broken.cpp.* failed"):
            kernel._function()
    finally:
        kernel._function.cache_clear()
    assert not list((tmp_path / "crq" / "solver").glob("*"))


def test_too_little_memory_is_told() -> None:
    """In a process of its own, which has no more than it needs to start."""
    code = """
import resource, numpy as np
from crq.errors import ToolError
from crq.hw.graphs import kernel
kernel._function()
matrix = np.ones((400, 400), np.int8)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000, -1))
try:
    kernel.search(matrix, [(0, 1)] * 400, operands=3, levels=0, seed=0, moves=1, seconds=0)
except ToolError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "adder graph of 400 sums of 400 inputs: this machine's memory does not suffice\n"
