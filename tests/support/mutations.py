"""Seeded damage to files: what a reader of foreign files must survive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

Random = np.random.Generator
T = TypeVar("T")

OPERATORS = (
    "Conv", "MatMul", "Gemm", "Quant", "BipolarQuant", "MultiThreshold", "Reshape", "Concat", "Loop", "If", "Mul",
    "Tile", "Add", "Sub", "Div", "Pad", "Clip", "Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean",
    "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Shape", "Gather", "Slice", "Cast", "Constant",
    "BatchNormalization", "Dropout", "DequantizeLinear", "Identity", "Pow", "Sqrt", "Neg", "Round",
)  # fmt: skip
ATTRIBUTES = (
    "axis", "axes", "group", "kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode",
    "count_include_pad", "keepdims", "perm", "signed", "narrow", "rounding_mode", "out_scale", "out_bias",
    "out_dtype", "data_layout", "alpha", "beta", "transA", "transB", "epsilon", "training_mode", "min", "max",
    "mode", "value", "to", "start", "end", "allowzero", "block_size", "storage_order", "noop_with_empty_axes",
)  # fmt: skip
SIZES = (-(2**62), -(2**31), -3, -2, -1, 0, 1, 2, 3, 4, 7, 255, 2**20, 2**31, 2**40, 2**62)
REALS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1.0, 0.5, 1.5, 300.0, 1e20, 3e38, -3e38)
VALUES: tuple[Any, ...] = (
    -1, 0, 1, 2, 2**40, 1.5, float("nan"), float("inf"), "", "NHWC", "SAME_UPPER", "UINT8", "nonsense", [], [0], [1, 1],
    [2, 2], [1, 1, 1, 1], [-1], [3, 1, 2], [0, 2, 3, 1], [2**40, 1], [0.5], ["a"], b"\xff\xfe",
)  # fmt: skip
TYPES = (
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.INT32,
    TensorProto.INT8, TensorProto.UINT8, TensorProto.BOOL, TensorProto.STRING, TensorProto.COMPLEX64,
    TensorProto.BFLOAT16, TensorProto.INT4, 0, 99,
)  # fmt: skip


def mutate(data: bytes, rng: Random) -> bytes:
    """A file's bytes, damaged once to three times: mostly what is well-formed protobuf without sense."""
    if rng.random() < 0.03:
        return _bytes(data, rng)
    model = ModelProto.FromString(data)
    for _ in range(int(rng.integers(1, 4))):
        if model.graph.node:
            _pick(rng, MUTATIONS)(model, rng)
    return model.SerializeToString()


def _pick(rng: Random, things: Sequence[T]) -> T:
    return things[int(rng.integers(len(things)))]


