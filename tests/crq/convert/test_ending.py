"""The end of a network: integers of the last layer with a bias, and the scale of its scores."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crq.convert.ending import ending
from crq.convert.values import Codes, Pending
from crq.errors import CrqError

NUMBERS = st.floats(-8, 8).filter(lambda v: abs(v) > 1e-3)


def pending(gain: list[float], bias: list[float] | None, alpha: float = 0.5, scale: float = 0.25) -> Pending:
    lo = np.full(len(gain), -100)
    return Pending(Codes("fc", scale, lo, -lo), np.float32(alpha), np.array(gain), bias and np.array(bias))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5), st.integers(-100, 100))
def test_scores_are_the_layers_within_half_a_unit(channels: list[tuple[float, float]], total: int) -> None:
    gain, bias = map(list, zip(*channels, strict=True))
    step, alive = ending(pending(gain, bias))
    assert alive.all()
    integers = torch.full((1, len(gain)), total)
    expected = total * 0.25 * 0.5 * np.array(gain) + bias
    unit = np.abs(np.array(gain)) * 0.125
    assert (np.abs(step.logits(step(integers)).numpy()[0] - expected) <= 0.5 * unit + 1e-4).all()


def test_a_channel_without_scale_keeps_the_grid_of_the_input() -> None:
    step, alive = ending(pending([0.0, 1.0], [0.6, 0.0]))
    assert alive.tolist() == [False, True]
    assert step.scale.tolist() == [0.25, 0.125]
    assert step.bias.tolist() == [2, 0]


@pytest.mark.parametrize(("gain", "bias"), [([1e-9], [1e3]), ([1e-45], [0.0]), ([np.inf], [1.0])])
def test_a_bias_beyond_32_bits_names_the_layer(gain: list[float], bias: list[float]) -> None:
    with pytest.raises(CrqError, match="layer 'fc': its bias does not fit 32 bits.*retrain the layer"):
        ending(pending(gain, bias))


def test_sums_over_pixels_and_codes_have_their_own_scale() -> None:
    codes = Codes("pool", 0.25, np.zeros(2), np.full(2, 90))
    step, _ = ending(Pending(codes, divisor=6))
    assert step.scale.tolist() == [np.float32(0.25 / 6)]
    assert not step.bias.any()
    assert ending(Pending(codes))[0].scale.tolist() == [0.25]
