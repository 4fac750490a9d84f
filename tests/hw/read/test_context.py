"""What handlers share: names of layers, constants per channel, and values as integers of one scale."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.read.constants import Constant
from crq.hw.read.context import Context
from crq.hw.read.layout import LAST
from crq.hw.read.values import Codes, Pending, Raw
from tests.support.qonnx_files import node

MUL = node("Mul", "x k", "y", "mul")


@pytest.fixture
def ctx() -> Context:
    """A context whose `x` holds codes of (3, 2, 2) worth 0.5 each."""
    made = Context(13)
    made.values["x"] = Codes(made.emit.input("input", (3, 2, 2), "INT4"), np.float32(0.5))
    return made


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv1", "conv1"),
        ("/body/body.0/conv/Conv", "body.0_conv"),
        ("/layer1/layer1.0/layer1.0.conv1/Conv", "layer1.0.conv1"),
        ("/act/act_quant/export_handler/Quant", "act_act_quant"),
        ("", "y"),
        ("Conv", "Conv"),
        ("/", "/"),
    ],
)
def test_names_are_paths_of_modules_without_wrappers_and_repetitions(ctx: Context, name: str, expected: str) -> None:
    op = "Quant" if "Quant" in name else "Conv"
    assert ctx.name(node(op, "x w", "y", name)) == expected


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.float32(2), 2.0),
        (np.full((1, 1, 1, 1, 1), 2, np.float64), 2.0),
        (np.array([1, 2, 3], np.float64).reshape(3, 1, 1), [1.0, 2.0, 3.0]),
        (np.array([1, 2, 3]).reshape(1, 3, 1, 1), [1.0, 2.0, 3.0]),
    ],
)
def test_constants_are_one_number_or_one_per_channel(ctx: Context, array: np.ndarray, expected) -> None:
    found = ctx.per_channel(MUL, array, (3, 2, 2))
    assert found.tolist() == expected
    assert found.dtype == (array.dtype if np.asarray(array).dtype.kind == "f" else np.float32)


@pytest.mark.parametrize("shape", [(2, 1, 1), (1, 2), (3, 2, 2), (1, 1, 1, 3, 1, 1), (2, 3, 1, 1), (3,)])
def test_constants_that_vary_over_pixels_or_images_are_refused(ctx: Context, shape: tuple[int, ...]) -> None:
    with pytest.raises(HwError, match=r"'mul' .*constant of shape .* against a tensor of shape \(3, 2, 2\)"):
        ctx.per_channel(MUL, np.ones(shape, np.float32), (3, 2, 2))


def test_numbers_are_single_and_finite(ctx: Context) -> None:
    for value, text in ((np.ones(2), "not one finite"), (np.float32(np.nan), "not one finite")):
        ctx.constants["k"] = Constant(np.asarray(value))
        with pytest.raises(HwError, match=rf"'mul' \(Mul\): its input 1 is {text}"):
            ctx.number(MUL, 1)
    ctx.constants["k"] = Constant(np.full((1, 1), 3.5))
    assert ctx.number(MUL, 1) == 3.5
    with pytest.raises(HwError, match=r"'mul'.*its input 2 is not constant.*\[dynamic-parameter\]"):
        ctx.constant(MUL, 2)
    with pytest.raises(HwError, match=r"its input 0 is not constant"):
        ctx.constant(MUL, 0)


def pending(ctx: Context, *ops: tuple) -> None:
    value = ctx.values["x"].pending()
    for kind, *constants in ops:
        value = Pending(value.int, value.chain.then(kind, *(np.asarray(c, np.float32) for c in constants)))
    ctx.values["x"] = value


def test_a_whole_number_of_units_becomes_a_bias_of_the_integers(ctx: Context) -> None:
    """(code · 0.5 · 2 + 3) is worth 1 per integer, and code + 3 of them."""
    pending(ctx, ("Mul", 2), ("Add", 3))
    found = ctx.codes(MUL)
    assert float(found.scale) == 1.0
    assert found.int.lo.tolist() == [-8 + 3] * 3
    assert [n.op_type for n in ctx.emit.nodes] == ["Add"]
    assert ctx.emit.nodes[0].name == "mul_offset"


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ([("Add", 0.25)], r"offset by 0.25, no multiple of its scale 0.5.*\[not-quantized\]"),
        ([("Relu",)], r"\[not-quantized\]"),
        ([("Mul", -1)], r"\[not-quantized\]"),
        ([("Mul", [1, 2, 3])], r"\[not-quantized\]"),
    ],
)
def test_what_is_no_integer_of_one_scale_wants_a_quantizer(ctx: Context, ops: list, message: str) -> None:
    pending(ctx, *ops)
    with pytest.raises(HwError, match=rf"'mul' \(Mul\): .*{message}"):
        ctx.codes(MUL)


def test_the_float_input_wants_a_quantizer_too(ctx: Context) -> None:
    ctx.values["x"] = Raw("x", (3, 2, 2))
    for read in (ctx.codes, ctx.pending):
        with pytest.raises(HwError, match=r"\[input-not-quantized\]"):
            read(MUL)
    assert ctx.shape(MUL) == (3, 2, 2)


def test_scales_per_channel_are_for_depthwise_operators(ctx: Context) -> None:
    ctx.values["x"] = Codes(ctx.values["x"].int, np.array([1, 2, 3.0]))
    assert ctx.codes(MUL, depthwise=True).scale.tolist() == [1, 2, 3]
    with pytest.raises(HwError, match=r"one scale per channel.*\[per-channel-activation\]"):
        ctx.codes(MUL)


def test_folded_constants_count_until_they_are_released(ctx: Context) -> None:
    ctx.constants["given"] = Constant(np.ones(7))
    ctx.keep("made", Constant(np.ones(5), np.ones(5, np.int64), np.ones(1)))
    assert (ctx.budget.held, ctx.budget.made) == (11, 11)
    for name in ("given", "made", "made", "never"):
        ctx.release(name)
    assert (ctx.budget.held, ctx.budget.made) == (0, 11)
    assert not ctx.constants


def test_sources_name_the_files_tensor_and_its_layout(ctx: Context) -> None:
    ctx.record_source("act", MUL, np.array([0.5, 1.0, 2.0]))
    assert ctx.sources["act"] == ("y", [0.5, 1.0, 2.0], "NCHW")
    ctx.layouts["y"] = LAST
    ctx.record_source("act", MUL, np.float32(0.5))
    assert ctx.sources["act"] == ("y", 0.5, "NHWC")
    ctx.layouts["y"] = np.arange(12)
    ctx.record_source("flat", MUL, np.float32(0.5))
    assert "flat" not in ctx.sources


@pytest.mark.parametrize("kind", [np.complex64, np.str_])
def test_parameters_are_real_numbers(ctx: Context, kind: type) -> None:
    ctx.constants["k"] = Constant(np.ones(3, kind))
    with pytest.raises(HwError, match=r"'mul' \(Mul\): its input 1 is of type .*; expected real numbers"):
        ctx.constant(MUL, 1)


@pytest.mark.parametrize("values", [[1.5], [np.nan], [np.inf]])
def test_axes_pads_and_shapes_are_integers(ctx: Context, values: list[float]) -> None:
    ctx.constants["k"] = Constant(np.array([2.0, -1.0]))
    assert ctx.integers(MUL, 1) == [2, -1]
    ctx.constants["k"] = Constant(np.array(values))
    with pytest.raises(HwError, match=r"'mul'.*its input 1 is .*; expected integers"):
        ctx.integers(MUL, 1)


def test_a_value_that_is_missing_or_constant_is_named(ctx: Context) -> None:
    ctx.constants["k"] = Constant(np.ones(3))
    with pytest.raises(HwError, match=r"'mul'.*its input 1 is a constant; expected values computed from the input"):
        ctx.value(MUL, 1)
    with pytest.raises(HwError, match=r"'mul'.*its input 7 is missing"):
        ctx.value(MUL, 7)
    assert not ctx.is_constant(MUL, 7)
