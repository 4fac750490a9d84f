"""QONNX files with activations of 13 to 16 bits."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, helper

from tests.support.qonnx_files import conv, graph_of, node


def wide_quant(x: str, result: str, name: str, bits: str = "bits", signed: int = 0, mode: str = "FLOOR") -> NodeProto:
    """A Quant whose scale is NAME_s."""
    return helper.make_node(
        "Quant", [x, f"{name}_s", "zero", bits], [result], name, domain="qonnx.custom_op.general",
        signed=signed, narrow=0, rounding_mode=mode,
    )  # fmt: skip


def normalized(rng: np.random.Generator, channels: int) -> dict[str, np.ndarray]:
    """Batch norm of `channels`, some of which fall."""
    gain = rng.uniform(0.3, 1.5, channels) * rng.choice([-1, 1], channels, p=[0.3, 0.7])
    spread = rng.uniform(0.5, 40, channels)
    return {
        "gamma": gain, "beta": rng.normal(size=channels), "mean": rng.normal(size=channels), "var": spread,
    }  # fmt: skip


def wide_vgg(
    widths: tuple[int, ...] = (4, 4, 8, 8), size: int = 8, bits: int = 16, signed: int = 0, mode: str = "FLOOR",
    scale: float = 2.0**-12, seed: int = 0,
) -> ModelProto:  # fmt: skip
    """3×3 convolutions with batch norm and a quantizer, a max pool after every second, and a dense layer.

    Ternary weights times 0.037; the input has 16 signed bits of 2^-10.
    """
    rng = np.random.default_rng(seed)
    constants = {"zero": np.float32(0), "bits": np.float32(bits), "inbits": np.float32(16), "qi_s": np.float32(2**-10)}
    nodes, x, channels = [wide_quant("x", "xq", "qi", "inbits", 1, "ROUND")], "xq", 3
    for i, width in enumerate(widths):
        weights = rng.choice([-1, 0, 1], (width, channels, 3, 3), p=[0.25, 0.5, 0.25])
        constants |= {f"w{i}": (weights * 0.037).astype(np.float32), f"q{i}_s": np.float32(scale)}
        constants |= {f"{key}{i}": value.astype(np.float32) for key, value in normalized(rng, width).items()}
        nodes.append(conv(f"{x} w{i}", f"c{i}", f"conv{i}", pad=1))
        nodes.append(node("BatchNormalization", f"c{i} gamma{i} beta{i} mean{i} var{i}", f"n{i}", f"bn{i}"))
        x = f"n{i}"
        if not signed:
            nodes.append(node("Relu", x, f"r{i}", f"relu{i}"))
            x = f"r{i}"
        nodes.append(wide_quant(x, f"a{i}", f"q{i}", signed=signed, mode=mode))
        x, channels = f"a{i}", width
        if i % 2:
            nodes.append(node("MaxPool", x, f"p{i}", f"pool{i}", kernel_shape=[2, 2], strides=[2, 2]))
            x = f"p{i}"
    features = channels * (size >> len(widths) // 2) ** 2
    constants["wf"] = (rng.choice([-1, 0, 1], (features, 10)) * 0.1).astype(np.float32)
    nodes += [node("Flatten", x, "fl", "fl"), node("MatMul", "fl wf", "y", "fc")]
    return graph_of(nodes, constants, (1, 3, size, size))


def wide_dense(
    inputs: int = 6, outputs: int = 5, weights: np.ndarray | None = None, signed: int = 1, mode: str = "FLOOR",
    scale: float = 2.0**-9, gain: float = 0.37, bits: int = 16, seed: int = 0, bias: float = 1.0,
) -> ModelProto:  # fmt: skip
    """A dense layer, a quantizer of `bits`, and another dense layer; `weights` (inputs, outputs) are integers."""
    rng = np.random.default_rng(seed)
    if weights is None:
        weights = rng.choice([-1, 1], (inputs, outputs))
    constants = {
        "zero": np.float32(0), "bits": np.float32(bits), "inbits": np.float32(16), "qi_s": np.float32(2**-10),
        "q_s": np.float32(scale), "w0": weights.astype(np.float32), "gain": np.float32(gain),
        "b0": (bias * rng.normal(size=outputs)).astype(np.float32),
        "w1": (rng.choice([-1, 0, 1], (outputs, 3)) * 0.5).astype(np.float32),
    }  # fmt: skip
    nodes = [
        wide_quant("x", "xq", "qi", "inbits", 1, "ROUND"), node("MatMul", "xq w0", "s", "first"),
        node("Mul", "s gain", "g", "scaling"), node("Add", "g b0", "t", "bias"),
        wide_quant("t", "a", "q", signed=signed, mode=mode),
        node("MatMul", "a w1", "y", "last"),
    ]  # fmt: skip
    return graph_of(nodes, constants, (1, inputs))


def wide_uneven(mode: str = "FLOOR", signed: int = 1) -> ModelProto:
    """A dense layer of which channels reach all codes, few far from zero, one alone, and none but an end."""
    rng = np.random.default_rng(11)
    gain = np.array([[0.37, 1e-4, 0.0, 0.21, 3e-3, 0.05, 2.53, 1e-4]], np.float32)
    bias = np.array([[0, 40.3, -17.2, 900, -30.7, 20, 0, 3.0]], np.float32)
    constants = {
        "zero": np.float32(0), "bits": np.float32(16), "inbits": np.float32(16), "qi_s": np.float32(2**-10),
        "q_s": np.float32(2**-9), "w0": rng.choice([-1, 1], (24, 8)).astype(np.float32), "gain": gain, "bias": bias,
        "w1": rng.integers(-1, 2, (8, 3)).astype(np.float32),
    }  # fmt: skip
    nodes = [
        wide_quant("x", "xq", "qi", "inbits", 1, "ROUND"), node("MatMul", "xq w0", "s", "first"),
        node("Mul", "s gain", "g", "scaling"), node("Add", "g bias", "t", "bias"),
        wide_quant("t", "a", "q", signed=signed, mode=mode), node("MatMul", "a w1", "y", "last"),
    ]  # fmt: skip
    return graph_of(nodes, constants, (1, 24))
