"""Our own files through the reader: integer graph equals frozen model, on every integer."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import AttributeProto, GraphProto, NodeProto, SparseTensorProto, TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from torch import nn

import export
from hw.errors import HwError
from hw.ir.graph import Network
from hw.ir.layers import Dense, Threshold
from hw.read import read_qonnx
from hw.read.constants import from_tensor
from hw.read.passes.pool_after_threshold import pool_after_threshold
from tests.support.nets import NETWORKS, Plain, Residual, extremes, frozen, images
from tests.support.random_graphs import GraphBuilder


def run(model: ModelWrapper, codes: np.ndarray) -> np.ndarray:
    name, result = model.graph.input[0].name, model.graph.output[0].name
    outputs = [execute_onnx(model, {name: c[None].astype(np.float32)})[result] for c in codes]
    return np.concatenate(outputs).astype(np.int64)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("config", [{}, {"act_bits": 1, "integer": {"first": 8, "last": 4}}, {"act_bits": 7}], ids=str)
def test_integer_graph_equals_frozen_model(network: type[nn.Module], config: dict, tmp_path) -> None:
    model = frozen(network, seed=11, **config)
    export.to_qonnx(model, tmp_path / "m.onnx")
    graph = read_qonnx(tmp_path / "m.onnx")
    x = torch.cat([images(network, 12, seed=3), extremes(network)])
    np.testing.assert_array_equal(run(graph, x.numpy()), model.integers(x).numpy())
    scale = Network(graph).output_scale
    np.testing.assert_array_equal(np.broadcast_to(scale, (model.output.scale.numel(),)), model.output.scale.numpy())


@pytest.mark.parametrize("carrier", ["float", "int2"])
def test_other_carriers_give_the_same_graph(carrier: str, tmp_path) -> None:
    model = frozen(Plain)
    packed, floats = (
        read_qonnx(export.to_qonnx(model, tmp_path / f"{c}.onnx", carrier=c)) for c in ("packed", carrier)
    )
    assert packed.graph.SerializeToString(deterministic=True) == floats.graph.SerializeToString(deterministic=True)


def test_names_types_and_ranges(tmp_path) -> None:
    network = Network(read_qonnx(export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")))
    assert [layer.name for layer in network if not isinstance(layer, Threshold)] == [
        "conv1", "conv2", "pool", "flatten", "fc", "fc_bias",
    ]  # fmt: skip
    assert network["conv1"].weight_type == "TERNARY"
    assert network["conv1"].input.format.qonnx == "UINT8"
    assert isinstance(network["fc"], Dense)
    assert network["fc"].input.format.bits <= 4
    assert network.input_scale == 2.0**-8


def test_signs_are_absorbed_only_where_nothing_else_reads_the_sum(tmp_path) -> None:
    model = frozen(Plain, seed=4)
    assert any((s.signs < 0).any() for s in model.steps.values() if hasattr(s, "signs"))
    graph = read_qonnx(export.to_qonnx(model, tmp_path / "m.onnx"))
    assert "Mul" not in [n.op_type for n in graph.graph.node]
    codes = model.steps["conv1"].codes.numpy().astype(np.float32)
    signs = model.steps["conv1_quant"].signs if "conv1_quant" in model.steps else None
    stored = graph.get_initializer("conv1_weight")
    assert not np.array_equal(stored, codes) or signs is None


def test_max_pool_moves_behind_the_threshold() -> None:
    builder = GraphBuilder((3, 9, 9), "UINT4", seed=1)
    x = builder.max_pool(builder.conv("x", 5, pads=[1, 1, 1, 1]), (3, 3), (2, 2), (1, 1, 1, 1))
    before = builder.finish(builder.threshold(x))
    codes = np.random.default_rng(0).integers(0, 16, (10, 3, 9, 9))
    expected = run(before, codes)
    after, changed = pool_after_threshold(before)
    assert changed
    assert [layer.kind for layer in Network(after)] == ["Conv", "Threshold", "MaxPool"]
    np.testing.assert_array_equal(run(after, codes), expected)
    assert not pool_after_threshold(after)[1]


# -- refusals: each names the node and the way out -----------------------------------------------------------------


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


def test_non_ternary_weights_are_named(tmp_path) -> None:
    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx", carrier="float")
    quant = next(n for n in proto.graph.node if n.name == "conv2_weight")
    conv = next(n for n in proto.graph.node if n.name == "conv2")
    conv.input[1] = quant.input[0]
    weight = next(i for i in proto.graph.initializer if i.name == "conv2.weight")
    values = np.random.default_rng(0).normal(size=tuple(weight.dims)).astype(np.float32)
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    with pytest.raises(HwError, match=r"'conv2'.*not ternary.*\[weights-not-integers\]"):
        read_qonnx(proto)


def test_an_unquantized_activation_is_named(tmp_path) -> None:
    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    quant = next(
        n for n in proto.graph.node if n.op_type == "Quant" and n.name.startswith("conv1") and "weight" not in n.name
    )
    relu = helper.make_node("Relu", [quant.input[0]], [quant.output[0]], "no_quant")
    position = list(proto.graph.node).index(quant)
    proto.graph.node.remove(quant)
    proto.graph.node.insert(position, relu)
    with pytest.raises(HwError, match=r"'conv2'.*\[not-quantized\]"):
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
        (lambda g: setattr(g.initializer[0], "data_location", TensorProto.EXTERNAL), "another file"),
        (lambda g: g.node.insert(0, external("tensor")), r"'far' \(Constant\), attribute 'value'.*another file"),
        (lambda g: g.node.insert(0, external("tensors")), r"'far' \(Constant\), attribute 'value'.*another file"),
        (lambda g: g.node.insert(0, external("sparse")), r"'far' \(Constant\), attribute 'value'.*another file"),
        (lambda g: g.node.insert(0, external("graph")), r"initializer 'elsewhere'.*another file"),
        (lambda g: g.initializer[0].dims.extend([2**20, 2**20]), "has shape"),
        (lambda g: setattr(g.output[0], "name", "elsewhere"), "produced by no node"),
        (lambda g: setattr(g.node[-1], "op_type", "Softmax"), r"Softmax.*\[unsupported-op\]"),
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


def test_float_types_that_numpy_lacks_keep_their_values() -> None:
    tensor = helper.make_tensor("w", TensorProto.BFLOAT16, [3], [0.5, 1.5, -1.0])
    assert from_tensor("w", tensor).value.tolist() == [0.5, 1.5, -1.0]
    tensor = helper.make_tensor("w", TensorProto.UINT4, [3], [0, 15, 7])
    assert from_tensor("w", tensor).value.tolist() == [0, 15, 7]


def test_metadata_that_the_reader_finds_itself_is_not_taken_from_the_file(tmp_path) -> None:
    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    before = Network(read_qonnx(proto))
    stale = {"input.layout": "NHWC", "output.offset": "7.0", "output.scale": "3.0", "ties": "nonsense"}
    for key, value in stale.items():
        proto.metadata_props.add(key=f"crq.{key}", value=value)
    after = Network(read_qonnx(proto))
    assert after.output_offset == 0
    assert after.output_scale == before.output_scale
    assert after.model.get_metadata_prop("crq.input.layout") is None
    assert after.model.get_metadata_prop("crq.ties") == before.model.get_metadata_prop("crq.ties")


def test_inspect_refuses_broken_metadata(tmp_path) -> None:
    from hw.report.inspect import describe

    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    next(p for p in proto.metadata_props if p.key == "crq.layers").value = "[1"
    onnx.save(proto, tmp_path / "m.onnx")
    with pytest.raises(HwError, match=r"m\.onnx: metadata 'crq\.layers'.*\[malformed\]"):
        describe(tmp_path / "m.onnx")
