"""Bytes to a ModelProto one can trust: ONNX, whole, acyclic, batch size 1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import GraphProto, ModelProto, NodeProto, TensorProto
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.ir.metadata import properties
from crq.hw.read.external import take_in
from crq.hw.read.refusals import refuse

AnyModel: TypeAlias = str | os.PathLike[str] | ModelProto | ModelWrapper
"""A file's path, or a model in memory."""

SCHEMA_VERSION = 1
"""The packed file's schema this reader knows (`crq.schema_version` in metadata_props; absent in foreign files)."""

MAX_ELEMENTS = 1 << 31
"""Largest tensor a file may declare: a guard against hostile shapes, far above any network for an FPGA."""


def load(source: AnyModel) -> ModelProto:
    """A private copy of the model, checked. Raises `HwError` naming the file and what is wrong with it."""
    name = "model"
    check_kind(source)
    if isinstance(source, ModelProto | ModelWrapper):
        model = ModelProto()
        model.CopyFrom(source.model if isinstance(source, ModelWrapper) else source)
    else:
        name, model = str(source), _parse(Path(source))
    if not model.graph.node or not model.graph.input or not model.graph.output:
        raise HwError(f"{name}: not an ONNX model, or an empty one; expected a QONNX file, as `crq export` writes it")
    _check_text(model, name)
    _check_version(model, name)
    _check_tensors(model, name)
    _check_order(model, name)
    _set_batch(model)
    needed = leading_to_outputs(model)
    del model.graph.node[:]
    model.graph.node.extend(needed)
    return model


def check_kind(source: object) -> None:
    """Raises `HwError` for what is neither a path nor a model of ONNX."""
    if not isinstance(source, str | os.PathLike | ModelProto | ModelWrapper):
        raise HwError(
            f"a {type(source).__name__} is no file to read: expected a path, a ModelProto or a ModelWrapper. Of a "
            "frozen network, crq.export.to_qonnx(frozen, 'net.onnx') makes one"
        )


def check_file(path: Path) -> None:
    """Raises `HwError` where there is no file at `path`, saying what to do with a folder that is there."""
    if path.is_file():
        return
    if not path.is_dir():
        raise HwError(f"{path}: no such file; expected a QONNX file, as `crq export` writes it")
    what = "a folder"
    if (path / "frozen.pt").is_file():
        what = f"a training run, of which `crq export {path} -o {path.name}.onnx` makes the file"
    raise HwError(f"{path} is {what}; expected a QONNX file")


def _parse(path: Path) -> ModelProto:
    check_file(path)
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except (DecodeError, ValueError, UnicodeDecodeError) as error:
        raise HwError(
            f"{path}: not an ONNX file ({error}); expected a QONNX file, as `crq export` writes it"
        ) from error
    take_in(model, path)
    return model


def _check_text(message: Message, name: str) -> None:
    """Names that are no UTF-8 come from protobuf as bytes, or not at all."""
    try:
        for field, value in message.ListFields():
            inner = [value] if isinstance(value, str | bytes | Message) else value
            if field.type == field.TYPE_MESSAGE:
                for part in inner:
                    _check_text(part, name)
            elif field.type == field.TYPE_STRING and any(isinstance(text, bytes) for text in inner):
                refuse("malformed", name, f"holds a {field.name} that is no text ({inner!r})")
    except UnicodeDecodeError as error:
        refuse("malformed", name, f"holds a name that is no text ({error})")


def _check_version(model: ModelProto, name: str) -> None:
    version = properties(model).get("schema_version")
    if version is not None and version != str(SCHEMA_VERSION):
        raise HwError(
            f"{name}: written with crq file schema {version!r}; this crq reads schema {SCHEMA_VERSION}: "
            f"export the frozen model again, or use the crq version that wrote it"
        )


def _check_tensors(model: ModelProto, name: str) -> None:
    seen = set()
    for tensor in model.graph.initializer:
        where = f"{name}: initializer {tensor.name!r}"
        if tensor.name in seen:
            refuse("malformed", where, "is defined twice")
        seen.add(tensor.name)
    for where, tensor in _tensors(model.graph):
        where = f"{name}: {where}"
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            refuse("external", where, "keeps its data in another file; of a model in memory none is read")
        elements = 1
        for dim in tensor.dims:
            elements *= dim
            if dim < 0 or elements > MAX_ELEMENTS:
                refuse("too-large", where, f"has shape {list(tensor.dims)}")


def _tensors(graph: GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """Every tensor that the graph holds, with its place: initializers and, at any depth, attributes of nodes."""
    for tensor in graph.initializer:
        yield f"initializer {tensor.name!r}", tensor
    for sparse in graph.sparse_initializer:
        yield from ((f"sparse initializer {t.name!r}", t) for t in (sparse.values, sparse.indices))
    for node in graph.node:
        for attribute in node.attribute:
            where = f"node {node.name or ''.join(node.output[:1])!r} ({node.op_type}), attribute {attribute.name!r},"
            sparse_tensors = [attribute.sparse_tensor, *attribute.sparse_tensors]
            dense = [t for s in sparse_tensors for t in (s.values, s.indices)]
            yield from ((where, t) for t in (attribute.t, *attribute.tensors, *dense))
            for subgraph in (attribute.g, *attribute.graphs):
                yield from _tensors(subgraph)


def _check_order(model: ModelProto, name: str) -> None:
    inputs = [i.name for i in model.graph.input]
    for kind, names in (("input", inputs), ("output", [o.name for o in model.graph.output])):
        twice = next((n for n in names if names.count(n) > 1), None)
        if twice is not None:
            refuse("malformed", f"{name}: {kind} {twice!r}", "is listed twice")
    given = set(inputs) | {i.name for i in model.graph.initializer}
    known = given | {""}
    for node in model.graph.node:
        for tensor in node.input:
            if tensor not in known:
                refuse(
                    "malformed", node, f"reads {tensor!r}, which nothing before it produces (a cycle or a lost tensor)"
                )
        for tensor in filter(None, node.output):
            if tensor in known:
                refuse("malformed", node, f"writes {tensor!r}, which exists already")
            known.add(tensor)
    for output in model.graph.output:
        if output.name not in known:
            refuse("malformed", f"{name}: output {output.name!r}", "is produced by no node")
        if output.name in given:
            refuse("output", f"{name}: output {output.name!r}", "is an input or a constant of the file")


def _set_batch(model: ModelProto) -> None:
    """One image at a time: the hardware's view. Later shapes are derived, not read."""
    constants = {i.name for i in model.graph.initializer}
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name not in constants and dims:
            dims[0].Clear()
            dims[0].dim_value = 1
    del model.graph.value_info[:]


def leading_to_outputs(model: ModelProto) -> list[NodeProto]:
    """Copies of the nodes, in order, that an output depends on: what else the file computes has no effect."""
    needed = {output.name for output in model.graph.output}
    nodes = []
    for node in reversed(model.graph.node):
        if needed & {name for name in node.output if name}:
            needed.update(node.input)
            nodes.append(NodeProto.FromString(node.SerializeToString()))
    return nodes[::-1]
