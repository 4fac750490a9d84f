"""Damaged and hostile files: a clean `HwError` or a valid graph, never another exception, a hang or a blow-up."""

from __future__ import annotations

import contextlib
import functools
import resource
import signal
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from crq import export
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.read.reader import HANDLERS
from tests.support.nets import NETWORKS, frozen

quiet = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@functools.cache
def original(name: str) -> bytes:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        return export.to_qonnx(frozen(NETWORKS[name]), Path(folder) / "m.onnx").SerializeToString()


@pytest.fixture(autouse=True)
def little_memory():
    """A blow-up becomes a MemoryError, which no test here accepts."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


class TooSlow(BaseException):
    """Reading took longer than `SECONDS`. No `Exception`: nothing may take it for a damaged file's."""


SECONDS = 60


@contextlib.contextmanager
def time_limit(seconds: float = SECONDS) -> Iterator[None]:
    """Raises `TooSlow` inside the block once the time is over: a hang fails the test that met it."""

    def stop(*_: object) -> None:
        raise TooSlow(f"not read within {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read(source) -> None:
    with time_limit(), contextlib.suppress(HwError):
        Network(read_qonnx(source))


def test_a_hang_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit reaches into the reader, past everything that it catches."""

    def hang(*_: object) -> None:
        while True:
            time.sleep(0.01)

    model = ModelProto.FromString(original("Plain"))
    monkeypatch.setitem(HANDLERS, "Conv", hang)
    with pytest.raises(TooSlow), time_limit(0.5), contextlib.suppress(HwError):
        read_qonnx(model)


@settings(max_examples=200, **quiet)
@given(
    st.sampled_from(sorted(NETWORKS)), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8)
)
def test_flipped_bytes(tmp_path, name: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(original(name))
    for where, value in flips:
        data[int(where * (len(data) - 1))] = value
    path = tmp_path / "m.onnx"
    path.write_bytes(bytes(data))
    read(path)


def constant_nodes(graph: GraphProto) -> list[NodeProto]:
    return [n for n in graph.node if n.op_type == "Constant" and n.attribute and n.attribute[0].HasField("t")]


def constants_as_nodes(graph: GraphProto, count: int) -> None:
    """The first `count` initializers become Constant nodes, as other exporters write them."""
    for tensor in list(graph.initializer)[:count]:
        graph.node.insert(0, helper.make_node("Constant", [], [tensor.name], tensor.name, value=tensor))
        graph.initializer.remove(tensor)


def chain(graph: GraphProto, node: NodeProto, times: int) -> None:
    """`times` copies of `node` behind it, each reading the result of the one before at every input."""
    at = list(graph.node).index(node) + 1
    last = node.output[0]
    for i in range(times):
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.name, copy.output[0] = f"{node.name}_again{i}", f"{node.output[0]}_again{i}"
        copy.input[:] = [last] * len(node.input)
        graph.node.insert(at + i, copy)
        last = copy.output[0]
    for later in list(graph.node)[at + times :]:
        later.input[:] = [last if name == node.output[0] else name for name in later.input]


@st.composite
def edits(draw: st.DrawFn) -> ModelProto:
    """A file with well-formed protobuf and senseless content."""
    model = ModelProto()
    model.ParseFromString(original(draw(st.sampled_from(sorted(NETWORKS)))))
    graph = model.graph
    if draw(st.booleans()):
        constants_as_nodes(graph, draw(st.integers(0, len(graph.initializer))))
    for _ in range(draw(st.integers(1, 3))):
        node = draw(st.sampled_from(list(graph.node)))
        tensor = draw(st.sampled_from([*graph.initializer, *(n.attribute[0].t for n in constant_nodes(graph))]))
        kinds = ["attribute", "dims", "type", "input", "op", "delete", "values", "data", "shape", "external", "again"]
        kind = draw(st.sampled_from(kinds))
        huge = draw(st.sampled_from([-(2**62), -1, 0, 1, 2, 7, 2**20, 2**31, 2**62]))
        if kind == "attribute" and node.attribute:
            attribute = draw(st.sampled_from(list(node.attribute)))
            if attribute.type == AttributeProto.INTS and attribute.ints:
                attribute.ints[draw(st.integers(0, len(attribute.ints) - 1))] = huge
            elif attribute.type == AttributeProto.INT:
                attribute.i = huge
            else:
                del attribute.ints[:]
        elif kind == "dims":
            tensor.dims.append(max(huge, -1))
        elif kind == "type":
            tensor.data_type = draw(st.integers(0, 30))
        elif kind == "input" and node.input:
            node.input[draw(st.integers(0, len(node.input) - 1))] = draw(
                st.sampled_from(["", tensor.name, node.output[0], "input"])
            )
        elif kind == "op":
            node.op_type = draw(
                st.sampled_from(["Conv", "MatMul", "Gemm", "Quant", "Reshape", "Concat", "Loop", "If", "Mul", "Tile"])
            )
        elif kind == "delete" and len(graph.node) > 1:
            graph.node.remove(node)
        elif kind == "values":
            tensor.raw_data = draw(st.binary(min_size=len(tensor.raw_data), max_size=len(tensor.raw_data)))
        elif kind == "data":
            tensor.raw_data = tensor.raw_data[: len(tensor.raw_data) // 2]
        elif kind == "external":
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=draw(st.sampled_from(["../x", "/etc/hostname", "", "w"])))
        elif kind == "again":  # an operator over and over, each time on its own result
            chain(graph, node, draw(st.integers(1, 60)))
        else:
            dims = graph.input[0].type.tensor_type.shape.dim
            if dims:
                dims[draw(st.integers(0, len(dims) - 1))].dim_value = huge
    return model


@settings(max_examples=400, **quiet)
@given(edits())
def test_senseless_graphs(model: ModelProto) -> None:
    read(model)


def test_external_data_is_not_followed(tmp_path) -> None:
    """A path out of the file's folder is refused, not opened."""
    model = ModelProto()
    model.ParseFromString(original("Plain"))
    tensor = model.graph.initializer[0]
    tensor.data_location = tensor.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../../etc/hostname"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(HwError, match="'../../../../etc/hostname', which is not in the file's folder"):
        read_qonnx(tmp_path / "m.onnx")
