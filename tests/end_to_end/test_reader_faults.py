"""Faults put into the reader's operators: the file's evaluation in float64, which has its own, finds every one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import ModelProto, NodeProto

from crq.hw.cli.check import check
from crq.hw.ir.vectors import all_vectors
from crq.hw.read import chain, constants, layout, reader
from crq.hw.read.chain import Quantizer, Steps
from crq.hw.read.constants import Constant
from crq.hw.read.handlers import elementwise, macs, padding, pools, quantizers
from crq.hw.read.rounding import MODES
from crq.hw.read.values import Pending
from crq.hw.verify.chain import layer_values, load_network
from crq.hw.verify.float64.evaluate import float64_link
from tests.support.legal_files import ACT, HEAD, LEGAL, RNG, mode, model, tail
from tests.support.qonnx_files import conv, node, quant

Patch = pytest.MonkeyPatch


def no_zero_point(patch: Patch) -> None:
    patch.setattr(quantizers, "Quantizer", lambda s, zero, *others, **more: Quantizer(s, 0, *others, **more))


def narrow_is_wide(patch: Patch) -> None:
    right = quantizers.bounds
    patch.setattr(quantizers, "bounds", lambda node, bits, signed, narrow, most: right(node, bits, signed, False, most))


def rounds_down(patch: Patch) -> None:
    patch.setitem(MODES, "CEIL", np.floor)


def pads_swapped(patch: Patch) -> None:
    def swapped(*given: Any) -> list[int]:
        pads = padding.conv_pads(*given)
        return pads[len(pads) // 2 :] + pads[: len(pads) // 2]

    patch.setattr(macs, "conv_pads", swapped)
    patch.setattr(pools, "conv_pads", swapped)


def no_bias(patch: Patch) -> None:
    right = macs._bias
    patch.setattr(macs, "_bias", lambda *given: 0 * right(*given))


def no_relu(patch: Patch) -> None:
    patch.setitem(reader.HANDLERS, "Relu", lambda ctx, node: ctx.value(node))


def no_alpha(patch: Patch) -> None:
    def gemm(ctx: Any, given: Any) -> Pending:
        for attribute in given.attribute:
            if attribute.name == "alpha":
                attribute.f = 1.0
        return macs.gemm(ctx, given)

    patch.setitem(reader.HANDLERS, "Gemm", gemm)


def mean_added(patch: Patch) -> None:
    right = chain._batch_norm
    patch.setitem(
        chain._OPERATORS, "BatchNormalization", lambda x, scale, bias, mean, *rest: right(x, scale, bias, -mean, *rest)
    )


def subtraction_reversed(patch: Patch) -> None:
    patch.setitem(chain._OPERATORS, "Sub", lambda x, c: c - x)


def clip_of_the_other_end(patch: Patch) -> None:
    patch.setitem(chain._OPERATORS, "Clip", lambda x, low, high: np.clip(x, low, None))


def mean_of_one_more(patch: Patch) -> None:
    right = pools._average
    patch.setattr(pools, "_average", lambda x, total, size: right(x, total, size + 1))


def concatenation_reversed(patch: Patch) -> None:
    right = pools.align

    def reversed_(*given: Any) -> Any:
        operands, scale = right(*given)
        return operands[::-1], scale

    patch.setattr(pools, "align", reversed_)


def sum_without_alignment(patch: Patch) -> None:
    patch.setattr(elementwise, "align", lambda ctx, node, operands: (operands, min(o.scale for o in operands)))


def above_instead_of_reached(patch: Patch) -> None:
    patch.setattr(Steps, "apply", lambda s, x: s.qmin + s.repeat * (x[:, :, None] > s.table[:, None, :]).sum(-1))


def weights_of_the_wrong_zero(patch: Patch) -> None:
    right = constants._dequantize_linear

    def wrong(node: NodeProto, inputs: list[Constant], opset: int) -> Constant:
        return right(node, [*inputs[:2], Constant(np.zeros_like(inputs[2].value))], opset)

    patch.setattr(constants, "_dequantize_linear", wrong)


def features_left_as_they_are(patch: Patch) -> None:
    patch.setattr(layout, "_of_features", lambda ctx, node, order: (node, None))


def weights_rounded_down(patch: Patch) -> None:
    patch.setattr(constants, "rounding", lambda node, attributes: np.floor)


NORM = node("BatchNormalization", "c bs bt bm bv", "n")
STATISTICS = {name: RNG.uniform(0.5, 1.5, 5).astype(np.float32) for name in ("bs", "bt", "bm", "bv")}
SIGNED = [quant("n", "q", "q1", signed=1), *tail("q")]
LAST = [quant("n", "z", "q1", signed=1), *tail("z")]
CONV_OF_CODES = conv("xq wq", "n", "conv", pad=1)
CODED = RNG.integers(0, 2, (5, 2, 3, 3)).astype(np.int8)
FAULTS: dict[Callable[[Patch], None], ModelProto] = {
    no_zero_point: LEGAL["activation zero point"],
    narrow_is_wide: model(
        [*HEAD, node("Quant", "c small zero bits", "q", "act", signed=1, narrow=1), *tail("q")],
        small=np.float32(0.02),
    ),
    rounds_down: LEGAL["rounding CEIL"],
    pads_swapped: LEGAL["conv SAME_UPPER"],
    no_bias: model([HEAD[0], conv("xq w cb", "n", "conv", pad=1), *SIGNED], cb=np.arange(-2, 3, dtype=np.float32)),
    no_relu: model([*HEAD, node("Relu", "c", "n"), *SIGNED]),
    no_alpha: model(
        [*HEAD, *ACT, *tail("q")[:3], node("Gemm", "fl f", "z", "fc", alpha=0.5), quant("z", "y", "q1", signed=1)]
    ),
    mean_added: model([*HEAD, NORM, *SIGNED], opset=13, **STATISTICS),
    subtraction_reversed: model([*HEAD, node("Sub", "c b", "n"), *SIGNED]),
    clip_of_the_other_end: model(
        [*HEAD, node("Clip", "c low high", "n"), *SIGNED], low=np.float32(-0.3), high=np.float32(0.9)
    ),
    mean_of_one_more: model(
        [*HEAD, *ACT, node("AveragePool", "q", "n", "ap", kernel_shape=[2, 2]), quant("n", "m", "q9"), *tail("m")]
    ),
    concatenation_reversed: model(
        [*HEAD, quant("c", "q", "q1", signed=1), node("Relu", "c", "r"), quant("r", "u", "q1")]
        + [node("Concat", "q u", "k", axis=1), conv("k wk", "z", "last"), mode("z", "y", "out", "ROUND")],
        wk=RNG.integers(-1, 2, (4, 10, 3, 3)).astype(np.float32),
    ),
    sum_without_alignment: model(
        [*HEAD, quant("c", "q", "q1", signed=1), quant("c", "u", "s2", signed=1), node("Add", "q u", "n"), *LAST],
        s2_s=np.float32(np.float32(0.31) * 2),
    ),
    above_instead_of_reached: model(
        [*HEAD, node("MultiThreshold", "c t", "q", "mt", out_dtype="UINT2"), *tail("q")],
        qi_s=np.float32(1), t=np.array([[-1, 0, 2]], np.float32),
    ),
    weights_of_the_wrong_zero: model(
        [HEAD[0], node("DequantizeLinear", "w8 ws wz", "wq", axis=0), conv("xq wq", "n", "conv", pad=1), *SIGNED],
        ws=RNG.uniform(0.2, 0.9, 5).astype(np.float32), w8=CODED, wz=np.ones(5, np.int8),
    ),
    features_left_as_they_are: model(
        [*HEAD, *ACT, node("Transpose", "q", "ql", perm=[0, 2, 3, 1]), node("Flatten", "ql", "fl")]
        + [node("MatMul", "fl wl", "y", "fc")],
        wl=RNG.integers(-1, 2, (180, 3)).astype(np.float32),
    ),
    weights_rounded_down: model(
        [HEAD[0], node("Quant", "wf ws zero bits", "wq", signed=1, narrow=1), CONV_OF_CODES, *SIGNED],
        ws=np.float32(0.1), wf=RNG.uniform(-0.4, 0.4, (5, 2, 3, 3)).astype(np.float32),
    ),
}  # fmt: skip


def link_of(file: Path):
    network = load_network(file)
    codes = all_vectors(network, 12)[:20]
    return float64_link(file, network, codes, layer_values(network, codes))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_fault_of_the_reader_is_found(fault: Callable[[Patch], None], tmp_path: Path, monkeypatch: Patch) -> None:
    onnx.save(FAULTS[fault], tmp_path / "m.onnx")
    assert link_of(tmp_path / "m.onnx").equal
    fault(monkeypatch)
    found = link_of(tmp_path / "m.onnx")
    assert found.differing > 0
    assert found.first is not None


@pytest.mark.parametrize("fault", [no_zero_point, pads_swapped], ids=lambda f: f.__name__)
def test_the_command_ends_with_1(fault: Callable[[Patch], None], tmp_path: Path, monkeypatch: Patch) -> None:
    """The integer graph, its simulation and qonnx agree on what is wrong; only the file itself tells."""
    onnx.save(FAULTS[fault], tmp_path / "m.onnx")
    fault(monkeypatch)
    result = CliRunner().invoke(check, [str(tmp_path / "m.onnx"), "--limit", "12"])
    assert result.exit_code == 1
    assert "DIFFERS  the file in float64 = integer graph" in result.output
    assert "equal    C simulation (fast) = integer graph" in result.output


def test_what_float32_changes_without_a_tie_ends_with_1(tmp_path: Path) -> None:
    """Weights that float32 rounds to other codes than float64: the file as it stands computes something else."""
    onnx.save(LEGAL["weights rounded in float64"], tmp_path / "m.onnx")
    result = CliRunner().invoke(check, [str(tmp_path / "m.onnx"), "--limit", "12"])
    assert "equal    the file in float64 = integer graph" in result.output
    assert "FAILED   no tie explains what float32 changes" in result.output
    assert result.exit_code == 1
