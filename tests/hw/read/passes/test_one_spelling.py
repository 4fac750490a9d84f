"""Operators under the names the reader knows: IntQuant, the standard domain's two names, and domains of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.read.passes.one_spelling import one_spelling
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, assert_equal_to_file, base, conv, graph_of, node


@pytest.mark.parametrize("domain", ["", "qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"])
@pytest.mark.parametrize("op", ["Quant", "IntQuant", "BipolarQuant", "MultiThreshold"])
def test_quantizers_are_known_in_any_domain(op: str, domain: str) -> None:
    model = graph_of([helper.make_node(op, ["x", "s"], ["y"], "act", domain=domain, signed=1)], {"s": np.float32(1)})
    (found,) = one_spelling(model).graph.node
    assert found.op_type == ("Quant" if op == "IntQuant" else op)
    assert (list(found.input), list(found.output), found.attribute[0].i) == (["x", "s"], ["y"], 1)


def test_channels_last_operators_keep_their_domain() -> None:
    pool = helper.make_node("MaxPool", ["x"], ["y"], domain="qonnx.custom_op.channels_last", kernel_shape=[2, 2])
    (found,) = one_spelling(graph_of([pool], {})).graph.node
    assert found.domain == "qonnx.custom_op.channels_last"


def test_what_is_spelled_right_stays_to_the_last_bit() -> None:
    model = graph_of([IN, CONV, *ACT, *TAIL], base())
    for n in model.graph.node:
        n.domain = "" if n.op_type != "Quant" else n.domain
    before = model.SerializeToString(deterministic=True)
    assert one_spelling(model).SerializeToString(deterministic=True) == before


def test_int_quant_is_quant(tmp_path) -> None:
    """qonnx 1.0's other name for Quant: on the input, on activations and on weights."""
    nodes = [
        node("IntQuant", "x qi_s zero bits", "xq", signed=1, narrow=0, rounding_mode="ROUND"),
        node("IntQuant", "w q1_s zero two", "wq", signed=1, narrow=1, rounding_mode="ROUND"),
        conv("xq wq", "c", "conv", pad=1),
        node("Relu", "c", "r"),
        node("IntQuant", "r q1_s zero bits", "q", signed=0, narrow=0, rounding_mode="ROUND"),
        *TAIL,
    ]
    network = Network(assert_equal_to_file(graph_of(nodes, base() | {"two": np.float32(2)}), tmp_path))
    assert network["conv"].weight_type == "TERNARY"


def test_operators_of_other_domains_are_others() -> None:
    relu = helper.make_node("Relu", ["c"], ["r"], "relu", domain="com.acme")
    model = graph_of([IN, CONV, relu, *ACT[1:], *TAIL], base())
    with pytest.raises(
        HwError, match=r"'relu' \(Relu\): of domain 'com.acme': ONNX's own .* another; .*\[unsupported-op\]"
    ):
        read_qonnx(model)
    negation = [helper.make_node("Neg", ["a"], ["b"])]
    for domain in ("com.acme", ""):  # a function of the file goes before the operator of that name
        relu.domain = domain
        model = graph_of([IN, CONV, relu, *ACT[1:], *TAIL], base())
        opsets = [helper.make_opsetid("", 13)]
        model.functions.append(helper.make_function(domain, "Relu", ["a"], ["b"], negation, opsets))
        with pytest.raises(HwError, match=r"'relu' \(Relu\): a function of the file.*\[unsupported-op\]"):
            read_qonnx(model)


def test_the_standard_domain_has_two_names(tmp_path: Path) -> None:
    model = graph_of([IN, CONV, *ACT, *TAIL], base())
    for n in model.graph.node:
        n.domain = n.domain or "ai.onnx"
    model.opset_import[0].domain = "ai.onnx"
    expected, found = read_qonnx(graph_of([IN, CONV, *ACT, *TAIL], base())), read_qonnx(model)
    assert [n.op_type for n in found.graph.node] == [n.op_type for n in expected.graph.node]


def test_an_operator_that_onnx_does_not_have_is_named_as_not_read() -> None:
    other = helper.make_node("FloatQuant", ["c"], ["r"], "fq", domain="qonnx.custom_op.general")
    with pytest.raises(HwError, match=r"'fq' \(FloatQuant\): of domain 'qonnx.custom_op.general': it is not read;"):
        one_spelling(graph_of([other], {}))
