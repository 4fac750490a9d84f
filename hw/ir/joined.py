"""Files with several inputs or outputs: those of one size share a port, as channels that follow each other.

The hardware has a stream for each size; the host joins what goes into one and parts what comes out of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from onnx import ModelProto, TensorProto, ValueInfoProto, helper

Names: TypeAlias = tuple[tuple[str, int], ...]
"""Name and channels of each, in the file's order; none where there is one."""

JOINED = "crq:joined_inputs"


class Ends(NamedTuple):
    """The inputs and outputs of a file in its order; `ports`: by name of the graph's input, in its order, which of them
    it carries."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ports: dict[str, Names]


def join(model: ModelProto) -> Ends:
    """Puts a Split behind the inputs of `model` that share a port, joined. Ports come in the order of their first."""
    constants = {i.name for i in model.graph.initializer}
    integers = {note.tensor_name for note in model.graph.quantization_annotation}
    given = [ValueInfoProto.FromString(i.SerializeToString()) for i in model.graph.input if i.name not in constants]
    sizes: dict[Any, list[ValueInfoProto]] = {}
    for value in given:
        shape = _shape(value)
        alone = value.type.tensor_type.elem_type != TensorProto.FLOAT or value.name in integers or len(shape) < 2
        sizes.setdefault(value.name if alone else (len(shape), *shape[2:]), []).append(value)
    ports: dict[str, Names] = {}
    for values in sizes.values():
        names = tuple((value.name, _shape(value)[1] if len(_shape(value)) > 1 else 0) for value in values)
        ports[_joined(model, values, names, len(ports)) if len(values) > 1 else values[0].name] = names
    if list(ports) != [value.name for value in given]:
        found = {value.name: value for value in model.graph.input}
        order = [*ports, *(name for name in found if name in constants)]
        made = [ValueInfoProto.FromString(found[name].SerializeToString()) for name in order]
        del model.graph.input[:]
        model.graph.input.extend(made)
    return Ends(tuple(value.name for value in given), tuple(o.name for o in model.graph.output), ports)


def _shape(value: ValueInfoProto) -> list[int]:
    return [d.dim_value for d in value.type.tensor_type.shape.dim]


def _joined(model: ModelProto, values: Sequence[ValueInfoProto], names: Names, number: int) -> str:
    """The name of one input in the place of `values`."""
    name = f"{JOINED}{number}" if number else JOINED
    first = _shape(values[0])
    whole = [first[0], sum(channels for _, channels in names), *first[2:]]
    _split(model, name, names)
    model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, whole))
    return name


def _split(model: ModelProto, name: str, inputs: Names) -> None:
    sizes, results = [channels for _, channels in inputs], [result for result, _ in inputs]
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset < 13:
        node = helper.make_node("Split", [name], results, name, axis=1, split=sizes)
    else:
        model.graph.initializer.append(helper.make_tensor(f"{name}:sizes", TensorProto.INT64, [len(sizes)], sizes))
        node = helper.make_node("Split", [name, f"{name}:sizes"], results, name, axis=1)
    model.graph.node.insert(0, node)
