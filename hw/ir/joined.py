"""Files with several inputs or outputs as files with one of each: their channels follow each other in one stream.

The hardware has one stream in and one out; the host joins what goes in and parts what comes out.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from onnx import ModelProto, NodeProto, TensorProto, helper

Names: TypeAlias = tuple[tuple[str, int], ...]
"""Name and channels of each, in the file's order; none where there is one."""

INPUT, OUTPUT = "crq:joined_inputs", "crq:joined_outputs"


class Ends(NamedTuple):
    inputs: Names
    outputs: tuple[str, ...]
    unlike: str = ""
    """What the inputs differ in, if they cannot be joined; the model is then left alone."""


def join(model: ModelProto) -> Ends:
    """Puts a Split behind the inputs of `model`, joined, and a Concat behind its outputs, where there are several."""
    constants = {i.name for i in model.graph.initializer}
    given = [i for i in model.graph.input if i.name not in constants]
    outputs = tuple(o.name for o in model.graph.output)
    inputs: Names = ()
    if len(given) > 1:
        shapes = [[d.dim_value for d in i.type.tensor_type.shape.dim] for i in given]
        kinds = {i.type.tensor_type.elem_type for i in given}
        if len({(len(s), *s[2:]) for s in shapes}) > 1 or kinds != {TensorProto.FLOAT} or min(map(len, shapes)) < 2:
            return Ends((), outputs, ", ".join(f"{i.name!r} {s}" for i, s in zip(given, shapes, strict=True)))
        inputs = tuple((i.name, s[1]) for i, s in zip(given, shapes, strict=True))
        whole = [shapes[0][0], sum(c for _, c in inputs), *shapes[0][2:]]
        model.graph.node.insert(0, _split(model, inputs))
        for value in given:
            model.graph.input.remove(value)
        model.graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, whole))
    if len(outputs) > 1:
        model.graph.node.append(helper.make_node("Concat", list(outputs), [OUTPUT], OUTPUT, axis=1))
        kind = model.graph.output[0].type.tensor_type.elem_type
        del model.graph.output[:]
        model.graph.output.append(helper.make_tensor_value_info(OUTPUT, kind, None))
    return Ends(inputs, outputs)


def _split(model: ModelProto, inputs: Names) -> NodeProto:
    sizes, names = [c for _, c in inputs], [name for name, _ in inputs]
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset < 13:
        return helper.make_node("Split", [INPUT], names, INPUT, axis=1, split=sizes)
    model.graph.initializer.append(helper.make_tensor(f"{INPUT}:sizes", TensorProto.INT64, [len(sizes)], sizes))
    return helper.make_node("Split", [INPUT, f"{INPUT}:sizes"], names, INPUT, axis=1)
