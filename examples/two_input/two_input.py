"""A camera image and a distance map into one network: a QONNX file with two inputs, to C and RTL simulation."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from crq import hw

rng = np.random.default_rng(1)
constants = {"zero": 0.0, "bits": 4.0, "camera_scale": 1 / 16, "distance_scale": 1 / 2, "scale": 1 / 2}
constants |= {name: rng.integers(-1, 2, shape) / 4 for name, shape in {
    "w_camera": (4, 3, 3, 3), "w_distance": (4, 1, 3, 3), "w_both": (6, 8, 3, 3), "w_scores": (6, 3),
}.items()}  # fmt: skip


def quant(x: str, result: str, scale: str, signed: int = 0) -> onnx.NodeProto:
    """A quantizer of 4 bits, as the QONNX standard has it."""
    return helper.make_node("Quant", [x, scale, "zero", "bits"], [result], domain="qonnx.custom_op.general",
                            signed=signed, narrow=0, rounding_mode="ROUND")  # fmt: skip


def conv(x: str, weights: str, result: str, stride: int = 1) -> onnx.NodeProto:
    return helper.make_node("Conv", [x, weights], [result], kernel_shape=[3, 3], pads=[1] * 4, strides=[stride] * 2)


nodes = [
    quant("camera", "camera_codes", "camera_scale"), conv("camera_codes", "w_camera", "seen"),
    quant("distance", "distance_codes", "distance_scale", signed=1), conv("distance_codes", "w_distance", "felt"),
    quant("seen", "left", "scale"), quant("felt", "right", "scale"),
    helper.make_node("Concat", ["left", "right"], ["both"], axis=1),
    conv("both", "w_both", "mixed", stride=2), quant("mixed", "mixed_codes", "scale"),
    helper.make_node("GlobalMaxPool", ["mixed_codes"], ["most"]), helper.make_node("Flatten", ["most"], ["flat"]),
    helper.make_node("MatMul", ["flat", "w_scores"], ["scores"]),
]  # fmt: skip
graph = helper.make_graph(
    nodes, "two_input",
    [helper.make_tensor_value_info("camera", TensorProto.FLOAT, [1, 3, 8, 8]),
     helper.make_tensor_value_info("distance", TensorProto.FLOAT, [1, 1, 8, 8])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])],
    [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
)  # fmt: skip
opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
onnx.save(helper.make_model(graph, opset_imports=opsets), "two_input.onnx")

camera = (rng.integers(0, 16, (40, 3, 8, 8)) / 16).astype(np.float32)
distance = (rng.integers(-8, 8, (40, 1, 8, 8)) / 2).astype(np.float32)

# qonnx executes the file itself, one pair at a time: every number is a multiple of 1/8, exact in float32.
model = ModelWrapper("two_input.onnx").transform(InferShapes())
pairs = zip(camera[:, None], distance[:, None], strict=True)
expected = np.concatenate([execute_onnx(model, {"camera": a, "distance": b})["scores"] for a, b in pairs])

wrong = 0
for target in ("hls", "rtl"):
    project = hw.build("two_input.onnx", f"two_input_{target}", target=target)
    found = project.simulate((camera, distance))
    wrong += int((found != expected).sum())
    print(f"{target}: {int((found == expected).sum())} of {expected.size} integers equal qonnx's")
sys.exit(wrong != 0)
