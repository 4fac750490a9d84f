"""Ternary QONNX to FPGA: integer graph, hls4ml backend, C simulation, estimates, reports.

The names below are loaded on first use, so that `from crq import hw` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crq.errors import ToolError as ToolError
    from crq.errors import VerificationError as VerificationError
    from crq.hw.dataflow.units import Fold as Fold
    from crq.hw.errors import HwError as HwError
    from crq.hw.ir.graph import Network as Network
    from crq.hw.project import Project as Project
    from crq.hw.project import build as build
    from crq.hw.project import open_project as open_project
    from crq.hw.read import read_qonnx as read_qonnx

_HOMES = {
    "build": "crq.hw.project",
    "open_project": "crq.hw.project",
    "Project": "crq.hw.project",
    "read_qonnx": "crq.hw.read",
    "Network": "crq.hw.ir.graph",
    "Fold": "crq.hw.dataflow.units",
    "HwError": "crq.hw.errors",
    "VerificationError": "crq.errors",
    "ToolError": "crq.errors",
}
__all__ = list(_HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value
