"""Reading: any ternary QONNX file to the integer graph (docs/integer-graph.md)."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "read_qonnx":  # onnx and qonnx take a second to import
        from crq.hw.read.reader import read_qonnx

        return read_qonnx
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
