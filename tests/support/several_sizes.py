"""Files with inputs and outputs of several sizes, whose float32 execution is exact: all scales are powers of two."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from tests.support.qonnx_files import base, conv, graph_of, node, quant
from tests.support.several_ends import both

SCALES = {"qi_s": np.float32(1 / 16), "q1_s": np.float32(1 / 4), "qt_s": np.float32(1 / 2)}


def ternary(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.integers(-1, 2, shape) / 4).astype(np.float32)


def image_and_table(channels: int = 5) -> ModelProto:
    """An image `x` and a vector `t` give scores `y`; the image alone gives a map `m` of codes."""
    rng = np.random.default_rng(3)
    nodes = [
        quant("x", "xq", "qi"), conv("xq w", "c1", "stem", pad=1), quant("c1", "a1", "q1"),
        conv("a1 w2", "c2", "mapped", size=1), quant("c2", "m", "map_codes", signed=1),
        node("MaxPool", "a1", "p", "pool", kernel_shape=[6, 6]), node("Flatten", "p", "flat"),
        quant("t", "tq", "qt", signed=1), node("MatMul", "tq m1", "h1", "table"), quant("h1", "k1", "q1"),
        node("Concat", "flat k1", "k", axis=1), node("MatMul", "k m2", "y", "scores"),
    ]  # fmt: skip
    constants = base() | SCALES | {
        "map_codes_s": SCALES["qi_s"], "w": ternary(rng, channels, 2, 3, 3), "w2": ternary(rng, 2, channels, 1, 1),
        "m1": ternary(rng, 7, 4), "m2": ternary(rng, channels + 4, 3),
    }  # fmt: skip
    return both(graph_of(nodes, constants), "t", (7,), "m")


def two_images(first: int = 8) -> ModelProto:
    """Images `x` and `z` of two sizes meet pixel by pixel, and leave as two maps: heads of a detector."""
    rng = np.random.default_rng(4)
    nodes = [
        quant("x", "xq", "qi"), conv("xq w", "c1", "down", pad=1, strides=[2, 2]), quant("c1", "a1", "q1", signed=1),
        quant("z", "zq", "qt", signed=1), conv("zq wz", "c2", "side", pad=1), quant("c2", "a2", "q1", signed=1),
        node("Add", "a1 a2", "s"), quant("s", "sq", "q1", signed=1), conv("sq w2", "y", "fine", size=1),
        conv("sq w3", "c3", "deeper", pad=1, strides=[2, 2]), quant("c3", "a3", "q1"),
        conv("a3 w4", "low", "coarse", size=1),
    ]  # fmt: skip
    constants = base() | SCALES | {
        "w": ternary(rng, 4, 2, 3, 3), "wz": ternary(rng, 4, 1, 3, 3), "w2": ternary(rng, 3, 4, 1, 1),
        "w3": ternary(rng, 6, 4, 3, 3), "w4": ternary(rng, 2, 6, 1, 1),
    }  # fmt: skip
    return both(graph_of(nodes, constants, shape=(1, 2, first, first)), "z", (1, first // 2, first // 2), "low")


def three_ports() -> ModelProto:
    """Two vectors that share a port, an image in between, and one output."""
    rng = np.random.default_rng(5)
    nodes = [
        quant("x", "xq", "qt", signed=1), quant("u", "uq", "qi"), quant("i", "iq", "qi"),
        conv("iq w", "c", "conv", pad=0), quant("c", "a", "q1"), node("GlobalMaxPool", "a", "p"),
        node("Flatten", "p", "flat"), node("MatMul", "xq m1", "h1", "of_x"),
        node("MatMul", "uq m2", "h2", "of_u"), quant("h1", "k1", "q1"),
        quant("h2", "k2", "q1"), node("Concat", "flat k1 k2", "k", axis=1), node("MatMul", "k m3", "y", "scores"),
    ]  # fmt: skip
    constants = base() | SCALES | {
        "w": ternary(rng, 3, 2, 3, 3), "m1": ternary(rng, 6, 2), "m2": ternary(rng, 3, 2), "m3": ternary(rng, 7, 4),
    }  # fmt: skip
    return both(both(graph_of(nodes, constants, shape=(1, 6)), "i", (2, 4, 4)), "u", (3,))


FILES = {"image_and_table": image_and_table, "two_images": two_images, "three_ports": three_ports}


def values_of(proto: ModelProto, count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random values of each input, on its grid and beyond its ends."""
    rng = np.random.default_rng(seed)
    shapes = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim][1:] for i in proto.graph.input}
    return {name: (rng.integers(-24, 40, (count, *shape)) / 16).astype(np.float32) for name, shape in shapes.items()}


def executed(proto: ModelProto, values: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The file's own results, by qonnx, image by image."""
    model = ModelWrapper(proto).transform(InferShapes())
    names = [output.name for output in proto.graph.output]
    images = range(len(next(iter(values.values()))))
    runs = [execute_onnx(model, {name: value[i : i + 1] for name, value in values.items()}) for i in images]
    return [np.concatenate([run[name] for run in runs]) for name in names]
