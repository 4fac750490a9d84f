"""What every node must be before it is read: its inputs are there, its attributes have their types."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest
from onnx import AttributeProto, ModelProto, NodeProto, helper

from crq.hw.errors import HwError
from crq.hw.read import read_qonnx
from crq.hw.read.constants import FOLDED
from crq.hw.read.reader import HANDLERS
from crq.hw.read.signature import QONNX, check_signatures
from tests.support.legal_files import LEGAL
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, assert_graph_equals_file, base, graph_of


def plain() -> ModelProto:
    return graph_of([IN, CONV, *ACT, *TAIL], base())


def named(proto: ModelProto, op: str) -> NodeProto:
    return next(n for n in proto.graph.node if n.op_type == op)


def give(node: NodeProto, name: str, value: object) -> None:
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


@pytest.mark.parametrize("name", sorted(LEGAL))
def test_legal_files_pass(name: str) -> None:
    check_signatures(LEGAL[name], {*HANDLERS, *FOLDED})


def test_every_operator_that_is_read_has_a_signature() -> None:
    standard = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if not schema.domain}
    assert set(HANDLERS) <= standard | set(QONNX)


@pytest.mark.parametrize(
    ("op", "edit", "message"),
    [
        ("Conv", lambda n: n.input.pop(), r"'conv' \(Conv\): has the inputs \['xq'\]; Conv takes 2 to 3"),
        ("Relu", lambda n: n.input.append("w"), r"\(Relu\): has the inputs \['c', 'w'\]; Relu takes 1;"),
        ("Quant", lambda n: n.input.__setitem__(1, ""), r"'qi' \(Quant\): has the inputs .*; Quant takes 4"),
        ("Conv", lambda n: give(n, "strides", 2), r"'conv'.*its attribute 'strides' is of type INT; expected INTS"),
        ("Conv", lambda n: give(n, "group", "two"), r"'group' is of type STRING; expected INT;"),
        ("Conv", lambda n: give(n, "auto_pad", b"\xff"), r"'auto_pad' is b'\\xff', which is no text"),
        ("Conv", lambda n: n.attribute.append(n.attribute[0]), r"is given twice"),
        ("Quant", lambda n: give(n, "signed", [1]), r"'qi'.*'signed' is of type INTS; expected INT"),
        ("Quant", lambda n: setattr(n.attribute[0], "type", AttributeProto.UNDEFINED), r"type UNDEFINED; expected INT"),
    ],
)  # fmt: skip
def test_the_node_and_what_is_wrong_are_named(op: str, edit: Callable[[NodeProto], object], message: str) -> None:
    proto = plain()
    edit(named(proto, op))
    with pytest.raises(HwError, match=rf"node .*{message}.*\[malformed\]"):
        read_qonnx(proto)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_attributes_are_finite(value: float) -> None:
    proto = plain()
    proto.graph.node[-1].op_type = "Gemm"
    give(proto.graph.node[-1], "alpha", value)
    with pytest.raises(HwError, match=r"'fc' \(Gemm\): its attribute 'alpha' is (nan|inf).*\[not-finite\]"):
        read_qonnx(proto)


def test_what_exporters_leave_in_files_is_let_pass() -> None:
    """Attributes the operator does not have, optional inputs that are left out, whole numbers for real ones."""
    proto = plain()
    give(named(proto, "Relu"), "consumed_inputs", [0])
    named(proto, "Conv").input.append("")
    product = proto.graph.node[-1]
    product.op_type = "Gemm"
    product.input.append("")
    give(product, "alpha", 2)
    give(product, "beta", 1)
    read_qonnx(proto)


def test_a_dead_node_may_be_anything() -> None:
    proto = plain()
    proto.graph.node.append(helper.make_node("Conv", ["q"], ["dead"], strides="none"))
    assert_graph_equals_file(proto, 5)
