"""The file as stock hls4ml takes it."""

from __future__ import annotations

import numpy as np

from crq import export
from crq.export.stock import to_stock_hls4ml
from tests.support.nets import Plain, frozen


def test_stock_cleanup_unpacks_and_stock_hls4ml_converts_the_file(tmp_path) -> None:
    import hls4ml

    model = frozen(Plain)
    export.to_qonnx(model, tmp_path / "m.onnx")
    plain = to_stock_hls4ml(tmp_path / "m.onnx")
    assert {n.op_type for n in plain.graph.node} == {"Quant", "Conv", "Mul", "Add", "MaxPool", "Flatten", "MatMul"}
    config = hls4ml.utils.config_from_onnx_model(plain, granularity="name", backend="Vitis")
    converted = hls4ml.converters.convert_from_onnx_model(
        plain, hls_config=config, backend="Vitis", io_type="io_stream", output_dir=str(tmp_path / "stock")
    )
    convolutions = [layer for layer in converted.get_layers() if layer.class_name == "Conv2D"]
    for layer, name in zip(convolutions, ("conv1", "conv2"), strict=True):
        weights = layer.weights["weight"].data  # (kh, kw, in, out)
        np.testing.assert_array_equal(weights, model.steps[name].codes.numpy().transpose(2, 3, 1, 0))
