"""The integer graph (docs/integer-graph.md) as a list of typed layers with exact integer ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.ir.custom_op import DOMAIN, progression_of
from crq.hw.ir.ends import Entry
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    Flatten,
    GlobalSum,
    IntArray,
    Layer,
    MaxPool,
    Negate,
    Pads,
    Shape,
    Shift,
    Tensor,
    Threshold,
)
from crq.hw.ir.metadata import Metadata
from crq.hw.ir.ports import apart, together
from crq.hw.ir.ranges import input_range, sum_range
from crq.hw.ir.scores import Scores


class Network:
    """The integer graph as a list of layers in topological order.

    Raises `HwError` naming the node if `model` is not an integer graph as docs/integer-graph.md defines it.
    """

    def __init__(self, model: ModelWrapper) -> None:
        self.model, self.metadata = model, Metadata.of(model)
        graph = model.graph
        initializers = {i.name for i in graph.initializer}
        inputs = [i.name for i in graph.input if i.name not in initializers]
        names = [output.name for output in graph.output]
        if not inputs or not names or len({*inputs, *names}) < len(inputs) + len(names):
            raise HwError(f"expected inputs and outputs of different names, found {inputs} and {names}")
        self.layers: list[Layer] = []
        self._tensors: dict[str, Tensor] = {}
        for name, facts in zip(inputs, self.metadata.inputs, strict=True):
            shape = _shape(model, name)
            self._tensors[name] = Tensor(name, shape, *input_range(model, name, facts, shape.c))
        self.inputs = tuple(self._tensors[name] for name in inputs)
        for node in graph.node:
            if node.op_type in RANKS:
                self._tensors[node.output[0]] = self._renamed(node)
                continue
            layer = _Builder(self, model, node).build()
            self.layers.append(layer)
            self._tensors[layer.output.name] = layer.output
        if lost := [name for name in names if name not in self._tensors]:
            raise HwError(f"output {lost[0]!r} is produced by no node")
        self.outputs = tuple(self._tensors[name] for name in names)

    def _renamed(self, node: NodeProto) -> Tensor:
        """A signal (N, C, L) as an image of one row (N, C, 1, L), or the reverse: the same tensor."""
        tensor = self._tensors.get(node.input[0])
        if tensor is None or _shape(self.model, node.output[0]) != tensor.shape:
            raise HwError(
                f"node {node.name!r} ({node.op_type}): only a row of one image becomes a signal, or the reverse"
            )
        return tensor

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> Layer:
        """The layer of that name; KeyError if there is none."""
        return {layer.name: layer for layer in self.layers}[name]

    def tensor(self, name: str) -> Tensor:
        return self._tensors[name]

    def consumers(self, tensor: Tensor) -> list[Layer]:
        return [layer for layer in self.layers if tensor in layer.inputs]

    def producer(self, tensor: Tensor) -> Layer | None:
        """The layer that makes `tensor`; None for an input of the network."""
        return next((layer for layer in self.layers if layer.output is tensor), None)

    def carried(self, tensor: Tensor) -> Tensor:
        """The tensor whose beats carry `tensor`: a flattened image still streams pixel by pixel."""
        producer = self.producer(tensor)
        while isinstance(producer, Flatten):
            tensor = producer.input
            producer = self.producer(tensor)
        return tensor

    @property
    def leaving(self) -> tuple[Tensor, ...]:
        """The tensors whose beats leave, by output."""
        return tuple(self.carried(output) for output in self.outputs)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The inputs, and how the host makes their codes."""
        ranks = [len(self._image(tensor)) for tensor in self.inputs]
        return tuple(Entry(*each) for each in zip(self.inputs, self.metadata.inputs, ranks, strict=True))

    @cached_property
    def scores(self) -> tuple[Scores, ...]:
        """What the integers of each output are worth."""
        shapes = [self._image(tensor) for tensor in self.outputs]
        return tuple(Scores(*each) for each in zip(self.outputs, self.metadata.outputs, shapes, strict=True))

    def _image(self, tensor: Tensor) -> tuple[int, ...]:
        """The shape behind the batch, in the rank that `tensor` has in the graph."""
        return tuple(self.model.get_tensor_shape(tensor.name)[1:])

    def logits(self, integers: IntArray) -> NDArray[np.floating[Any]]:
        """Real outputs of integers, in the same shape: an array (N, C) or (N, C, H, W), or of several outputs as
        crq.hw.ir.ports has them."""
        if len(self.scores) == 1:
            return self.scores[0].logits(integers)
        parts = apart(self.outputs, integers)
        return together([scores.logits(part) for scores, part in zip(self.scores, parts, strict=True)])

    @property
    def gives_classes(self) -> bool:
        """Whether the result is the index of the greatest score, and not the scores."""
        return bool(self.layers) and isinstance(self.layers[-1], ArgMax)

    def results(self, integers: IntArray | tuple[IntArray, ...]) -> Any:
        """What the file gives for its integers, of several outputs a tuple by port; where the file has several outputs
        a tuple in its order."""
        parts = integers if isinstance(integers, tuple) else (integers,)
        pairs = list(zip(self.scores, parts, strict=True))
        given = [result for scores, part in pairs for result in scores.results(part)]
        names = [name for scores in self.scores for name, _ in scores.facts.names]
        if not names:
            return given[0]
        order = self.metadata.output_order or names
        return tuple(given[names.index(name)] for name in order)


