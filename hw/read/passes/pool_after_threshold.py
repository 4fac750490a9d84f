"""MaxPool → MultiThreshold becomes MultiThreshold → MaxPool: equal results, narrower pool.

A threshold table never falls, so threshold(max(x)) = max(threshold(x)) for every window.
"""

from __future__ import annotations

from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.metadata import Metadata
from crq.hw.read.passes.readers import readers
from crq.hw.read.passes.swap import swap


def pool_after_threshold(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """Swap every MaxPool with the MultiThreshold that alone consumes it; returns (model, changed)."""
    changed = False
    for pool in [n for n in model.graph.node if n.op_type == "MaxPool"]:
        consumers = model.find_consumers(pool.output[0]) or []
        if readers(model, pool.output[0]) == len(consumers) == 1 and consumers[0].op_type == "MultiThreshold":
            names = consumers[0].name, pool.name
            swap(model, pool, consumers[0])
            Metadata.of(model).renamed_source(*names).write(model)
            changed = True
    return model, changed
