"""Integer graphs (docs/integer-graph.md) built by hand or at random, for tests of everything that reads one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.graph import Network
from crq.hw.ir.layers import smallest_format


class GraphBuilder:
    """Adds one node per call; each call takes and returns tensor names. `finish(name)` gives the ModelWrapper.

    `shape` is (C, H, W), (C, L) or (C,). Weights and thresholds are drawn from `rng` unless given.
    """

    def __init__(self, shape: Sequence[int], dtype: str = "UINT8", seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.input = "x"
        self.shapes: dict[str, list[int]] = {"x": [1, *shape]}
        self.types: dict[str, str] = {"x": dtype}
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, tuple[NDArray[np.float32], str]] = {}
        self.count = 0

    # -- nodes

    def conv(
        self, x: str, out: int, kernel: Sequence[int] = (3, 3), strides: Sequence[int] | None = None,
        pads: Sequence[int] | None = None, dilations: Sequence[int] | None = None, group: int = 1,
        weight_type: str = "TERNARY", weights: NDArray[np.int64] | None = None,
    ) -> str:  # fmt: skip
        n = len(kernel)
        strides, dilations = list(strides or [1] * n), list(dilations or [1] * n)
        pads = list(pads if pads is not None else [0] * (2 * n))
        c, *size = self.shapes[x][1:]
        if weights is None:
            weights = self.codes((out, c // group, *kernel), weight_type)
        spatial = [
            (size[i] + pads[i] + pads[n + i] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1 for i in range(n)
        ]
        attributes = {
            "kernel_shape": list(kernel), "strides": strides, "pads": pads, "dilations": dilations, "group": group,
        }  # fmt: skip
        name = self.name("conv")
        w = self.constant(f"{name}_w", weights, weight_type)
        return self.node("Conv", name, [x, w], [1, out, *spatial], **attributes)

    def matmul(self, x: str, out: int, weight_type: str = "TERNARY", weights: NDArray[np.int64] | None = None) -> str:
        if weights is None:
            weights = self.codes((self.shapes[x][1], out), weight_type)
        name = self.name("fc")
        return self.node("MatMul", name, [x, self.constant(f"{name}_w", weights, weight_type)], [1, out])

    def threshold(self, x: str, bits: int = 4, signed: bool = False, table: NDArray[np.int64] | None = None) -> str:
        """`table`: (C, 2**bits - 1); by default spread over the reachable interval of each channel, with ties."""
        qmin = -(1 << (bits - 1)) if signed else 0
        if table is None:
            tensor = Network(self.finish(x)).outputs[0]
            steps = (1 << bits) - 1
            u = np.sort(self.rng.random((tensor.shape.c, steps)) * 0.7 + 0.15, axis=1)
            table = np.rint(tensor.lo[:, None] + u * (tensor.hi - tensor.lo)[:, None]).astype(np.int64)
        name = self.name("act")
        code_type = f"{'INT' if signed else 'UINT'}{bits}" if bits > 1 or signed else "BINARY"
        fmt = smallest_format(int(table.min()), int(table.max()))
        return self.node(
            "MultiThreshold", name, [x, self.constant(f"{name}_t", table, fmt.qonnx)], self.shapes[x],
            domain="qonnx.custom_op.general", out_dtype=code_type, out_scale=1.0, out_bias=float(qmin),
            data_layout=self.layout(x),
        )  # fmt: skip

    def bipolar(self, x: str) -> str:
        """Codes {-1, +1} as 2·#{x >= T} - 1 cannot be a MultiThreshold of step 1: a two-step table gives -1 or +1."""
        tensor = Network(self.finish(x)).outputs[0]
        middle = (tensor.lo + tensor.hi) // 2
        table = np.stack([middle, middle], axis=1)
        name = self.name("sign")
        fmt = smallest_format(int(table.min()), int(table.max()))
        return self.node(
            "MultiThreshold", name, [x, self.constant(f"{name}_t", table, fmt.qonnx)], self.shapes[x],
            domain="qonnx.custom_op.general", out_dtype="INT2", out_scale=1.0, out_bias=-1.0,
            data_layout=self.layout(x),
        )  # fmt: skip

    def negate(self, x: str, signs: NDArray[np.int64] | None = None) -> str:
        c = self.shapes[x][1]
        signs = self.rng.choice([-1, 1], c) if signs is None else signs
        name = self.name("neg")
        return self.node("Mul", name, [x, self.per_channel(f"{name}_s", x, signs, "BIPOLAR")], self.shapes[x])

    def shift(self, x: str, bits: int) -> str:
        name = self.name("shift")
        fmt = smallest_format(0, 1 << bits)
        return self.node("Mul", name, [x, self.constant(f"{name}_s", np.array(1 << bits), fmt.qonnx)], self.shapes[x])

    def add(self, x: str, y: str) -> str:
        return self.node("Add", self.name("add"), [x, y], self.shapes[x])

    def bias(self, x: str, values: NDArray[np.int64] | None = None) -> str:
        values = self.rng.integers(-50, 50, self.shapes[x][1]) if values is None else values
        name = self.name("bias")
        fmt = smallest_format(int(values.min()), int(values.max()))
        return self.node("Add", name, [x, self.per_channel(f"{name}_b", x, values, fmt.qonnx)], self.shapes[x])

    def max_pool(
        self, x: str, kernel: Sequence[int] = (2, 2), strides: Sequence[int] | None = None,
        pads: Sequence[int] | None = None,
    ) -> str:  # fmt: skip
        n = len(kernel)
        strides, pads = list(strides or kernel), list(pads if pads is not None else [0] * (2 * n))
        c, *size = self.shapes[x][1:]
        spatial = [(size[i] + pads[i] + pads[n + i] - kernel[i]) // strides[i] + 1 for i in range(n)]
        attributes = {"kernel_shape": list(kernel), "strides": strides, "pads": pads, "ceil_mode": 0}
        return self.node("MaxPool", self.name("pool"), [x], [1, c, *spatial], **attributes)

    def sum_pool(self, x: str, kernel: Sequence[int], strides: Sequence[int] | None = None) -> str:
        """A depthwise convolution whose weights are all +1."""
        c = self.shapes[x][1]
        return self.conv(x, c, kernel, strides or kernel, group=c, weights=np.ones((c, 1, *kernel), np.int64))

    def global_sum(self, x: str) -> str:
        shape = self.shapes[x]
        name = self.name("gsum")
        axes = np.arange(2, len(shape), dtype=np.int64)
        self.constants[f"{name}_axes"] = (axes, "INT64")
        return self.node("ReduceSum", name, [x, f"{name}_axes"], [*shape[:2]] + [1] * (len(shape) - 2), keepdims=1)

    def concat(self, *xs: str) -> str:
        shape = list(self.shapes[xs[0]])
        shape[1] = sum(self.shapes[x][1] for x in xs)
        return self.node("Concat", self.name("concat"), list(xs), shape, axis=1)

    def enlarge(self, x: str, factor: Sequence[int] = (2, 2), parts: bool = False) -> str:
        """Every pixel as a block of copies, or of `parts` of its channels."""
        c, *size = self.shapes[x][1:]
        block = int(np.prod(factor))
        outputs = c // block if parts else c
        single = np.tile(np.eye(block), (outputs, 1)) if parts else np.ones((c, block))
        name = self.name("grow")
        w = self.constant(f"{name}_w", single.reshape(-1, 1, *factor).astype(np.int64), "BINARY")
        spatial = [n * f for n, f in zip(size, factor, strict=True)]
        attributes = {"kernel_shape": list(factor), "strides": list(factor), "group": outputs}
        return self.node("ConvTranspose", name, [x, w], [1, outputs, *spatial], **attributes)

    def flatten(self, x: str) -> str:
        return self.node("Flatten", self.name("flat"), [x], [1, int(np.prod(self.shapes[x][1:]))], axis=1)

    # -- helpers

    def codes(self, shape: Sequence[int], weight_type: str = "TERNARY") -> NDArray[np.int64]:
        dtype = DataType[weight_type]
        if weight_type == "TERNARY":
            return self.rng.choice([-1, 0, 1], shape, p=[0.3, 0.4, 0.3])
        if weight_type == "BIPOLAR":
            return self.rng.choice([-1, 1], shape)
        return self.rng.integers(max(-127, int(dtype.min())), int(dtype.max()) + 1, shape)

    def layout(self, x: str) -> str:
        """qonnx takes a rank of 3 for (N, W, C) unless told otherwise."""
        return {2: "NC", 3: "NCW", 4: "NCHW"}[len(self.shapes[x])]

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def per_channel(self, name: str, x: str, values: NDArray[np.int64], dtype: str) -> str:
        return self.constant(name, values.reshape(1, -1, *[1] * (len(self.shapes[x]) - 2)), dtype)

    def constant(self, name: str, values: NDArray[np.int64], dtype: str) -> str:
        self.constants[name] = (np.asarray(values, np.float32), dtype)
        return name

    def node(
        self, op: str, name: str, inputs: list[str], shape: Sequence[int], domain: str = "", **attrs: object
    ) -> str:  # fmt: skip
        out = f"{name}_out"
        self.nodes.append(helper.make_node(op, inputs, [out], name=name, domain=domain, **attrs))
        self.shapes[out] = list(shape)
        return out

    def finish(self, output: str, input_scale: float = 2.0**-8, output_scale: float = 1.0) -> ModelWrapper:
        """The graph up to tensor `output`, every tensor annotated with the type of its exact range."""
        needed, nodes = {output}, []
        for node in reversed(self.nodes):
            if node.output[0] in needed:
                needed.update(node.input)
                nodes.insert(0, node)
        value = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.shapes.items()}
        inner = [value[n.output[0]] for n in nodes if n.output[0] != output]
        graph = helper.make_graph(nodes, "random", [value["x"]], [value[output]], value_info=inner)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
        model = ModelWrapper(helper.make_model(graph, opset_imports=opsets, ir_version=8))
        for name, (array, dtype) in self.constants.items():
            if name in needed:
                model.set_initializer(name, array)
                if dtype != "INT64":
                    model.set_tensor_datatype(name, DataType[dtype])
        model.set_tensor_datatype("x", DataType[self.types["x"]])
        model.set_metadata_prop("crq.input.scale", json.dumps(input_scale))
        model.set_metadata_prop("crq.output.scale", json.dumps(output_scale))
        network = Network(model)
        for layer in network:
            model.set_tensor_datatype(layer.output.name, DataType[layer.output.format.qonnx])
        return model