RANKS = ("Squeeze", "Unsqueeze")
"""Operations of the integer graph that are no layer: a tensor of another rank."""


def _shape(model: ModelWrapper, name: str) -> Shape:
    dims = model.get_tensor_shape(name)
    if dims is None:
        raise HwError(f"tensor {name!r} has no shape")
    padded = {2: (dims[1:] + [1, 1]), 3: ([*dims[1:2], 1, *dims[2:]]), 4: dims[1:]}.get(len(dims))
    if padded is None:
        raise HwError(f"tensor {name!r}: expected shape (N, C), (N, C, L) or (N, C, H, W), found {dims}")
    return Shape(*(int(d) for d in padded))


class _Builder:
    """Builds one `Layer` from one node."""

    def __init__(self, network: Network, model: ModelWrapper, node: NodeProto) -> None:
        self.network, self.model, self.node = network, model, node
        self.attrs = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        self.constants = [model.get_initializer(i) for i in node.input]
        try:
            self.inputs = tuple(
                network.tensor(i) for i, c in zip(node.input, self.constants, strict=True) if c is None and i
            )
        except KeyError as missing:
            raise self.error(f"input {missing} is produced by no earlier node") from None

    def error(self, message: str) -> HwError:
        return HwError(f"node {self.node.name!r} ({self.node.op_type}): {message}")

    def build(self) -> Layer:
        method = OPERATIONS.get(self.node.op_type)
        if method is None:
            raise self.error("is not an operation of the integer graph (docs/integer-graph.md)")
        return method(self)

    def out(self, lo: IntArray, hi: IntArray) -> Tensor:
        name = self.node.output[0]
        return Tensor(name, _shape(self.model, name), np.asarray(lo, np.int64), np.asarray(hi, np.int64))

    def constant(self) -> NDArray[np.float32]:
        found = [c for c in self.constants if c is not None]
        if len(found) != 1:
            raise self.error(f"expected one initializer, found {len(found)}")
        return found[0]

    def integers(self) -> IntArray:
        values = self.constant()
        result: IntArray = np.rint(values).astype(np.int64) if values.dtype.kind == "f" else values.astype(np.int64)
        if not np.array_equal(result, values):
            raise self.error("its initializer holds values that are no integers")
        return result

    def pair(self, name: str, default: int) -> tuple[int, int]:
        """A spatial attribute as (vertical, horizontal); 1-D networks have height 1."""
        values = [int(v) for v in self.attrs.get(name, [])]
        return (default, values[0]) if len(values) == 1 else (values[0], values[1]) if values else (default, default)

    def pads(self) -> Pads:
        values = [int(v) for v in self.attrs.get("pads", [])]
        return Pads(0, values[0], 0, values[1]) if len(values) == 2 else Pads(*values) if values else Pads(0, 0, 0, 0)

    def _weights(self, weights: IntArray) -> tuple[NDArray[np.int8], str]:
        name = next(i for i, c in zip(self.node.input, self.constants, strict=True) if c is not None)
        dtype = self.model.get_tensor_datatype(name)
        if not dtype.is_integer() or not all(dtype.allowed(v) for v in np.unique(weights)):
            raise self.error(f"weights do not fit their annotation {dtype.name}")
        if weights.min(initial=0) < -128 or weights.max(initial=0) > 127:
            raise self.error("weight codes outside [-128, 127]")
        return weights.astype(np.int8), dtype.name

    def conv(self) -> Layer:
        codes = self.integers()
        if codes.ndim == 3:
            codes = codes[:, :, None, :]
        weights, weight_type = self._weights(codes)
        groups, pads = int(self.attrs.get("group", 1)), self.pads()
        x = self.inputs[0]
        lo, hi = sum_range(codes, x.lo, x.hi, groups)
        return Conv(
            self.node.name, self.inputs, self.out(lo, hi), weights, weight_type, groups,
            self.pair("strides", 1), pads, self.pair("dilations", 1),
        )  # fmt: skip

    def matmul(self) -> Layer:
        x = self.inputs[0]
        codes = self.integers().T  # (O, I), NCHW order
        producer = self.network.producer(x)
        if isinstance(producer, Flatten):
            c, h, w = producer.input.shape
            codes = codes.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(codes.shape)
        if codes.shape[1] != x.shape.size:
            raise self.error(f"{codes.shape[1]} weight rows for {x.shape.size} inputs")
        codes = codes[:, :, None, None]
        weights, weight_type = self._weights(codes)
        return Dense(self.node.name, self.inputs, self.out(*sum_range(codes, x.lo, x.hi, 1)), weights, weight_type, 1)

    def multi_threshold(self) -> Layer:
        x, qmin = self.inputs[0], int(self.attrs.get("out_bias", 0))
        code_type = bytes(self.attrs["out_dtype"]).decode()
        if self.node.domain == DOMAIN:
            along = progression_of(self.node, self.integers())
            ends = (qmin + along.met(end) for end in (x.lo, x.hi))
            return Threshold(self.node.name, self.inputs, self.out(*ends), along, qmin, code_type)
        thresholds = self.integers()
        thresholds = np.broadcast_to(thresholds, (x.shape.c, thresholds.shape[1]))
        if (np.diff(thresholds, axis=1) < 0).any():
            raise self.error("thresholds are not ascending")
        lo = qmin + (x.lo[:, None] >= thresholds).sum(1)
        hi = qmin + (x.hi[:, None] >= thresholds).sum(1)
        return Threshold(self.node.name, self.inputs, self.out(lo, hi), thresholds, qmin, code_type)

    def mul(self) -> Layer:
        x, factor = self.inputs[0], self.integers().reshape(-1)
        if factor.size == 1 and factor[0] > 0:
            bits = int(factor[0]).bit_length() - 1
            if factor[0] != 1 << bits:
                raise self.error(f"factor {factor[0]} is no power of two")
            return Shift(self.node.name, self.inputs, self.out(x.lo << bits, x.hi << bits), bits)
        if not np.isin(factor, (-1, 1)).all():
            raise self.error("factors other than -1 and +1")
        signs = np.broadcast_to(factor, (x.shape.c,))
        lo, hi = np.where(signs > 0, x.lo, -x.hi), np.where(signs > 0, x.hi, -x.lo)
        return Negate(self.node.name, self.inputs, self.out(lo, hi), signs)

    def add(self) -> Layer:
        if len(self.inputs) == 2:
            x, y = self.inputs
            if x.shape != y.shape:
                raise self.error(f"operands of shapes {tuple(x.shape)} and {tuple(y.shape)}")
            return Add(self.node.name, self.inputs, self.out(x.lo + y.lo, x.hi + y.hi))
        x = self.inputs[0]
        values = np.broadcast_to(self.integers().reshape(-1), (x.shape.c,))
        return Bias(self.node.name, self.inputs, self.out(x.lo + values, x.hi + values), values)

    def max_pool(self) -> Layer:
        x = self.inputs[0]
        kernel, stride = self.pair("kernel_shape", 1), self.pair("strides", 1)
        return MaxPool(self.node.name, self.inputs, self.out(x.lo, x.hi), kernel, stride, self.pads())

    def reduce_sum(self) -> Layer:
        x = self.inputs[0]
        n = x.shape.pixels
        lo, hi = np.minimum(x.lo, 0) * n, np.maximum(x.hi, 0) * n
        return GlobalSum(self.node.name, self.inputs, self.out(lo, hi))

    def concat(self) -> Layer:
        lo = np.concatenate([t.lo for t in self.inputs])
        hi = np.concatenate([t.hi for t in self.inputs])
        return Concat(self.node.name, self.inputs, self.out(lo, hi))

    def flatten(self) -> Layer:
        x = self.inputs[0]
        pixels = x.shape.pixels
        name = self.node.output[0]
        if pixels > 1 and any(n.op_type != "MatMul" for n in self.model.graph.node if name in n.input):
            raise self.error("only MatMul may follow a flattened image: its order is that of the stream")
        return Flatten(self.node.name, self.inputs, self.out(np.tile(x.lo, pixels), np.tile(x.hi, pixels)))

    def arg_max(self) -> Layer:
        if int(self.attrs.get("axis", 0)) != 1 or not self.attrs.get("keepdims", 1):
            raise self.error("expected axis 1 and keepdims 1")
        x = self.inputs[0]
        return ArgMax(self.node.name, self.inputs, self.out(np.zeros(1, np.int64), np.full(1, x.shape.c - 1)))

    def enlarge(self) -> Layer:
        """A transposed convolution whose windows do not meet: W (I, 1, rows, columns), a group per output."""
        x, weights = self.inputs[0], self.integers()
        factor, groups = self.pair("kernel_shape", 1), int(self.attrs.get("group", 1))
        weights = weights.reshape(len(weights), -1)
        block = factor[0] * factor[1]
        parts = x.shape.c // max(groups, 1)
        expected = np.tile(np.eye(block, dtype=np.int64), (groups, 1)) if parts > 1 else np.ones((groups, block))
        plain = self.pair("strides", 1) == factor and not any(self.pads())
        if not plain or parts not in (1, block) or not np.array_equal(weights, expected):
            raise self.error("is no enlargement: kernels as large as the strides, of ones or of a single one each")
        lo, hi = x.lo.reshape(-1, parts).min(1), x.hi.reshape(-1, parts).max(1)
        return Enlarge(self.node.name, self.inputs, self.out(lo, hi), factor, parts)


OPERATIONS: dict[str, Callable[[_Builder], Layer]] = {
    "Conv": _Builder.conv, "MatMul": _Builder.matmul, "MultiThreshold": _Builder.multi_threshold, "Mul": _Builder.mul,
    "Add": _Builder.add, "MaxPool": _Builder.max_pool, "ReduceSum": _Builder.reduce_sum, "Concat": _Builder.concat,
    "Flatten": _Builder.flatten, "ConvTranspose": _Builder.enlarge, "ArgMax": _Builder.arg_max,
}  # fmt: skip
"""The operations of the integer graph."""
