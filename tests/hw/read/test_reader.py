"""Our own files through the reader: integer graph equals frozen model, on every integer."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from torch import nn

from crq import export
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Dense, Threshold
from crq.hw.read import read_qonnx
from tests.support.nets import NETWORKS, Plain, extremes, frozen, images
from tests.support.qonnx_files import run


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("config", [{}, {"act_bits": 1, "integer": {"first": 8, "last": 4}}, {"act_bits": 7}], ids=str)
def test_integer_graph_equals_frozen_model(network: type[nn.Module], config: dict, tmp_path) -> None:
    model = frozen(network, seed=11, **config)
    export.to_qonnx(model, tmp_path / "m.onnx")
    graph = read_qonnx(tmp_path / "m.onnx")
    x = torch.cat([images(network, 12, seed=3), extremes(network)])
    np.testing.assert_array_equal(run(graph, x.numpy()), model.integers(x).numpy())
    scale = Network(graph).scores[0].scale
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
    assert network.metadata.inputs[0].scale == 2.0**-8


# -- refusals: each names the node and the way out -----------------------------------------------------------------


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


def test_metadata_that_the_reader_finds_itself_is_not_taken_from_the_file(tmp_path) -> None:
    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    before = Network(read_qonnx(proto))
    stale = {"input.layout": "NHWC", "output.offset": "7.0", "output.scale": "3.0", "ties": "nonsense"}
    for key, value in stale.items():
        proto.metadata_props.add(key=f"crq.{key}", value=value)
    after = Network(read_qonnx(proto))
    assert after.scores[0].offset == 0
    assert after.scores[0].scale == before.scores[0].scale
    assert after.model.get_metadata_prop("crq.input.layout") is None
    assert after.model.get_metadata_prop("crq.ties") == before.model.get_metadata_prop("crq.ties")


def test_inspect_refuses_broken_metadata(tmp_path) -> None:
    from crq.hw.report.inspect import describe

    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    next(p for p in proto.metadata_props if p.key == "crq.layers").value = "[1"
    onnx.save(proto, tmp_path / "m.onnx")
    with pytest.raises(HwError, match=r"m\.onnx: metadata 'crq\.layers'.*\[malformed\]"):
        describe(tmp_path / "m.onnx")


def test_a_refusal_names_the_file(tmp_path) -> None:
    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx")
    next(n for n in proto.graph.node if n.op_type == "Conv").op_type = "Einsum"
    onnx.save(proto, tmp_path / "bad.onnx")
    with pytest.raises(HwError, match=r"^\S*bad\.onnx: node '\w+' \(Einsum\): .*\[unsupported-op\]"):
        read_qonnx(tmp_path / "bad.onnx")
