"""Quantizers of more than 12 bits: equal to the file's own float64 chain on every integer, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Threshold
from crq.hw.ir.progression import Progression
from crq.hw.read import read_qonnx
from crq.hw.read.chain import Chain, Quantizer
from crq.hw.read.progressive import Progressive, narrowed, progressive
from tests.support.wide_files import wide_dense, wide_uneven, wide_vgg

ROUNDINGS = {"ROUND": np.rint, "FLOOR": np.floor, "CEIL": np.ceil, "ROUND_TO_ZERO": np.trunc}


def quantizer(scale: float, low: int, high: int, mode: str = "FLOOR") -> Quantizer:
    return Quantizer(np.asarray(np.float32(scale)), 0, low, high, ROUNDINGS[mode])


def own(gain: float, offset: float, floor: bool, scale: float, ends: tuple[int, int], mode: str, x: Any) -> Any:
    """The chain in float64, independently of the reader."""
    value = x.astype(np.float64) * np.float64(np.float32(gain)) + np.float64(np.float32(offset))
    value = np.maximum(value, 0) if floor else value
    return ROUNDINGS[mode](np.clip(value / np.float64(np.float32(scale)), *ends)).astype(np.int64)


@settings(deadline=None, max_examples=25)
@given(
    st.floats(0.05, 3), st.booleans(), st.floats(-900, 900), st.booleans(), st.sampled_from(["FLOOR", "CEIL"]),
    st.sampled_from([(0, 65535), (-32768, 32767), (-32767, 32767), (0, 20000)]),
)  # fmt: skip
def test_codes_are_those_of_the_chain_on_every_integer(
    gain: float, falls: bool, offset: float, relu: bool, mode: str, ends: tuple[int, int]
) -> None:  # fmt: skip
    gain = -gain if falls else gain
    chain = Chain(1).then("Mul", np.asarray(np.float32(gain))).then("Add", np.asarray(np.float32(offset)))
    chain = chain.then("Relu") if relu else chain
    lo, hi = np.array([-70000]), np.array([60000])
    rule = narrowed(chain, quantizer(0.5, *ends, mode), lo, hi)
    found = progressive(chain, rule, lo, hi)
    assert isinstance(found, Progressive)
    sums = np.arange(-70000, 60001)
    codes = found.qmin + found.progression.met(chain.signs[:, None] * sums)[0]
    np.testing.assert_array_equal(codes, own(gain, offset, relu, 0.5, ends, mode, sums))


@pytest.mark.parametrize("gain", [0.5, 0.25, 1.0])
def test_rounding_half_to_even_by_powers_of_two(gain: float) -> None:
    chain = Chain(2).then("Mul", np.asarray(np.float32(gain))).then("Add", np.array([0, 3.75], np.float32))
    lo, hi = np.full(2, -80000), np.full(2, 80000)
    rule = quantizer(2.0, -32768, 32767, "ROUND")
    found = progressive(chain, narrowed(chain, rule, lo, hi), lo, hi)
    assert isinstance(found, Progressive)
    assert found.progression.ties
    sums = np.arange(-80000, 80001)
    codes = found.qmin + found.progression.met(np.stack([sums, sums]))
    for channel, offset in enumerate((0, 3.75)):
        np.testing.assert_array_equal(codes[channel], own(gain, offset, False, 2.0, (-32768, 32767), "ROUND", sums))


def test_codes_that_are_reached_decide_whether_a_table_will_do() -> None:
    model = read_qonnx(wide_dense(scale=0.1, signed=1))
    [layer] = [layer for layer in Network(model) if isinstance(layer, Threshold)]
    assert not isinstance(layer.thresholds, Progression)
    assert layer.levels < 4096


def test_progressions_are_stored_in_three_numbers_per_channel() -> None:
    model = read_qonnx(wide_vgg())
    layers = [layer for layer in Network(model) if isinstance(layer, Threshold)]
    assert any(isinstance(layer.thresholds, Progression) for layer in layers)
    assert max(model.get_initializer(i.name).size for i in model.graph.initializer) < 1 << 16


@pytest.mark.parametrize("signed", [0, 1])
def test_channels_of_few_codes_far_from_zero_stand_beside_those_of_all(signed: int) -> None:
    """Their lines are steep and begin behind the codes that every sum reaches: no number of theirs leaves 64 bits."""
    [layer] = [layer for layer in Network(read_qonnx(wide_uneven(signed=signed))) if isinstance(layer, Threshold)]
    along = layer.thresholds
    assert isinstance(along, Progression)
    assert along.start is not None
    assert len(set(along.start.tolist())) > 2
    reached = layer.output.hi - layer.output.lo
    assert reached.min() == 0
    assert reached.max() > 60000


def test_ties_of_float32_are_listed() -> None:
    """Sums of 32 bits are no float32 at all."""
    rng = np.random.default_rng(3)
    model = read_qonnx(wide_dense(600, 4, rng.integers(-127, 128, (600, 4)), scale=2.0**-1, gain=0.01))
    [layer] = [layer for layer in Network(model) if isinstance(layer, Threshold)]
    assert Network(model).metadata.ties[layer.name]


def test_a_gain_with_ties_that_no_line_has_is_refused_with_the_channel() -> None:
    with pytest.raises(HwError, match=r"'q' \(Quant\): channel 0 of 5; use at most 12 bits.*FLOOR.*\[progression\]"):
        read_qonnx(wide_dense(mode="ROUND", gain=0.75, scale=2.0**-9, bias=0))


@pytest.mark.parametrize("bits", [17, 24])
def test_more_than_16_bits_are_refused(bits: int) -> None:
    with pytest.raises(HwError, match=r"bit width .*expected 1 to 16.*activation-bits"):
        read_qonnx(wide_dense(bits=bits))
