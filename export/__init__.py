"""The interchange file: a frozen network as QONNX with 2-bit packed weights."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("to_qonnx", "Carrier"):  # torch and onnx take seconds to import
        import export.qonnx

        return getattr(export.qonnx, name)
    if name == "check_file":
        from export.check import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
