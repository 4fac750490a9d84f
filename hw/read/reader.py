"""QONNX → integer graph: one walk over the file, one handler per operator."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto
from onnx.checker import ValidationError
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.ir.ends import InputFacts
from crq.hw.ir.graph import Network
from crq.hw.ir.head import HEADS
from crq.hw.ir.joined import Names, join
from crq.hw.ir.metadata import KEYS, Metadata, of_an_end, properties
from crq.hw.read.activations import ACTIVATIONS
from crq.hw.read.constants import EVALUATION_ERRORS, FOLDED, Constant, fold, from_tensor
from crq.hw.read.context import Context, InputPort
from crq.hw.read.handlers import (
    activations,
    elementwise,
    linear,
    macs,
    padding,
    pools,
    quantizers,
    reshapes,
    resize,
    transposed,
)
from crq.hw.read.head import Taken, head_of, take_head, take_heads
from crq.hw.read.inputs import join_parts
from crq.hw.read.layout import LAST, channels_first, channels_last_input
from crq.hw.read.linear import ENDS
from crq.hw.read.load import AnyModel, load
from crq.hw.read.output import Output, by_port, finish_output
from crq.hw.read.passes.absorb_sign import absorb_sign
from crq.hw.read.passes.enlarge_last import enlarge_last
from crq.hw.read.passes.flatten_last import flatten_last
from crq.hw.read.passes.merge_pad import merge_pad
from crq.hw.read.passes.one_spelling import one_spelling
from crq.hw.read.passes.pool_after_threshold import pool_after_threshold
from crq.hw.read.passes.raise_quant import CHAIN, raise_quant
from crq.hw.read.refusals import refuse
from crq.hw.read.signature import NEWEST, OLDEST, check_signatures
from crq.hw.read.values import Codes, Int, Levels, Raw, Value, View
from crq.hw.read.view import lower

Found = Value | Levels | View | Constant
Handler = Callable[[Context, NodeProto], Found | list[View] | list[Raw]]

RENUMBERING: dict[str, Handler] = {
    "DepthToSpace": reshapes.depth_to_space,
    "Flatten": reshapes.flatten,
    "Gather": reshapes.gather,
    "Reshape": reshapes.reshape,
    "Resize": resize.resize,
    "Slice": reshapes.slice_,
    "SpaceToDepth": reshapes.space_to_depth,
    "Split": reshapes.split,
    "Squeeze": reshapes.squeeze,
    "Transpose": reshapes.transpose,
    "Unsqueeze": reshapes.unsqueeze,
    "Upsample": resize.resize,
}
"""Operators that move elements: what they give is a view, until another operator reads it."""

HANDLERS: dict[str, Handler] = {
    "Conv": macs.conv,
    "ConvTranspose": transposed.conv_transpose,
    "MatMul": macs.matmul,
    "Gemm": macs.gemm,
    "Mul": elementwise.affine,
    "Div": elementwise.affine,
    "Add": elementwise.affine,
    "Sub": elementwise.affine,
    "Neg": elementwise.negative,
    "BatchNormalization": elementwise.batch_norm,
    "Relu": elementwise.relu,
    **dict.fromkeys(set(ACTIVATIONS) - {"PRelu", "GeluTanh"}, activations.activation),
    "PRelu": activations.prelu,
    "Pow": activations.power,
    "Max": activations.extreme,
    "Min": activations.extreme,
    "Clip": linear.clip,
    "Identity": elementwise.identity,
    "Dropout": elementwise.dropout,
    "QuantizeLinear": linear.quantize,
    "DequantizeLinear": linear.dequantize,
    "Quant": quantizers.quant,
    "BipolarQuant": quantizers.bipolar_quant,
    "MultiThreshold": quantizers.multi_threshold,
    "Trunc": quantizers.trunc,
    "MaxPool": pools.max_pool,
    "AveragePool": pools.average_pool,
    "GlobalAveragePool": pools.global_average_pool,
    "GlobalMaxPool": pools.global_max_pool,
    **dict.fromkeys(pools.REDUCED, pools.reduce),
    "Concat": pools.concat,
    "Pad": padding.pad,
    "Shape": reshapes.shape,
    **RENUMBERING,
}

INTEGER_OPERATORS = frozenset(
    ("ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QGemm", "QLinearAdd", "QLinearAveragePool")
    + ("QLinearConcat", "QLinearConv", "QLinearGlobalAveragePool", "QLinearMatMul", "QLinearMul")
)
"""Operators of files that are quantized in another form than QDQ."""

NOT_KEPT = frozenset(("schema_version", "carrier", "steps", *KEYS.values()))
"""Metadata that is not copied from the file: what describes the file, and what is found anew."""

PASSES = (flatten_last, enlarge_last, absorb_sign, merge_pad, pool_after_threshold)


def read_qonnx(source: AnyModel) -> ModelWrapper:
    """The integer graph (docs/integer-graph.md) of a QONNX file, ModelProto or ModelWrapper.

    Exact for every input, or refused: raises `HwError` naming the node, the reason and the way out.
    """
    try:
        return _read(source)
    except HwError as error:
        if not isinstance(source, str | os.PathLike) or str(error).startswith(str(source)):
            raise
        raise HwError(f"{source}: {error}") from error
    except (*EVALUATION_ERRORS, ValidationError) as error:
        # A file nobody wrote on purpose can break any expectation; the cause stays attached for a bug report.
        place = str(source) if isinstance(source, str | os.PathLike) else "model"
        refuse("malformed", place, f"cannot be read ({type(error).__name__}: {error})")


def _read(source: AnyModel) -> ModelWrapper:
    proto = load(source)
    opset = next((o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")), 0)
    if not OLDEST <= opset <= NEWEST:
        refuse("malformed", "model", f"opset {opset}; expected {OLDEST} to {NEWEST}")
    one_spelling(proto)
    check_signatures(proto, {*HANDLERS, *FOLDED, *CHAIN, *HEADS})
    raise_quant(proto)
    taken = take_head(proto)
    heads = {head.scores: (name, head) for name, head in take_heads(proto).items()} if not taken.nodes else {}
    ends = join(proto)
    ctx = Context(opset)
    for tensor in proto.graph.initializer:
        ctx.constants[tensor.name] = from_tensor(tensor.name, tensor)
    _read_inputs(ctx, proto, ends.ports)
    last_use = {name: i for i, node in enumerate(proto.graph.node) for name in node.input}
    for i, node in enumerate(proto.graph.node):
        _read_node(ctx, node)
        for name in [n for n in node.input if last_use[n] == i]:
            ctx.release(name)
    outputs = [_output(ctx, proto, name, heads, opset) for name in ends.outputs]
    results, worth = by_port(ctx, outputs)
    inputs = [_input(ctx, port) for port in ctx.ports.values()]
    if taken.nodes:
        head = head_of(proto, taken, opset, len(results[0].shape) + 1)
        worth = [replace(worth[0], head=head, tensor=taken.scores)]
    given_properties = properties(proto)
    found = Metadata(
        inputs=tuple(_facts(ctx, proto, port, len(ends.inputs) > 1) for port in ctx.ports.values()),
        outputs=tuple(worth),
        input_order=ends.inputs if len(inputs) > 1 else (),
        output_order=tuple(output.name for output in outputs) if len(results) > 1 else (),
        ties=ctx.ties,
        sources=ctx.sources,
        frozen_hash=given_properties.get("frozen_hash"),
        frozen_steps=_frozen_steps(ctx, given_properties.get("steps", "{}")),
        other={key: text for key, text in given_properties.items() if key not in NOT_KEPT and not of_an_end(key)},
    )
    model = ctx.emit.finish(inputs, results, found)
    for graph_pass in PASSES:
        model, _ = graph_pass(model)
    Network(model)  # what we wrote obeys its own specification
    return model


def _output(
    ctx: Context, proto: ModelProto, tensor: str, heads: Mapping[str, tuple[str, Taken]], opset: int
) -> Output:  # fmt: skip
    """The output of the file that `tensor` is, or that the host makes of it; `heads`: name and operations by tensor."""
    integers, facts = _finished(ctx, proto, tensor)
    if tensor not in heads:
        return Output(tensor, integers, facts)
    name, taken = heads[tensor]
    head = head_of(proto, taken, opset, len(integers.shape) + 1)
    return Output(name, integers, {**facts, "head": head, "tensor": tensor})


def _finished(ctx: Context, proto: ModelProto, output: str) -> tuple[Int, dict[str, Any]]:
    """The integers of an output, and what its values are."""
    if output not in ctx.values:
        refuse("output", f"output {output!r}", "is not computed from the input")
    if ctx.layouts.get(output) is not None:
        refuse("channels-last", f"output {output!r}", "is channels last")
    ended = ctx.values[output]
    if isinstance(ended, View):
        ended = lower(ctx, proto.graph.node[-1], ended)
    if isinstance(ended, Levels):
        refuse("between-linear", f"output {output!r}", "is integers of a QuantizeLinear")
    return finish_output(ctx, output, ended)


def _input(ctx: Context, port: InputPort) -> Int:
    """The input of the integer graph that `port` is."""
    if any(part.codes.int is not port.codes for part in port.parts.values()):
        join_parts(ctx, port)
    if port.codes is None:
        refuse("several" if len(ctx.ports) > 1 else "input-not-quantized", f"input {port.name!r}")
    return port.codes


def _facts(ctx: Context, proto: ModelProto, port: InputPort, several: bool) -> InputFacts:
    """What the integer graph says of `port`; `several`: whether the file has more inputs."""
    return InputFacts(
        layout="NHWC" if ctx.layouts.get(port.name) is LAST else "NCHW",
        shape=_flattened(port, proto),
        names=port.names if several else (),
        **port.facts,
    )


def _flattened(port: InputPort, proto: ModelProto) -> tuple[int, ...] | None:
    """The shape of one image in the file, if the file flattens it before it has codes."""
    [given] = [i for i in proto.graph.input if i.name == port.name]
    shape = tuple(d.dim_value for d in given.type.tensor_type.shape.dim)[1:]
    return shape if len(shape) > 1 and port.codes is not None and len(port.codes.shape) == 1 else None


def _frozen_steps(ctx: Context, text: str) -> dict[str, str | None]:
    """The layers that give the codes of the frozen model's steps; `text`: its steps' tensors in the file.

    A step that only moves codes may be a layer of its own or not: then it has None.
    """
    try:
        steps = dict(json.loads(text))
    except (ValueError, TypeError) as error:
        refuse("malformed", "metadata 'crq.steps'", f"is no object of tensors by step ({error})")
    layers = {node.output[0]: node.name for node in ctx.emit.nodes}
    values = {step: ctx.values.get(tensor) for step, tensor in steps.items() if isinstance(tensor, str)}
    found = {step: value for step, value in values.items() if isinstance(value, Codes | View)}
    return {step: layers.get(v.int.name) if isinstance(v, Codes) else None for step, v in found.items()}


def _read_inputs(ctx: Context, proto: ModelProto, ports: Mapping[str, Names]) -> None:
    """Record the inputs of the network, and which of the file's each carries."""
    model = ModelWrapper(proto)
    given = {value.name: value.type.tensor_type for value in model.graph.input}
    if not ports:
        refuse("malformed", "model", "no inputs")
    for name, names in ports.items():
        dims = [d.dim_value for d in given[name].shape.dim]
        if len(dims) < 2 or len(dims) > 4 or min(dims) < 1:
            refuse("malformed", f"input {name!r}", f"shape {dims}; expected (N, C), (N, C, L) or (N, C, H, W)")
        shape = tuple(dims[1:])
        if len(shape) > 1 and channels_last_input(model.graph, name):
            ctx.layouts[name] = LAST
            shape = (shape[-1], *shape[:-1])
            names = ((name, shape[0]),)
        ctx.ports[name] = InputPort(name, names, shape)
    for name, port in ctx.ports.items():
        dtype = model.get_tensor_datatype(name)
        if dtype.is_integer():
            port.codes = ctx.emit.input(ctx.input_name(port), port.shape, dtype.name)
            ctx.values[name] = Codes(port.codes, np.float64(1.0))
        else:
            ctx.values[name] = Raw(name, port.shape, ends=ENDS.get(given[name].elem_type))


