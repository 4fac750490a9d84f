"""Running an exported file as others would: in onnxruntime and in qonnx."""

from __future__ import annotations

from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model

from crq.export.lower import lower_quant

FloatArray = NDArray[np.float32]


def run_onnxruntime(model: ModelProto, values: FloatArray, optimize: Literal["none", "default"] = "none") -> FloatArray:
    """Outputs for `values` (N, …). `none` is ORT_DISABLE_ALL: the graph as written, for which exactness is claimed."""
    options = onnxruntime.SessionOptions()
    if optimize == "none":
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3  # folding a 2-bit initializer at the default level is worth no warning
    session = onnxruntime.InferenceSession(lower_quant(model).SerializeToString(), options)
    (result,) = session.run(None, {session.get_inputs()[0].name: values})
    return result


def run_qonnx(model: ModelProto, values: FloatArray) -> FloatArray:
    """Outputs for `values` (N, …), node by node in qonnx after its own `cleanup_model`."""
    copy = ModelProto()
    copy.CopyFrom(model)
    copy.graph.input[0].type.tensor_type.shape.dim[0].dim_value = len(values)
    copy.graph.output[0].type.tensor_type.shape.dim[0].dim_value = len(values)
    wrapper = cleanup_model(ModelWrapper(copy))
    result: FloatArray = execute_onnx(wrapper, {wrapper.graph.input[0].name: values})[wrapper.graph.output[0].name]
    return result
