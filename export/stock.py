"""An exported file as stock hls4ml 1.3.0 takes it: to compare with, or for its other backends (not exact there)."""

from __future__ import annotations

from pathlib import Path

from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.util.cleanup import cleanup_model


def to_stock_hls4ml(path: str | Path) -> ModelProto:
    """Plain channels-last QONNX through qonnx's own passes: weights unpacked, names and shapes given.

    Constants lose their leading axes of size 1: hls4ml 1.3.0 broadcasts them against tensors without a batch axis.
    """
    model = cleanup_model(ModelWrapper(str(path)))
    model = cleanup_model(model.transform(ConvertToChannelsLastAndClean(make_input_channels_last=True)))
    for node in model.graph.node:
        if node.op_type in ("Mul", "Add"):
            value = model.get_initializer(node.input[1])
            if value is not None:
                model.set_initializer(node.input[1], value.reshape(value.shape[1:]))
    return model.model