def _read_node(ctx: Context, node: NodeProto) -> None:
    inputs = [i for i in node.input if i]
    if all(i in ctx.constants for i in inputs):
        constants = [ctx.constants[i] if i else None for i in node.input]
        result: Found | list[View] | list[Raw] = fold(node, constants, ctx.opset, ctx.budget)
    else:
        if node.op_type in INTEGER_OPERATORS:
            refuse("qoperator", node)
        if node.op_type not in HANDLERS:
            refuse("unsupported-op", node, f"{node.op_type} is not among the operators on activations that are read: "
                   f"{', '.join(sorted(HANDLERS))}")  # fmt: skip
        for lost in [i for i in inputs if i not in ctx.values and i not in ctx.constants]:
            refuse("malformed", node, f"reads {lost!r}, which is no value of this network")
        given = set(node.input)
        node, layout = channels_first(ctx, node)
        if node.op_type not in (*RENUMBERING, "Pad"):
            _lower_inputs(ctx, node)
        if layout is not None:
            ctx.layouts[node.output[0]] = layout
        result = HANDLERS[node.op_type](ctx, node)
        for relaid in set(node.input) - given:
            ctx.release(relaid)
    for name, found in zip(node.output, result if isinstance(result, list) else [result], strict=False):
        _keep(ctx, name, found)


def _keep(ctx: Context, name: str, found: Found) -> None:
    if isinstance(found, Constant):
        ctx.keep(name, found)
        return
    ctx.values[name] = found


def _lower_inputs(ctx: Context, node: NodeProto) -> None:
    """What a node reads is made, where so far it is a view."""
    for name in node.input:
        value = ctx.values.get(name)
        if isinstance(value, View) and node.op_type != "Shape":
            ctx.values[name] = lower(ctx, node, value)
