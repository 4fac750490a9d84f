"""Files before they are read: ONNX, whole, in order, self-contained, of this schema, one image at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, GraphProto, NodeProto, SparseTensorProto, TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from crq import export
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.project import build
from crq.hw.read import read_qonnx
from crq.hw.read.load import leading_to_outputs, load
from tests.support.nets import Plain, Residual, frozen
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, assert_equal_to_file, base, conv, graph_of, node, quant


def test_a_model_in_memory_is_copied_and_a_file_read(tmp_path: Path) -> None:
    proto = graph_of([IN, CONV, *ACT, *TAIL], base(), shape=(8, 2, 6, 6))
    before = proto.SerializeToString(deterministic=True)
    onnx.save(proto, tmp_path / "m.onnx")
    loaded = [load(source) for source in (proto, tmp_path / "m.onnx", str(tmp_path / "m.onnx"))]
    assert len({found.SerializeToString(deterministic=True) for found in loaded}) == 1
    assert proto.SerializeToString(deterministic=True) == before
    wrapper = ModelWrapper(proto)
    before = proto.SerializeToString(deterministic=True)
    assert load(wrapper).graph.node == loaded[0].graph.node
    assert proto.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("batch", [8, "N", None])
def test_the_batch_becomes_one_and_stated_shapes_go(batch: int | str | None) -> None:
    proto = graph_of([IN, CONV, *ACT, *TAIL], base(), shape=(batch, 2, 6, 6))
    proto.graph.value_info.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, [7, 7]))
    proto.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [5, 2, 3, 3]))
    found = load(proto).graph
    dims = [[d.dim_value for d in i.type.tensor_type.shape.dim] for i in found.input]
    assert dims == [[1, 2, 6, 6], [5, 2, 3, 3]]
    assert not found.value_info


def test_what_an_output_needs_stays_in_order() -> None:
    dead = [node("Relu", "c", "d1"), node("Neg", "d1", "d2")]
    proto = graph_of([IN, CONV, *dead, *ACT, *TAIL], base())
    names = [n.output[0] for n in leading_to_outputs(proto)]
    assert names == ["xq", "c", "r", "q", "p", "pq", "fl", "y"]


def test_a_tensor_written_twice_or_a_node_before_its_input_is_refused() -> None:
    twice = graph_of([IN, CONV, node("Relu", "c", "c", "again")], base(), output="c")
    with pytest.raises(HwError, match=r"'again' \(Relu\): writes 'c', which exists already.*\[malformed\]"):
        load(twice)
    cycle = graph_of([IN, node("Add", "xq z", "y", "a"), node("Relu", "y", "z", "b")], base())
    with pytest.raises(HwError, match=r"'a' \(Add\): reads 'z', which nothing before it produces"):
        load(cycle)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for read in (load, lambda source: build(source, tmp_path / "p")):
        with pytest.raises(HwError, match=r"a dict is no file to read: expected a path, .*to_qonnx\(frozen"):
            read({})
    assert not (tmp_path / "p").exists()


def test_a_model_without_nodes_is_empty() -> None:
    with pytest.raises(HwError, match=r"^model: not an ONNX model, or an empty one; expected a QONNX file"):
        load(graph_of([], {}))


def test_a_negative_dimension_is_no_shape() -> None:
    proto = graph_of([IN, CONV, *ACT, *TAIL], base())
    proto.graph.initializer.append(TensorProto(name="odd", data_type=TensorProto.FLOAT, dims=[-2, 3]))
    with pytest.raises(HwError, match=r"initializer 'odd': has shape \[-2, 3\].*\[too-large\]"):
        load(proto)


def test_folders_are_told_by_what_they_hold(tmp_path) -> None:
    with pytest.raises(HwError, match=rf"{tmp_path} is a folder; expected a QONNX file"):
        load(tmp_path)
    (tmp_path / "frozen.pt").write_bytes(b"")
    with pytest.raises(
        HwError, match=rf"is a training run, of which `crq export {tmp_path} -o .*\.onnx` makes the file"
    ):
        load(tmp_path)


def test_missing_and_foreign_files(tmp_path) -> None:
    with pytest.raises(HwError, match=r"nothing\.onnx: no such file"):
        read_qonnx(tmp_path / "nothing.onnx")
    for i, data in enumerate((b"", b"hello, this is text", bytes(range(256)))):
        path = tmp_path / f"{i}.onnx"
        path.write_bytes(data)
        with pytest.raises(HwError, match=rf"{i}\.onnx: not an ONNX"):
            read_qonnx(path)


def test_a_truncated_file_is_refused_at_every_length(tmp_path) -> None:
    export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    data = (tmp_path / "m.onnx").read_bytes()
    for length in range(0, len(data) - 1, 97):
        (tmp_path / "cut.onnx").write_bytes(data[:length])
        with pytest.raises(HwError):
            read_qonnx(tmp_path / "cut.onnx")


def test_an_unknown_schema_version_is_refused(tmp_path) -> None:
    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    helper.set_model_props(proto, {"crq.schema_version": "99"})
    with pytest.raises(HwError, match="schema '99'.*reads schema 1"):
        read_qonnx(proto)


def external(place: str) -> NodeProto:
    """A Constant whose attribute keeps a tensor in another file, at one of the places an attribute has for it."""
    tensor = TensorProto(name="elsewhere", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../../../etc/hostname")
    kinds = {
        "tensor": {"t": tensor, "type": AttributeProto.TENSOR},
        "tensors": {"tensors": [tensor], "type": AttributeProto.TENSORS},
        "sparse": {"sparse_tensor": SparseTensorProto(values=tensor), "type": AttributeProto.SPARSE_TENSOR},
        "graph": {"g": GraphProto(initializer=[tensor]), "type": AttributeProto.GRAPH},
    }
    return NodeProto(op_type="Constant", name="far", output=["far"], attribute=[{"name": "value", **kinds[place]}])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda g: g.initializer.pop(), "nothing before it produces"),
        (lambda g: g.node.insert(0, g.node.pop(len(g.node) - 2)), "cycle or a lost tensor"),
        (lambda g: g.initializer.append(g.initializer[0]), "defined twice"),
        (lambda g: setattr(g.initializer[0], "data_location", TensorProto.EXTERNAL), r"another file.*\[external\]"),
        (lambda g: g.node.insert(0, external("tensor")), r"'far' \(Constant\), attribute 'value'.*another file"),
        (lambda g: g.node.insert(0, external("tensors")), r"'far' \(Constant\), attribute 'value'.*another file"),
        (lambda g: g.node.insert(0, external("sparse")), r"'far' \(Constant\), attribute 'value'.*another file"),
        (lambda g: g.node.insert(0, external("graph")), r"initializer 'elsewhere'.*another file"),
        (lambda g: g.initializer[0].dims.extend([2**20, 2**20]), "has shape"),
        (lambda g: setattr(g.output[0], "name", "elsewhere"), "produced by no node"),
        (lambda g: setattr(g.node[-1], "op_type", "Mod"), r"Mod.*\[unsupported-op\]"),
    ],
)
def test_malformed_graphs_are_refused(damage, message: str, tmp_path) -> None:
    proto = export.to_qonnx(frozen(Residual), tmp_path / "m.onnx")
    damage(proto.graph)
    with pytest.raises(HwError, match=message):
        read_qonnx(proto)


@pytest.mark.parametrize("place", ["tensor", "tensors", "sparse", "graph"])
def test_inspect_refuses_external_data_in_one_line(place: str, tmp_path) -> None:
    from click.testing import CliRunner

    from crq.cli import main

    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    proto.graph.node.insert(0, external(place))
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    result = CliRunner().invoke(main, ["inspect", str(tmp_path / "m.onnx")])
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {tmp_path / 'm.onnx'}: ")
    assert result.output.count("\n") == 1
    assert "another file" in result.output


def test_what_leads_to_no_output_is_not_read(tmp_path: Path) -> None:
    """A pool or a negation behind which only a dead quantizer stands keeps its place, and dead operators are free."""
    pool = node("MaxPool", "c", "y", "pool", kernel_shape=[2, 2], strides=[2, 2])
    dead = [quant("y", "dead", "q1", signed=1), node("Sigmoid", "dead", "gone")]
    network = Network(assert_equal_to_file(graph_of([IN, CONV, pool, *dead], base()), tmp_path / "a"))
    assert network.layers[-1].output.shape == (5, 3, 3)
    negation = [node("Mul", "y minus", "m"), quant("m", "dead", "q1", signed=1)]
    constants = base() | {"minus": -np.ones((1, 5, 1, 1), np.float32)}
    assert_equal_to_file(graph_of([IN, conv("xq w", "y", "conv"), *negation], constants), tmp_path / "b")


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    data = graph_of([IN, CONV, *ACT, *TAIL], base()).SerializeToString()
    (tmp_path / "m.onnx").write_bytes(data.replace(b"conv", b"c\xffnv"))
    with pytest.raises(HwError, match=r"m\.onnx: holds a name.* that is no text|not an ONNX file"):
        read_qonnx(tmp_path / "m.onnx")


def test_an_input_listed_twice_is_refused() -> None:
    proto = graph_of([IN, CONV, *ACT, *TAIL], base())
    proto.graph.input.append(proto.graph.input[0])
    with pytest.raises(HwError, match=r"input 'x': is listed twice.*\[malformed\]"):
        load(proto)
