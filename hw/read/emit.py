"""Writes the integer graph (docs/integer-graph.md), node by node."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.custom_op import DOMAIN
from crq.hw.ir.layers import IntArray, smallest_format
from crq.hw.ir.metadata import Metadata
from crq.hw.ir.progression import Progression
from crq.hw.ir.ranges import sum_range
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Int
from crq.hw.read.weights import weight_type

OPSET = 13
EXACT = 1 << 53
"""Sums below this are exact in float64, in which they are checked."""

EXACT_FLOAT32 = 1 << 24
"""Constants up to this are stored in float32, which qonnx executes; larger ones in float64."""

MAX_VALUES = 1 << 26
"""Most values in one activation, and in one threshold table: a guard against hostile shapes."""

MAX_STORED = 1 << 28
"""Most numbers that describe a whole graph, constants and intervals: a guard against many large nodes."""


def guard(name: str, *sizes: int) -> None:
    """Refuse a tensor of these dimensions before anything of its size is allocated."""
    total = 1
    for size in sizes:
        total *= int(size)
    if total > MAX_VALUES:
        refuse("too-large", f"node {name!r}", f"a tensor of dimensions {[int(s) for s in sizes]}")


class Emitter:
    """Collects nodes; `finish` gives the ModelWrapper."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.types: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.names: set[str] = set()
        self.stored = 0

    def _store(self, name: str, count: int) -> None:
        self.stored += count
        if self.stored > MAX_STORED:
            refuse("too-large", f"node {name!r}", f"with it the graph holds {self.stored:,} numbers")

    def unique(self, name: str) -> str:
        """A C identifier near `name` that no node has yet."""
        base = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "node"
        base = f"n_{base}" if base[0].isdigit() else base
        result, n = base, 2
        while result in self.names:
            result, n = f"{base}_{n}", n + 1
        self.names.add(result)
        return result

    def input(self, name: str, shape: tuple[int, ...], type_: str, range_: tuple[int, int] | None = None) -> Int:
        """An input near `name`. `range_`: lowest and highest code, where they are not those of the type."""
        guard(name, *shape)
        dtype = DataType[type_]
        ends = (np.full(shape[0], v, np.int64) for v in range_ or (dtype.min(), dtype.max()))
        made = Int(self.unique(name), shape, *ends)
        self.types[made.name], self.shapes[made.name] = type_, shape
        return made

    def part(self, name: str, shape: tuple[int, ...], type_: str, range_: tuple[int, int]) -> Int:
        """A tensor that a layer behind the input is still to give (crq.hw.read.inputs)."""
        guard(name, *shape)
        self.types[name], self.shapes[name] = type_, shape
        return Int(name, shape, *(np.full(shape[0], v, np.int64) for v in range_))

    def constant(self, name: str, values: IntArray, type_: str | None = None) -> str:
        self._store(name, values.size)
        peak = int(np.abs(values).max(initial=0))
        if peak > EXACT:
            refuse("range", f"constant {name!r}", f"holds {peak}")
        stored = values.astype(np.float32 if peak <= EXACT_FLOAT32 else np.float64)
        self.initializers.append(numpy_helper.from_array(stored, name))
        self.types[name] = type_ or smallest_format(int(values.min(initial=0)), int(values.max(initial=0))).qonnx
        return name

    def node(
        self,
        op: str,
        name: str,
        inputs: Sequence[str],
        shape: tuple[int, ...],
        lo: IntArray,
        hi: IntArray,
        domain: str = "",
        **attributes: Any,
    ) -> Int:
        """Append a node whose result has `shape` (no batch) and lies in [lo, hi]."""
        guard(name, *shape)
        self._store(name, 2 * shape[0])
        peak = max(int(np.abs(lo).max(initial=0)), int(np.abs(hi).max(initial=0)))
        if peak >= EXACT:
            refuse("range", f"node {name!r} ({op})", f"results up to {peak}")
        output = f"{name}_out"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name, domain=domain, **attributes))
        self.types[output] = smallest_format(int(lo.min(initial=0)), int(hi.max(initial=0))).qonnx
        self.shapes[output] = shape
        return Int(output, shape, lo, hi)

    # -- the operators of the integer graph --------------------------------------------------------------------

    def conv(
        self,
        name: str,
        x: Int,
        codes: IntArray,
        stride: Sequence[int],
        pads: Sequence[int],
        dilation: Sequence[int],
        groups: int,
        type_: str | None = None,
    ) -> Int:
        """codes (O, I/groups, …); pads in ONNX order (all begins, then all ends)."""
        name = self.unique(name)
        kernel, rank = codes.shape[2:], codes.ndim - 2
        size = [
            (n + pads[i] + pads[i + rank] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1
            for i, n in enumerate(x.shape[1:])
        ]
        if min(size) < 1:
            refuse("malformed", f"node {name!r} (Conv)", f"window {tuple(kernel)} does not fit input {x.shape[1:]}")
        weights = self.constant(f"{name}_weight", codes, type_ or weight_type(name, codes))
        lo, hi = sum_range(codes, x.lo, x.hi, groups)
        return self.node(
            "Conv", name, [x.name, weights], (codes.shape[0], *size), lo, hi,
            kernel_shape=list(kernel), strides=list(stride), pads=list(pads), dilations=list(dilation), group=groups,
        )  # fmt: skip

    def padded(self, name: str, x: Int, pads: Sequence[int]) -> Int:
        """Zeros around the pixels (`pads` in ONNX order), as a depthwise convolution of ones; `merge_pad` gives them to
        a convolution behind it."""
        single = [1] * (len(x.shape) - 1)
        ones = np.ones((x.channels, 1, *single), np.int64)
        return self.conv(name, x, ones, single, pads, single, x.channels, type_="TERNARY")

    def matmul(self, name: str, x: Int, codes: IntArray, type_: str) -> Int:
        """codes (I, O)."""
        name = self.unique(name)
        weights = self.constant(f"{name}_weight", codes, type_)
        lo, hi = sum_range(codes.T, x.lo, x.hi, 1)
        return self.node("MatMul", name, [x.name, weights], (codes.shape[1],), lo, hi)

    def negate(self, name: str, x: Int, signs: IntArray) -> Int:
        name = self.unique(name)
        factor = self.constant(f"{name}_signs", _column(signs, x), "BIPOLAR")
        ends = np.sort(np.stack([x.lo * signs, x.hi * signs]), axis=0)
        return self.node("Mul", name, [x.name, factor], x.shape, ends[0], ends[1])

    def threshold(self, name: str, x: Int, table: IntArray, qmin: int) -> Int:
        name = self.unique(name)
        lo, hi = (qmin + (end[:, None] >= table).sum(1) for end in (x.lo, x.hi))
        constant = self.constant(f"{name}_thresholds", table)
        layout = {1: "NC", 2: "NCW", 3: "NCHW"}[len(x.shape)]
        return self.node(
            "MultiThreshold", name, [x.name, constant], x.shape, lo, hi, domain="qonnx.custom_op.general",
            out_dtype=smallest_format(qmin, qmin + table.shape[1]).qonnx, out_scale=1.0, out_bias=float(qmin),
            data_layout=layout,
        )  # fmt: skip

    def progression(self, name: str, x: Int, along: Progression, qmin: int) -> Int:
        """Thresholds that are too many to list."""
        name, lines = self.unique(name), np.stack([along.b, along.D, along.starts], axis=1)
        lo, hi = (qmin + along.met(end) for end in (x.lo, x.hi))
        self._store(name, lines.size)
        self.initializers.append(numpy_helper.from_array(lines, f"{name}_lines"))
        self.types[f"{name}_lines"] = "INT64"
        return self.node(
            "MultiThreshold", name, [x.name, f"{name}_lines"], x.shape, lo, hi, domain=DOMAIN,
            out_dtype=smallest_format(qmin + along.least, qmin + along.highest).qonnx, out_scale=1.0,
            out_bias=float(qmin), data_layout={1: "NC", 2: "NCW", 3: "NCHW"}[len(x.shape)], fraction=along.f,
            levels=along.count, ties=int(along.ties), least=along.least, most=along.highest,
        )  # fmt: skip

    def shift(self, name: str, x: Int, bits: int) -> Int:
        if not bits:
            return x
        name = self.unique(name)
        factor = self.constant(f"{name}_factor", np.array([1 << bits]))
        return self.node("Mul", name, [x.name, factor], x.shape, x.lo << bits, x.hi << bits)

    def bias(self, name: str, x: Int, values: IntArray) -> Int:
        name = self.unique(name)
        constant = self.constant(f"{name}_values", _column(values, x))
        return self.node("Add", name, [x.name, constant], x.shape, x.lo + values, x.hi + values)

    def add(self, name: str, x: Int, y: Int) -> Int:
        return self.node("Add", self.unique(name), [x.name, y.name], x.shape, x.lo + y.lo, x.hi + y.hi)

    def concat(self, name: str, inputs: Sequence[Int]) -> Int:
        shape = (sum(i.channels for i in inputs), *inputs[0].shape[1:])
        lo, hi = (np.concatenate(ends) for ends in zip(*((i.lo, i.hi) for i in inputs), strict=True))
        return self.node("Concat", self.unique(name), [i.name for i in inputs], shape, lo, hi, axis=1)

    def max_pool(self, name: str, x: Int, kernel: Sequence[int], stride: Sequence[int], pads: Sequence[int]) -> Int:
        rank = len(kernel)
        size = [(n + pads[i] + pads[i + rank] - kernel[i]) // stride[i] + 1 for i, n in enumerate(x.shape[1:])]
        return self.node(
            "MaxPool", self.unique(name), [x.name], (x.channels, *size), x.lo, x.hi,
            kernel_shape=list(kernel), strides=list(stride), pads=list(pads),
        )  # fmt: skip

    def global_sum(self, name: str, x: Int) -> Int:
        name = self.unique(name)
        pixels, rank = math.prod(x.shape[1:]), len(x.shape) - 1
        axes = f"{name}_axes"
        self.initializers.append(numpy_helper.from_array(np.arange(2, 2 + rank), axes))
        lo, hi = np.minimum(x.lo, 0) * pixels, np.maximum(x.hi, 0) * pixels
        return self.node("ReduceSum", name, [x.name, axes], (x.channels, *[1] * rank), lo, hi, keepdims=1)

    def enlarge(self, name: str, x: Int, factor: Sequence[int], parts: int) -> Int:
        """Each pixel becomes a block of `factor` pixels: copies (`parts` 1), or of so many neighbouring channels."""
        name, outputs, block = self.unique(name), x.channels // parts, math.prod(factor)
        size = [n * f for n, f in zip(x.shape[1:], factor, strict=True)]
        guard(name, outputs, *size)
        guard(name, x.channels, block)
        single = np.tile(np.eye(block, dtype=np.int64), (outputs, 1)) if parts > 1 else np.ones((outputs, block))
        weights = self.constant(f"{name}_block", single.astype(np.int64).reshape(-1, 1, *factor), "BINARY")
        lo, hi = x.lo.reshape(-1, parts).min(1), x.hi.reshape(-1, parts).max(1)
        return self.node(
            "ConvTranspose", name, [x.name, weights], (outputs, *size), lo, hi,
            kernel_shape=list(factor), strides=list(factor), group=outputs,
        )  # fmt: skip

    def ranked(self, name: str, x: Int, shape: tuple[int, ...]) -> Int:
        """A signal (C, L) as an image of one row (C, 1, L), or the reverse."""
        name, op = self.unique(name), "Unsqueeze" if len(shape) > len(x.shape) else "Squeeze"
        axes = f"{name}_axes"
        self.initializers.append(numpy_helper.from_array(np.array([2]), axes))
        return self.node(op, name, [x.name, axes], shape, x.lo, x.hi)

    def flatten(self, name: str, x: Int) -> Int:
        pixels = math.prod(x.shape[1:])
        guard(name, x.channels, pixels)
        lo, hi = np.repeat(x.lo, pixels), np.repeat(x.hi, pixels)
        return self.node("Flatten", self.unique(name), [x.name], (x.channels * pixels,), lo, hi, axis=1)

    def finish(self, inputs: Sequence[Int], outputs: Sequence[Int], metadata: Metadata) -> ModelWrapper:
        """The graph of `inputs` with `outputs` as its results."""
        infos = {
            name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape])
            for name, shape in self.shapes.items()
        }
        ends = [[value.name for value in values] for values in (inputs, outputs)]
        inner = [v for k, v in infos.items() if k not in (*ends[0], *ends[1])]
        given, results = ([infos[name] for name in names] for names in ends)
        graph = helper.make_graph(self.nodes, "integers", given, results, self.initializers, value_info=inner)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("qonnx.custom_op.general", 1)]
        if any(node.domain == DOMAIN for node in self.nodes):
            opsets.append(helper.make_opsetid(DOMAIN, 1))
        proto = helper.make_model(graph, producer_name="crq", opset_imports=opsets)
        proto.ir_version = 8  # the lowest for opset 13: old Netron and FINN read it
        model = ModelWrapper(proto)
        for name, type_ in self.types.items():
            model.set_tensor_datatype(name, DataType[type_])
        metadata.write(model)
        return model


def _column(values: IntArray, x: Int) -> IntArray:
    return values.reshape(1, -1, *[1] * (len(x.shape) - 1))
