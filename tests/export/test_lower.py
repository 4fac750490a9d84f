"""Quant nodes as standard operators: what they compute, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from crq.export.errors import ExportError
from crq.export.lower import lower_quant

DOMAIN = "qonnx.custom_op.general"


def quant(scale: float, bits: int, signed: int, narrow: int, zero: float = 0.0, mode: str = "ROUND") -> ModelProto:
    attributes = {"signed": signed, "narrow": narrow, "rounding_mode": mode}
    node = helper.make_node("Quant", ["x", "s", "z", "b"], ["y"], "q", domain=DOMAIN, **attributes)
    constants = [
        numpy_helper.from_array(np.array(v, np.float32), k) for k, v in (("s", scale), ("z", zero), ("b", bits))
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)])


@settings(max_examples=60, deadline=None)
@given(st.integers(-6, 3), st.integers(2, 8), st.integers(0, 1), st.integers(0, 1), st.integers(0, 1000))
def test_lowered_nodes_round_half_to_even_and_clip(
    exponent: int, bits: int, signed: int, narrow: int, seed: int
) -> None:
    scale = 2.0**exponent
    x = np.random.default_rng(seed).integers(-600, 600, 50).astype(np.float32) / 2 * np.float32(scale)  # many ties
    lowered = lower_quant(quant(scale, bits, signed, narrow))
    assert [node.op_type for node in lowered.graph.node] == ["Div", "Clip", "Round", "Mul"]
    assert [entry.domain for entry in lowered.opset_import] == [""]
    (found,) = ReferenceEvaluator(lowered).run(None, {"x": x})
    low, high = (-(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1 - narrow)
    expected = [min(max(round(float(v) / scale), low), high) * scale for v in x]  # Python rounds half to even
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_the_model_that_is_given_stays_as_it_is() -> None:
    model = quant(0.5, 4, 1, 0)
    before = model.SerializeToString()
    lower_quant(model)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("change", [{"zero": 1.0}, {"mode": "FLOOR"}])
def test_other_quantizers_are_refused_by_name(change: dict) -> None:
    with pytest.raises(ExportError, match="node 'q': only constant scales, zero point 0 and rounding mode ROUND"):
        lower_quant(quant(0.5, 4, 1, 0, **change))


def test_a_computed_scale_is_refused() -> None:
    model = quant(0.5, 4, 1, 0)
    del model.graph.initializer[0]
    with pytest.raises(ExportError, match="node 'q'"):
        lower_quant(model)
