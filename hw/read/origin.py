"""Where a network came from: the file or model given to `hw.build`, and the hash of its content."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from onnx import ModelProto
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.read.load import AnyModel, check_file
from crq.hw.read.passes.argmax_last import argmax_last
from crq.hw.read.reader import read_qonnx


class Origin(NamedTuple):
    """`name` of the file or graph; `sha256` of the file's bytes, or of the model's deterministic serialization."""

    name: str
    sha256: str


def load_graph(model: AnyModel, argmax: bool = False) -> tuple[ModelWrapper, Origin]:
    """The integer graph of `model` and its origin; with `argmax`, the class in place of the scores.

    A ModelWrapper is taken for an integer graph; a path or ModelProto is read by `crq.hw.read`. Raises `HwError` for a
    missing file and for anything else that cannot be read.
    """
    graph, origin = _loaded(model)
    return (argmax_last(ModelWrapper(deepcopy(graph.model)))[0] if argmax else graph), origin


def _loaded(model: AnyModel) -> tuple[ModelWrapper, Origin]:
    if isinstance(model, ModelWrapper):
        return model, Origin(model.graph.name or "model", _digest(model.model))
    if isinstance(model, ModelProto):
        return read_qonnx(model), Origin(model.graph.name or "model", _digest(model))
    if not isinstance(model, (str, PathLike)):
        raise HwError(f"expected a path, an onnx ModelProto or a qonnx ModelWrapper, found {type(model).__name__}")
    path = Path(model)
    check_file(path)
    return read_qonnx(str(path)), Origin(path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def _digest(proto: ModelProto) -> str:
    return hashlib.sha256(proto.SerializeToString(deterministic=True)).hexdigest()
