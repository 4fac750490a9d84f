"""RTL projects that several tests look at, built and compiled once per process."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from qonnx.core.modelwrapper import ModelWrapper

from crq import hw
from crq.hw.project import RtlProject
from tests.support.random_graphs import GraphBuilder

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")


def small(flat: bool = False, size: int = 5) -> ModelWrapper:
    """Weights, thresholds and a pool that drops the last row and column; it ends in a vector, or in a flat image."""
    g = GraphBuilder((2, size, size), "UINT4", seed=1)
    x = g.max_pool(g.threshold(g.conv("x", 3, pads=(1, 1, 1, 1)), 2), (2, 2))
    if flat:
        return g.finish(g.flatten(g.conv(x, 2, (1, 1))))
    return g.finish(g.matmul(g.flatten(x), 4))


@cache
def project(io_type: str = "io_stream", flat: bool = False) -> RtlProject:
    folder = Path(tempfile.mkdtemp(prefix="crq-rtl-"))
    made = hw.build(small(flat), folder / "p", project_name="net", target="rtl", io_type=io_type)
    assert isinstance(made, RtlProject)
    return made


def copied(original: RtlProject, folder: Path) -> RtlProject:
    """A project that a test may change."""
    shutil.copytree(original.directory, folder)
    found = hw.open_project(folder)
    assert isinstance(found, RtlProject)
    return found
