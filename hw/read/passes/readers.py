"""What reads a tensor of the integer graph: nodes, and the host if it is a result."""

from __future__ import annotations

from qonnx.core.modelwrapper import ModelWrapper


def readers(model: ModelWrapper, tensor: str) -> int:
    """How many there are; a pass that changes a tensor may do so for its sole reader."""
    return len(model.find_consumers(tensor) or []) + sum(output.name == tensor for output in model.graph.output)