def _bytes(data: bytes, rng: Random) -> bytes:
    """Cut off, or with other bytes in it."""
    if rng.random() < 0.3:
        return data[: int(rng.integers(len(data)))]
    damaged = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        damaged[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(damaged)


def _node(model: ModelProto, rng: Random) -> NodeProto:
    return model.graph.node[int(rng.integers(len(model.graph.node)))]


def _names(model: ModelProto) -> list[str]:
    graph = model.graph
    made = [name for n in graph.node for name in n.output]
    return ["", "nowhere", *made, *(i.name for i in graph.input), *(i.name for i in graph.initializer)]


def drop_node(model: ModelProto, rng: Random) -> None:
    """What it wrote is lost, or is what it read."""
    node = _node(model, rng)
    if rng.random() < 0.8 and node.input:
        for other in model.graph.node:
            other.input[:] = [node.input[0] if name in node.output else name for name in other.input]
        for output in model.graph.output:
            output.name = node.input[0] if output.name in node.output else output.name
    model.graph.node.remove(node)


def repeat_node(model: ModelProto, rng: Random) -> None:
    at = int(rng.integers(len(model.graph.node)))
    copy = NodeProto.FromString(model.graph.node[at].SerializeToString())
    if not copy.input or not copy.output:
        return
    result = copy.output[0]
    copy.name, copy.input[0], copy.output[0] = f"{copy.name}_again", result, f"{result}_again"
    for other in list(model.graph.node)[at + 1 :]:
        other.input[:] = [copy.output[0] if name == result else name for name in other.input]
    for output in model.graph.output:
        output.name = copy.output[0] if output.name == result else output.name
    model.graph.node.insert(at + 1, copy)


def swap_nodes(model: ModelProto, rng: Random) -> None:
    one, other = _node(model, rng), _node(model, rng)
    kept = one.SerializeToString()
    one.CopyFrom(other)
    other.ParseFromString(kept)


def change_operator(model: ModelProto, rng: Random) -> None:
    _node(model, rng).op_type = _pick(rng, OPERATORS)


def change_domain(model: ModelProto, rng: Random) -> None:
    domains = ("", "ai.onnx", "qonnx.custom_op.general", "qonnx.custom_op.channels_last", "com.example")
    _node(model, rng).domain = _pick(rng, domains)


def change_input(model: ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    if node.input:
        node.input[int(rng.integers(len(node.input)))] = _pick(rng, _names(model))


def drop_input(model: ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    if node.input:
        del node.input[int(rng.integers(len(node.input))) :]


def add_input(model: ModelProto, rng: Random) -> None:
    _node(model, rng).input.append(_pick(rng, _names(model)))


def change_output(model: ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    if rng.random() < 0.3:
        del node.output[:]
    elif rng.random() < 0.5:
        node.output.append(_pick(rng, ("", "more", *node.output)))
    elif node.output:
        node.output[0] = _pick(rng, _names(model))


def set_attribute(model: ModelProto, rng: Random) -> None:
    """One of any name, and any type."""
    node = _node(model, rng)
    present = [a.name for a in node.attribute]
    name = _pick(rng, present) if present and rng.random() < 0.6 else _pick(rng, ATTRIBUTES)
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)
    if rng.random() < 0.9:
        value = _pick(rng, VALUES)
        node.attribute.append(
            helper.make_attribute(name, value, attr_type=AttributeProto.INTS if value == [] else None)
        )


def change_attribute(model: ModelProto, rng: Random) -> None:
    """One number of it."""
    node = _node(model, rng)
    if not node.attribute:
        return
    attribute = node.attribute[int(rng.integers(len(node.attribute)))]
    size = int(_pick(rng, SIZES))
    if attribute.type == AttributeProto.INT:
        attribute.i = size
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = float(_pick(rng, REALS))
    elif attribute.type == AttributeProto.STRING:
        attribute.s = _pick(rng, (b"", b"\xff", b"NC", b"NHWC", b"SAME_LOWER", b"floor", b"UINT4", b"edge"))
    elif attribute.type == AttributeProto.INTS and attribute.ints:
        at = int(rng.integers(len(attribute.ints)))
        if rng.random() < 0.3:
            del attribute.ints[at]
        else:
            attribute.ints[at] = size


def retype_attribute(model: ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    if node.attribute:
        node.attribute[int(rng.integers(len(node.attribute)))].type = int(rng.integers(0, 15))  # type: ignore[assignment]


def _tensor(model: ModelProto, rng: Random) -> TensorProto | None:
    inner = [a.t for n in model.graph.node for a in n.attribute if a.HasField("t")]
    tensors = [*model.graph.initializer, *inner]
    return _pick(rng, tensors) if tensors else None


def _revalue(model: ModelProto, rng: Random, change: Callable[[Any], Any]) -> None:
    tensor = _tensor(model, rng)
    if tensor is None or tensor.data_location == TensorProto.EXTERNAL:
        return
    try:
        values = np.array(numpy_helper.to_array(tensor))
        with np.errstate(all="ignore"):
            changed = np.asarray(change(values))
        tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return  # a type that NumPy has not, or that an earlier mutation broke


def change_values(model: ModelProto, rng: Random) -> None:
    """Some, or all, to something hostile."""

    def change(values: Any) -> Any:
        flat = values.reshape(-1)
        if flat.size:
            some = slice(None) if rng.random() < 0.3 else int(rng.integers(flat.size))
            number = _pick(rng, REALS if values.dtype.kind == "f" else SIZES)
            flat[some] = np.asarray(number).astype(values.dtype)
        return flat.reshape(values.shape)

    _revalue(model, rng, change)


def change_rank(model: ModelProto, rng: Random) -> None:
    def change(values: Any) -> Any:
        shapes: list[tuple[int, ...]] = [(-1,), (*values.shape, 1), (1, *values.shape), values.shape[::-1]]
        if values.size == 1:
            shapes += [(), (1, 1, 1, 1, 1)]
        return values.reshape(_pick(rng, shapes))

    _revalue(model, rng, change)


def change_length(model: ModelProto, rng: Random) -> None:
    def change(values: Any) -> Any:
        if not values.ndim:
            return np.repeat(values, int(rng.integers(0, 4)))
        axis = int(rng.integers(values.ndim))
        if rng.random() < 0.5:
            return np.concatenate([values, values], axis)
        return np.take(values, np.arange(int(rng.integers(0, values.shape[axis] + 1))), axis)

    _revalue(model, rng, change)


def change_type(model: ModelProto, rng: Random) -> None:
    kinds = (np.float64, np.float16, np.int64, np.int8, np.uint8, np.bool_, np.complex64, np.int32)
    _revalue(model, rng, lambda values: values.astype(_pick(rng, kinds)))


def break_tensor(model: ModelProto, rng: Random) -> None:
    """Dimensions, type and bytes that do not belong together."""
    tensor = _tensor(model, rng)
    if tensor is None:
        return
    kind = int(rng.integers(4))
    if kind == 0:
        tensor.dims.append(int(_pick(rng, SIZES)))
    elif kind == 1:
        tensor.data_type = _pick(rng, TYPES)
    elif kind == 2:
        tensor.raw_data = tensor.raw_data[: len(tensor.raw_data) // 2]
    else:
        tensor.data_location = TensorProto.EXTERNAL


def rename_tensor(model: ModelProto, rng: Random) -> None:
    tensor = _tensor(model, rng)
    if tensor is not None:
        tensor.name = _pick(rng, _names(model))


def drop_constant(model: ModelProto, rng: Random) -> None:
    if model.graph.initializer:
        del model.graph.initializer[int(rng.integers(len(model.graph.initializer)))]


def to_input(model: ModelProto, rng: Random) -> None:
    """A constant is computed from data."""
    node = _node(model, rng)
    known = {i.name for i in model.graph.initializer}
    at = [i for i, name in enumerate(node.input) if name in known]
    if at and model.graph.input:
        node.input[_pick(rng, at)] = model.graph.input[0].name


def change_opset(model: ModelProto, rng: Random) -> None:
    if model.opset_import and rng.random() < 0.9:
        model.opset_import[0].version = int(
            _pick(rng, (-1, 0, 1, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 21, 24, 99))
        )
    else:
        del model.opset_import[:]


def change_input_shape(model: ModelProto, rng: Random) -> None:
    if not model.graph.input:
        return
    kind, value = model.graph.input[0].type, model.graph.input[0]
    dims = kind.tensor_type.shape.dim
    if rng.random() < 0.2:
        kind.tensor_type.elem_type = _pick(rng, TYPES)
    elif rng.random() < 0.1:
        value.ClearField("type")
    elif dims and rng.random() < 0.3:
        del dims[int(rng.integers(len(dims)))]
    elif dims and rng.random() < 0.3:
        dims[int(rng.integers(len(dims)))].dim_param = "N"
    elif dims:
        dims[int(rng.integers(len(dims)))].dim_value = int(_pick(rng, SIZES))


def change_ends(model: ModelProto, rng: Random) -> None:
    """Another result, more of them, or none."""
    graph = model.graph
    if rng.random() < 0.7 and graph.output:
        graph.output[0].name = _pick(rng, _names(model))
    elif rng.random() < 0.5:
        graph.output.append(helper.make_empty_tensor_value_info(_pick(rng, _names(model))))
    else:
        del graph.output[:]


def change_metadata(model: ModelProto, rng: Random) -> None:
    keys = [p.key for p in model.metadata_props] or ["crq.steps"]
    helper.set_model_props(model, {
        **{p.key: p.value for p in model.metadata_props},
        _pick(rng, keys): _pick(rng, ("", "{", "[1]", "{}", "-1", '{"a": 1}', "nan")),
    })  # fmt: skip


MUTATIONS: tuple[Callable[[ModelProto, Random], None], ...] = (
    drop_node, repeat_node, swap_nodes, change_operator, change_operator, change_domain, change_input, change_input,
    drop_input, add_input, change_output, set_attribute, set_attribute, set_attribute, change_attribute,
    change_attribute, retype_attribute, change_values, change_values, change_rank, change_rank, change_length,
    change_length, change_type, break_tensor, rename_tensor, drop_constant, to_input, change_opset,
    change_input_shape, change_ends, change_metadata,
)  # fmt: skip