def small_cnn(seed: int = 0, size: int = 8, channels: int = 1, widths: tuple[int, int] = (4, 6)) -> ModelWrapper:
    """conv, threshold, max pool, conv, threshold, flatten, dense, bias: the shape of the digits network."""
    g = GraphBuilder((channels, size, size), seed=seed)
    h = g.threshold(g.conv("x", widths[0], pads=(1, 1, 1, 1)), 2)
    h = g.max_pool(h)
    h = g.threshold(g.conv(h, widths[1], pads=(1, 1, 1, 1)), 4)
    return g.finish(g.bias(g.matmul(g.flatten(h), 10)))


def global_pool_net(seed: int = 0) -> ModelWrapper:
    """Strided convolution, signed codes, sum pool with its own thresholds, global sum, dense with integer weights."""
    g = GraphBuilder((3, 9, 11), seed=seed)
    h = g.threshold(g.conv("x", 8, (3, 2), strides=(2, 1), pads=(0, 1, 2, 0), weight_type="INT4"), 4)
    h = g.threshold(g.sum_pool(h, (2, 2)), 3, signed=True)
    h = g.global_sum(h)
    return g.finish(g.bias(g.matmul(g.flatten(h), 5, "INT8")))


def residual_net(seed: int = 0, channels: int = 4, size: int = 8) -> ModelWrapper:
    """A residual block with a strided, convolved shortcut and an aligned identity one; 6-bit codes after the sums."""
    g = GraphBuilder((3, size, size), seed=seed)
    same = (1, 1, 1, 1)
    x = g.threshold(g.conv("x", channels, pads=same), 4)
    h = g.threshold(g.conv(x, channels, pads=same), 4)
    h = g.threshold(g.conv(h, channels, pads=same), 6, signed=True)
    x = g.threshold(g.add(h, g.shift(x, 1)), 6)
    h = g.threshold(g.conv(x, 2 * channels, strides=(2, 2), pads=same), 4)
    h = g.threshold(g.conv(h, 2 * channels, pads=same), 5, signed=True)
    s = g.threshold(g.conv(x, 2 * channels, (1, 1), strides=(2, 2)), 5, signed=True)
    x = g.threshold(g.negate(g.add(h, s)), 4)
    x = g.global_sum(x)
    return g.finish(g.matmul(g.flatten(x), 7))


