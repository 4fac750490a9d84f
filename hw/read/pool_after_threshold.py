"""MaxPool → MultiThreshold becomes MultiThreshold → MaxPool: equal results, narrower pool.

A threshold table never falls, so threshold(max(x)) = max(threshold(x)) for every window.
"""

from __future__ import annotations

from qonnx.core.modelwrapper import ModelWrapper


def pool_after_threshold(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """Swap every MaxPool with the MultiThreshold that alone consumes it; returns (model, changed)."""
    changed = False
    nodes = model.graph.node
    for pool in [n for n in nodes if n.op_type == "MaxPool"]:
        consumers = model.find_consumers(pool.output[0]) or []
        if len(consumers) != 1 or consumers[0].op_type != "MultiThreshold":
            continue
        threshold = consumers[0]
        source, middle, result = pool.input[0], pool.output[0], threshold.output[0]
        shape, dtype = model.get_tensor_shape(source), model.get_tensor_datatype(result)
        pool_at, threshold_at = list(nodes).index(pool), list(nodes).index(threshold)
        threshold.input[0], threshold.output[0] = source, middle
        pool.input[0], pool.output[0] = middle, result
        first, second = type(pool)(), type(pool)()
        first.CopyFrom(threshold)
        second.CopyFrom(pool)
        nodes[pool_at].CopyFrom(first)
        nodes[threshold_at].CopyFrom(second)
        model.set_tensor_shape(middle, shape)
        model.set_tensor_datatype(middle, dtype)
        changed = True
    return model, changed
