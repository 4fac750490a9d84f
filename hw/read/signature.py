"""What a node must be before a handler reads it: its inputs are there, its attributes have their type.

ONNX's operators by their schemas, in every version of the opsets that are read; qonnx's by the table below. Attributes
that an operator does not have are let pass: exporters leave such.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection
from typing import NamedTuple

import onnx
from onnx import AttributeProto, ModelProto, NodeProto, helper

from crq.hw.read.refusals import refuse

OLDEST = 9
NEWEST = 26
"""The opsets that are read."""

Type = AttributeProto.AttributeType
FLOAT, INT, STRING = Type.FLOAT, Type.INT, Type.STRING


class Signature(NamedTuple):
    """`required` inputs must have a name; `attributes` gives the types that an attribute may have."""

    required: int
    most: int
    attributes: dict[str, frozenset[int]]


QONNX = {
    "Quant": Signature(
        4, 4, {"signed": frozenset([INT]), "narrow": frozenset([INT]), "rounding_mode": frozenset([STRING])}
    ),
    "BipolarQuant": Signature(2, 2, {}),
    "Trunc": Signature(
        5, 6, {"signed": frozenset([INT]), "narrow": frozenset([INT]), "rounding_mode": frozenset([STRING])}
    ),
    "MultiThreshold": Signature(
        2, 2,
        {
            "out_dtype": frozenset([STRING]), "data_layout": frozenset([STRING]), "out_scale": frozenset([FLOAT]),
            "out_bias": frozenset([FLOAT]),
        },
    ),
}  # fmt: skip


@functools.cache
def _signatures() -> dict[str, Signature]:
    """By operator of the default domain, what any version of it allows that the opsets read can mean."""
    versions: dict[str, list[onnx.defs.OpSchema]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and schema.since_version <= NEWEST:
            versions.setdefault(schema.name, []).append(schema)
    found = dict(QONNX)
    for name, schemas in versions.items():
        first = max((s.since_version for s in schemas if s.since_version <= OLDEST), default=0)
        usable = [s for s in schemas if s.since_version >= first]
        types: dict[str, set[int]] = {}
        for schema in usable:
            for key, attribute in schema.attributes.items():
                types.setdefault(key, set()).add(int(attribute.type.value))  # type: ignore[attr-defined]
        required = min(s.min_input for s in usable)
        found[name] = Signature(
            required, max(s.max_input for s in usable), {k: frozenset(v) for k, v in types.items()}
        )  # fmt: skip
    return found


def check_signatures(model: ModelProto, operators: Collection[str]) -> None:
    """Refuse the first node whose inputs or attributes could not be read, of the `operators` that are read at all."""
    known = _signatures()
    for node in model.graph.node:
        signature = known.get(node.op_type)
        if signature is not None and node.op_type in operators:
            _check_inputs(node, signature)
            _check_attributes(node, signature)


def _check_inputs(node: NodeProto, signature: Signature) -> None:
    names = list(node.input)
    while names and not names[-1]:  # optional inputs that are left out
        names.pop()
    if not signature.required <= len(names) <= signature.most or "" in names[: signature.required]:
        least, most = signature.required, signature.most
        expected = f"{least}" if least == most else f"at least {least}" if most > 99 else f"{least} to {most}"
        refuse("malformed", node, f"has the inputs {names}; {node.op_type} takes {expected}")


def _check_attributes(node: NodeProto, signature: Signature) -> None:
    seen = set()
    for attribute in node.attribute:
        where = f"its attribute {attribute.name!r}"
        if attribute.name in seen:
            refuse("malformed", node, f"{where} is given twice")
        seen.add(attribute.name)
        expected = signature.attributes.get(attribute.name)
        if expected is None:
            continue
        if attribute.type not in expected and (attribute.type != INT or FLOAT not in expected):  # 1 is written for 1.0
            found, names = _type_name(attribute.type), " or ".join(_type_name(t) for t in sorted(expected))
            refuse("malformed", node, f"{where} is of type {found}; expected {names}")
        value = helper.get_attribute_value(attribute)
        if attribute.type == STRING and not _is_text(value):
            refuse("malformed", node, f"{where} is {value!r}, which is no text")
        infinite = node.op_type != "Clip" and attribute.type == FLOAT and math.isinf(value)
        if attribute.type == FLOAT and (math.isnan(value) or infinite):
            refuse("not-finite", node, f"{where} is {value}")


def _type_name(number: int) -> str:
    return str(Type.Name(number)) if number in Type.values() else str(number)


def _is_text(value: bytes) -> bool:
    try:
        return bool(value.decode().isprintable())
    except UnicodeDecodeError:
        return False
