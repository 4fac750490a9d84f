"""Ternary QONNX to FPGA: integer graph, hls4ml backend, C simulation, estimates, reports.

The names below are loaded on first use, so that `import hw` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crq.errors import ToolError as ToolError
    from crq.errors import VerificationError as VerificationError
    from hw.dataflow.units import Fold as Fold
    from hw.errors import HwError as HwError
    from hw.ir.graph import Network as Network
    from hw.project import Project as Project
    from hw.project import build as build
    from hw.project import open_project as open_project
    from hw.read import read_qonnx as read_qonnx

_HOMES = {
    "build": "hw.project",
    "open_project": "hw.project",
    "Project": "hw.project",
    "read_qonnx": "hw.read",
    "Network": "hw.ir.graph",
    "Fold": "hw.dataflow.units",
    "HwError": "hw.errors",
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