def depthwise_net(seed: int = 0) -> ModelWrapper:
    """Depthwise, pointwise, grouped and dilated convolutions, concat, overlapping padded max pool."""
    g = GraphBuilder((2, 10, 7), "INT8", seed=seed)
    h = g.threshold(g.conv("x", 6, (1, 1)), 4)
    d = g.threshold(g.conv(h, 6, group=6, pads=(1, 1, 1, 1)), 3)
    e = g.threshold(g.conv(h, 4, group=2, pads=(2, 2, 2, 2), dilations=(2, 2)), 4)
    h = g.concat(d, e)
    h = g.max_pool(h, (3, 3), (2, 2), (1, 1, 1, 1))
    h = g.bipolar(g.conv(h, 5, (2, 2), weight_type="BIPOLAR"))
    h = g.threshold(g.conv(h, 4, (2, 2), pads=(0, 1, 1, 0)), 2)
    return g.finish(g.bias(g.matmul(g.flatten(h), 4)))


def one_dimensional_net(seed: int = 0) -> ModelWrapper:
    """1-D convolutions with stride, dilation and uneven padding, 1-D max pool, a dense layer followed by codes."""
    g = GraphBuilder((3, 20), "INT6", seed=seed)
    h = g.threshold(g.conv("x", 4, (5,), strides=(2,), pads=(1, 3)), 4)
    h = g.threshold(g.conv(h, 6, (3,), dilations=(2,), pads=(2, 2), group=2), 8)
    h = g.max_pool(h, (2,))
    h = g.threshold(g.matmul(g.flatten(h), 8), 2)
    return g.finish(g.matmul(h, 3))


