"""A frozen model as one QONNX file (design §4): 2-bit packed weights, α after the sum, Quant nodes for activations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import crq
from crq.convert import moved
from crq.convert import steps as ops
from crq.convert.frozen import INPUT, FrozenModel
from crq.convert.step import Step
from crq.convert.windows import outputs_first
from crq.export.activations import SPELLINGS
from crq.export.errors import ExportError
from crq.export.lower import lower_quant
from crq.export.moves import MOVES, Writing
from crq.export.packing import pack, unpack_table
from crq.files import atomic_path

Carrier = Literal["packed", "int2", "float"]
SCHEMA_VERSION = 1
QONNX_DOMAIN = "qonnx.custom_op.general"
# 13: the lowest that has every operator used, so that old tools read the file; INT2 tensors need 25.
OPSET: dict[str, int] = {"packed": 13, "float": 13, "int2": 25}
# onnxruntime 1.31 reads IR versions up to 13; opset 25 wants at least 13.
IR_VERSION: dict[str, int] = {"packed": 8, "float": 8, "int2": 13}


def to_qonnx(
    model: FrozenModel,
    path: str | Path,
    *,
    carrier: Carrier = "packed",
    metadata: Mapping[str, str] | None = None,
) -> ModelProto:
    """Write `model` to `path` (atomically) and return the ModelProto.

    carrier: `packed` (2-bit codes in uint8, unpacked by standard nodes: loads everywhere), `int2` (ONNX INT2 tensors
    and standard activations: for onnxruntime), `float` (codes as floats, for old tools). `metadata` is added to the
    file's metadata_props under `crq.`. Raises `ExportError` if a sum could leave the exact range of float32.
    """
    if not isinstance(model, FrozenModel):
        raise ExportError(f"expected the result of crq.freeze, got {type(model).__name__}")
    if carrier not in get_args(Carrier):
        raise ExportError(f"carrier {carrier!r}: expected one of {', '.join(get_args(Carrier))}")
    proto = _Writer(model, carrier).run({**model.metadata, **(metadata or {})})
    if carrier == "int2":
        proto = lower_quant(proto)
    onnx.checker.check_model(proto, full_check=carrier == "int2")  # Quant's shape function is qonnx's
    with atomic_path(path) as temporary:
        temporary.write_bytes(proto.SerializeToString(deterministic=True))
    return proto


class _Writer:
    """Emits one node after another; every activation tensor holds values (code × scale)."""

    def __init__(self, model: FrozenModel, carrier: str) -> None:
        self.model, self.carrier = model, carrier
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self.values: dict[str, str] = {}  # step → tensor
        self.layers: list[dict[str, Any]] = []

    def run(self, metadata: Mapping[str, str]) -> ModelProto:
        spec = self.model.input
        self.values[INPUT] = self._quant(
            "input_quant", self._preprocessed("input"), spec.scale, spec.bits, spec.signed, narrow=False
        )  # fmt: skip
        for wire in self.model.wires:
            step = self.model.steps[wire.name]
            assert isinstance(step, Step)
            inputs = self._distinct(wire.name, wire.inputs)
            self.values[wire.name] = WRITERS[type(step)](self, wire.name, step, *inputs)
        self.renamed = self.nodes[-1].output[0]
        self.nodes[-1].output[0] = "logits"
        with torch.no_grad():
            logits = self.model(torch.zeros(1, *spec.shape, dtype=torch.int64))
        graph = helper.make_graph(
            self.nodes,
            "crq",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", *spec.shape])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", *logits.shape[1:]])],
            list(self.initializers.values()),
        )
        opsets = [helper.make_opsetid("", OPSET[self.carrier])]
        if any(n.domain == QONNX_DOMAIN for n in self.nodes):
            opsets.append(helper.make_opsetid(QONNX_DOMAIN, 1))
        proto = helper.make_model(
            graph, producer_name="crq", producer_version=crq.__version__, opset_imports=opsets
        )  # fmt: skip
        proto.ir_version = IR_VERSION[self.carrier]
        props = {
            "schema_version": str(SCHEMA_VERSION),
            "carrier": self.carrier,
            "frozen_hash": self.model.content_hash,
            "layers": json.dumps(self.layers),
            "steps": json.dumps(self._code_tensors()),
            **metadata,
        }
        helper.set_model_props(proto, {f"crq.{k}": str(v) for k, v in sorted(props.items())})
        return proto

    def _preprocessed(self, x: str) -> str:
        """The host's steps on real values; the reader of the file records them."""
        spec = self.model.input
        for index, (kind, constant) in enumerate(spec.preprocessing):
            value = np.asarray(constant, np.float32)
            value = value.reshape(1, -1, *[1] * (len(spec.shape) - 1)) if value.ndim else value
            name = f"preprocess{index}"
            operands = x, self._constant(f"{name}.constant", value)
            x = self._node(kind.removeprefix("R"), name, *(operands[::-1] if kind == "RSub" else operands))
        return x

    def _code_tensors(self) -> dict[str, str]:
        """The tensor of each step that gives codes: what a reader compares, step by step, with the frozen model."""
        found = {step: self.values[step] for step in self.model.code_steps()}
        return {step: "logits" if tensor == self.renamed else tensor for step, tensor in found.items()}

    def _distinct(self, name: str, steps: Sequence[str]) -> list[str]:
        """The tensors of `steps`, each under a name of its own.

        What a node reads twice goes through an Identity: qonnx's cleanup renames only the first of equal inputs.
        """
        tensors = []
        for i, step in enumerate(steps):
            tensor = self.values[step]
            tensors.append(self._node("Identity", f"{name}_again{i}", tensor) if tensor in tensors else tensor)
        return tensors

    # -- pieces ------------------------------------------------------------------------------------------------

    def _constant(self, name: str, value: NDArray[Any] | float) -> str:
        if name not in self.initializers:
            array = np.asarray(value, np.float32) if isinstance(value, float) else np.asarray(value)
            self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def _node(self, op: str, name: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"{name}_out"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name, domain=domain, **attributes))
        return output

    def _quant(self, name: str, x: str, scale: float, bits: int, signed: bool, narrow: bool) -> str:
        constants = [
            self._constant(f"scale_{float(scale).hex()}", float(scale)),
            self._constant("zero_point", 0.0),
            self._constant(f"bits_{bits}", float(bits)),
        ]
        return self._node(
            "Quant",
            name,
            x,
            *constants,
            domain=QONNX_DOMAIN,
            signed=int(signed),
            narrow=int(narrow),
            rounding_mode="ROUND",
        )

    def _weights(self, name: str, codes: NDArray[np.int8], bits: int) -> str:
        if bits == 2 and self.carrier == "packed":
            x = self._unpacking(name, codes)
        elif bits == 2 and self.carrier == "int2":
            tensor = helper.make_tensor(
                f"{name}.weight", TensorProto.INT2, codes.shape, pack(codes).tobytes(), raw=True
            )  # fmt: skip
            self.initializers[tensor.name] = tensor
            return self._node("DequantizeLinear", f"{name}_weight", tensor.name, self._constant("one", 1.0))
        elif self.carrier == "float":
            x = self._constant(f"{name}.weight", codes.astype(np.float32))
        else:
            x = self._node(
                "Cast", f"{name}_weight_float", self._constant(f"{name}.weight", codes), to=TensorProto.FLOAT
            )  # fmt: skip
        return self._quant(f"{name}_weight", x, 1.0, bits, signed=True, narrow=True)

    def _unpacking(self, name: str, codes: NDArray[np.int8]) -> str:
        """uint8 initializer → codes, by standard operators that every runtime folds."""
        prefix = f"{name}_unpack"
        x = self._constant(f"{name}.weight.packed", pack(codes))
        x = self._node("Cast", f"{prefix}_index", x, to=TensorProto.INT64)
        x = self._node("Gather", f"{prefix}_codes", self._constant("unpack_table", unpack_table()), x, axis=0)
        x = self._node("Reshape", f"{prefix}_flat", x, self._constant("shape_flat", np.array([-1])))
        if codes.size % 4:
            ends = (self._constant(f"{name}.{k}", np.array([v])) for k, v in (("start", 0), ("end", codes.size)))
            x = self._node("Slice", f"{prefix}_trim", x, *ends)
        x = self._node("Reshape", f"{prefix}_shape", x, self._constant(f"{name}.shape", np.array(codes.shape)))
        return self._node("Cast", f"{prefix}_float", x, to=TensorProto.FLOAT)

    def _mac(self, name: str, step: ops.Mac) -> NDArray[np.int8]:
        if step.max_sum >= ops.EXACT_FLOAT32:
            raise ExportError(
                f"layer {name!r}: sums up to {step.max_sum} leave the exact range of float32 (2^24), in which QONNX "
                f"runtimes compute; reduce its fan-in or the bits of its input"
            )
        codes: NDArray[np.int8] = step.codes.numpy()
        counts = np.unique(codes, return_counts=True)[1] / max(codes.size, 1)
        self.layers.append(
            {
                "name": name,
                "weights": int(codes.size),
                "zeros": int((codes == 0).sum()),
                "entropy_bits": round(float(-(counts * np.log2(counts)).sum()) + 0.0, 6),
                "alpha": float(step.alpha),
            }
        )
        return codes

    def _broadcast(self, values: torch.Tensor, rank: int) -> NDArray[np.float32]:
        """Per-channel constants against (N, C, …). Never a scalar: onnxruntime would fold that into the Conv."""
        array: NDArray[np.float32] = values.numpy().reshape(1, -1, *[1] * (rank - 2))
        return array

    # -- one method per step, in the table WRITERS --------------------------------------------------------------

    def _conv(self, name: str, step: ops.Conv, x: str) -> str:
        codes = self._mac(name, step)
        before, after = zip(*step.padding, strict=True)
        return self._node(
            "Conv",
            name,
            x,
            self._weights(name, codes, step.weight_bits),
            kernel_shape=list(codes.shape[2:]),
            strides=list(step.stride),
            pads=[*before, *after],
            dilations=list(step.dilation),
            group=step.groups,
        )

    def _transposed(self, name: str, step: ops.ConvTransposed, x: str) -> str:
        codes = outputs_first(torch.from_numpy(self._mac(name, step)), step.groups)
        return self._node(
            "ConvTranspose", name, x, self._weights(name, np.ascontiguousarray(codes.numpy()), step.weight_bits),
            kernel_shape=list(step.codes.shape[2:]), group=step.groups, dilations=list(step.dilation),
            strides=step.between, pads=[*step.cut, *step.cut],
            output_padding=step.more,
        )  # fmt: skip

    def _linear(self, name: str, step: ops.Linear, x: str) -> str:
        codes = np.ascontiguousarray(self._mac(name, step).T)
        return self._node("MatMul", name, x, self._weights(name, codes, step.weight_bits))

    def _threshold(self, name: str, step: ops.Threshold, x: str) -> str:
        rank = self.ranks[name]
        if step.alpha.numel():
            x = self._node(
                "Mul", f"{name}_alpha", x, self._constant(f"{name}.alpha", self._broadcast(step.alpha, rank))
            )
        if step.gain.numel():
            x = self._node("Mul", f"{name}_gain", x, self._constant(f"{name}.gain", self._broadcast(step.gain, rank)))
        if step.bias.numel():
            x = self._node("Add", f"{name}_bias", x, self._constant(f"{name}.bias", self._broadcast(step.bias, rank)))
        if isinstance(step, ops.Activated):
            x = self._activation(name, step, x, rank)
        bits, signed, narrow = (step.params[k] for k in ("bits", "signed", "narrow"))
        if signed and step.qmin == 0:
            x = self._node("Relu", f"{name}_relu", x)
        return self._quant(name, x, step.scale, int(bits), bool(signed), bool(narrow))  # type: ignore[call-overload]

    def _activation(self, name: str, step: ops.Activated, x: str, rank: int) -> str:
        def node(op: str, *inputs: str, **attributes: Any) -> str:
            return self._node(op, f"{name}_{op.lower()}{len(self.nodes)}", *inputs, **attributes)

        def constant(values: Sequence[float] | float, scalar: bool = False) -> str:
            array = np.asarray(values, np.float32).reshape([] if scalar else [-1, *[1] * (rank - 2)])
            return self._constant(f"{name}.{len(self.initializers)}", array)

        return SPELLINGS[str(step.params["kind"])](node, constant, x, *step.params["constants"])  # type: ignore[misc]

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Rank of every step's result, from one image of zeros."""
        spec = self.model.input
        zeros = torch.full((1, *spec.shape), max(0, spec.qmin), dtype=torch.int64)
        return {k: v.ndim for k, v in self.model.trace(zeros).items()}

    def _maxpool(self, name: str, step: ops.MaxPool, x: str) -> str:
        return self._node(
            "MaxPool", name, x, kernel_shape=step.kernel, strides=step.stride, pads=[*step.padding] * 2
        )  # fmt: skip

    def _sumpool(self, name: str, step: ops.SumPool, x: str) -> str:
        return self._node(
            "AveragePool",
            name,
            x,
            kernel_shape=step.kernel,
            strides=step.stride,
            pads=[*step.padding] * 2,
            count_include_pad=1,
        )

    def _globalsum(self, name: str, step: ops.GlobalSum, x: str) -> str:
        if self._ends(name):  # a mean of other than 2ⁿ pixels would be rounded
            axes = self._constant(f"{name}.axes", np.arange(2, self.ranks[name]))
            return self._node("ReduceSum", name, x, axes, keepdims=1)
        return self._node("GlobalAveragePool", name, x)

    def _ends(self, name: str) -> bool:
        """Whether the network's output is the sums of the step `name`, flattened or not."""
        readers = [wire.name for wire in self.model.wires if name in wire.inputs]
        kinds = [type(self.model.steps[reader]) for reader in readers]
        return all(
            kind is ops.Output or (kind is moved.Flatten and self._ends(reader))
            for kind, reader in zip(kinds, readers, strict=True)
        )

    def _add(self, name: str, step: ops.Add, x: str, y: str) -> str:
        return self._node("Sub" if isinstance(step, ops.Subtract) else "Add", name, x, y)

    def _concat(self, name: str, step: ops.Concat, *inputs: str) -> str:
        return self._node("Concat", name, *inputs, axis=1)

    def _move(self, name: str, step: Step, x: str) -> str:
        return MOVES[type(step)](Writing(self._node, self._constant, self.ranks[name]), name, step, x)

    def _output(self, name: str, step: ops.Output, x: str) -> str:
        rank = self.ranks[name]
        if step.bias.any():
            bias = (step.bias.to(torch.float64) * step.grid).to(torch.float32)
            x = self._node("Add", f"{name}_bias", x, self._constant(f"{name}.bias", self._broadcast(bias, rank)))
        scale = (step.scale.to(torch.float64) / step.grid).to(torch.float32)
        return self._node("Mul", name, x, self._constant(f"{name}.scale", self._broadcast(scale, rank)))


WRITERS: dict[type[Step], Callable[..., str]] = {
    ops.Conv: _Writer._conv, ops.Linear: _Writer._linear, ops.Threshold: _Writer._threshold,
    ops.Activated: _Writer._threshold, ops.MaxPool: _Writer._maxpool, ops.SumPool: _Writer._sumpool,
    ops.GlobalSum: _Writer._globalsum, ops.Add: _Writer._add, ops.Subtract: _Writer._add,
    ops.Concat: _Writer._concat, ops.ConvTransposed: _Writer._transposed,
    ops.Output: _Writer._output, **dict.fromkeys(MOVES, _Writer._move),
}  # fmt: skip
"""What writes a step: (writer, name, step, input tensors) to the tensor of its result."""
