"""A VGG-7 with ternary weights and activations of 16 bits, rounded down: a QONNX file, to C and RTL simulation.

The network of "Unrolling Ternary Neural Networks" (Tridgell et al., 2019) with few channels and small images.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from crq import hw

WIDTHS, SIZE, IMAGES = (4, 4, 8, 8, 8, 8), 8, 12  # of the paper's (64, 64, 128, 128, 256, 256), 32×32
STEP = 2.0**-8  # of the activations: eight bits behind the point

rng = np.random.default_rng(1)
constants = {"zero": 0.0, "bits": 16.0, "step": STEP}
layers: list[tuple[np.ndarray, dict[str, np.ndarray]]] = []  # ternary codes and batch norm, for the evaluation below
nodes = []


def quant(x: str, result: str, signed: int, mode: str) -> onnx.NodeProto:
    return helper.make_node("Quant", [x, "step", "zero", "bits"], [result], domain="qonnx.custom_op.general",
                            signed=signed, narrow=0, rounding_mode=mode)  # fmt: skip


def layer(x: str, name: str, shape: tuple[int, ...]) -> str:
    """Ternary weights times 3/16, batch norm, ReLU and 16 bits, rounded down; the name of the result."""
    codes, outputs = rng.choice([-1, 0, 1], shape, p=[0.25, 0.5, 0.25]), shape[0]
    norm = {"gain": rng.uniform(0.5, 2, outputs), "bias": rng.normal(size=outputs),
            "mean": rng.normal(size=outputs), "var": rng.uniform(1, 4, outputs)}  # fmt: skip
    layers.append((codes, norm))
    constants.update({f"{name}_{key}": value for key, value in norm.items()})
    weights = codes * 3 / 16
    constants[f"{name}_w"] = weights if len(shape) == 4 else weights.T
    if len(shape) == 4:
        nodes.append(helper.make_node("Conv", [x, f"{name}_w"], [f"{name}_sum"], kernel_shape=[3, 3], pads=[1] * 4))
    else:
        nodes.append(helper.make_node("MatMul", [x, f"{name}_w"], [f"{name}_sum"]))
    norms = [f"{name}_{key}" for key in norm]
    nodes.append(helper.make_node("BatchNormalization", [f"{name}_sum", *norms], [f"{name}_norm"], epsilon=1e-5))
    nodes.append(helper.make_node("Relu", [f"{name}_norm"], [f"{name}_relu"]))
    nodes.append(quant(f"{name}_relu", name, signed=0, mode="FLOOR"))
    return name


nodes.append(quant("x", "image", signed=1, mode="ROUND"))
x, channels, size = "image", 3, SIZE
for i, width in enumerate(WIDTHS):
    x, channels = layer(x, f"conv{i}", (width, channels, 3, 3)), width
    if i % 2:
        nodes.append(helper.make_node("MaxPool", [x], [f"pool{i}"], kernel_shape=[2, 2], strides=[2, 2]))
        x, size = f"pool{i}", size // 2
nodes.append(helper.make_node("Flatten", [x], ["features"]))
x = layer("features", "dense", (16, channels * size * size))
last = rng.choice([-1, 0, 1], (10, 16))
constants["last_w"] = last.T * 3 / 16
nodes.append(helper.make_node("MatMul", [x, "last_w"], ["scores"]))

graph = helper.make_graph(
    nodes, "vgg_16bit",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])],
    [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
)  # fmt: skip
opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
onnx.save(helper.make_model(graph, opset_imports=opsets), "vgg_16bit.onnx")


def activation(sums: np.ndarray, norm: dict[str, np.ndarray]) -> np.ndarray:
    """Codes (N, C, …) of integer sums, in float64."""
    gain, bias, mean, var = (np.float32(norm[key]).astype(np.float64) for key in ("gain", "bias", "mean", "var"))
    each = (-1, *[1] * (sums.ndim - 2))
    values = sums * (STEP * 3 / 16)
    values = (values - mean.reshape(each)) / np.sqrt(var + np.float32(1e-5)).reshape(each)
    values = values * gain.reshape(each) + bias.reshape(each)
    return np.clip(np.floor(np.maximum(values, 0) / STEP), 0, 2**16 - 1).astype(np.int64)


def evaluated(codes: np.ndarray) -> np.ndarray:
    """The network in NumPy, its sums in integers: scores of input codes (N, 3, SIZE, SIZE)."""
    for i, (weights, norm) in enumerate(layers[:-1]):
        padded = np.pad(codes, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        codes = activation(np.einsum("nihwyx,oiyx->nohw", windows, weights), norm)
        if i % 2:
            n, c, h, w = codes.shape
            codes = codes.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))
    weights, norm = layers[-1]
    codes = activation(codes.reshape(len(codes), -1) @ weights.T, norm)
    return codes @ last.T * (STEP * 3 / 16)


images = rng.integers(-(2**15), 2**15, (IMAGES, 3, SIZE, SIZE))
images[: IMAGES // 2] //= 64  # as of a picture; the others drive sums beyond 16 bits' range
images[-2:] = [[[[-(2**15)]]], [[[2**15 - 1]]]]
expected = evaluated(images)

wrong = 0
for target in ("hls", "rtl"):
    project = hw.build("vgg_16bit.onnx", f"vgg_16bit_{target}", target=target)
    found = project.simulate((images * STEP).astype(np.float32))
    wrong += int((found != expected).sum())
    print(f"{target}: {int((found == expected).sum())} of {expected.size} integers equal NumPy's")
sys.exit(wrong != 0)