def u_net(seed: int = 0) -> ModelWrapper:
    """Down by a pool, up by copies and by parts of channels, with a skip between; uneven factors; codes of signs."""
    g = GraphBuilder((2, 4, 4), "UINT4", seed=seed)
    top = g.threshold(g.conv("x", 4, pads=(1, 1, 1, 1)), 3)
    h = g.threshold(g.conv(g.max_pool(top), 4, pads=(1, 1, 1, 1)), 3, signed=True)
    up = g.concat(g.enlarge(h, parts=True), g.enlarge(h), top)
    h = g.threshold(g.conv(up, 6, (1, 1)), 3, signed=True)
    return g.finish(g.bias(g.conv(g.enlarge(h, (1, 3), parts=True), 2, (3, 2))))


NETWORKS: dict[str, Callable[[int], ModelWrapper]] = {
    "small_cnn": small_cnn,
    "global_pool_net": global_pool_net,
    "residual_net": residual_net,
    "depthwise_net": depthwise_net,
    "one_dimensional_net": one_dimensional_net,
}


def resnet(blocks: int = 3, size: int = 32, widths: Sequence[int] = (16, 32, 64), seed: int = 0) -> ModelWrapper:
    """ResNet-(6·blocks + 2) for CIFAR with random ternary weights, 4-bit codes and 8-bit signed residual operands."""
    g = GraphBuilder((3, size, size), seed=seed)
    same = (1, 1, 1, 1)
    x = g.threshold(g.conv("x", widths[0], pads=same), 4)
    for stage, width in enumerate(widths):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            h = g.threshold(g.conv(x, width, strides=(stride, stride), pads=same), 4)
            h = g.threshold(g.conv(h, width, pads=same), 8, signed=True)
            x = g.threshold(g.conv(x, width, (1, 1), strides=(2, 2)), 8, signed=True) if stride > 1 else g.shift(x, 2)
            x = g.threshold(g.add(h, x), 4)
    return g.finish(g.bias(g.matmul(g.flatten(g.global_sum(x)), 10)))


def random_input(model: ModelWrapper, count: int, seed: int = 0) -> NDArray[np.int64]:
    """`count` images of uniformly drawn input codes, int64, shape (count, *input shape without the batch)."""
    name = model.graph.input[0].name
    dtype = model.get_tensor_datatype(name)
    shape = model.get_tensor_shape(name)[1:]
    rng = np.random.default_rng(seed)
    return rng.integers(int(dtype.min()), int(dtype.max()) + 1, (count, *shape), dtype=np.int64)
