"""The interchange file: a frozen network as QONNX with 2-bit packed weights.

The names below are loaded on first use: torch and onnx take seconds to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crq.export.check import check_file as check_file
    from crq.export.errors import ExportError as ExportError
    from crq.export.qonnx import Carrier as Carrier
    from crq.export.qonnx import to_qonnx as to_qonnx

_HOMES = {
    "to_qonnx": "crq.export.qonnx",
    "Carrier": "crq.export.qonnx",
    "check_file": "crq.export.check",
    "ExportError": "crq.export.errors",
}
__all__ = list(_HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value
