"""The optimum of Eq. 3 by bins, against a sort in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.quant import histogram


def energy(values: np.ndarray) -> np.ndarray:
    """(Σ top-k)²/k for every k."""
    sums = np.cumsum(np.sort(np.abs(values.astype(np.float64)))[::-1])
    return sums**2 / np.arange(1, len(values) + 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3000), st.floats(-30, 30))
def test_alpha_has_the_largest_energy(seed: int, count: int, exponent: float) -> None:
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal(count) * 2.0**exponent).astype(np.float32)
    alpha = histogram.optimum(torch.from_numpy(values))
    kept = np.abs(values.astype(np.float64)) > alpha / 2
    assert np.abs(values[kept].astype(np.float64)).sum() ** 2 / kept.sum() == pytest.approx(energy(values).max())


def test_edges() -> None:
    assert histogram.optimum(torch.zeros(5)) == 0
    assert histogram.optimum(torch.tensor([0.0, -3.0])) == 3
    assert histogram.optimum(torch.tensor([1e-45])) == pytest.approx(1e-45)
    for bad in (float("nan"), float("inf"), -float("inf")):
        assert math.isnan(histogram.optimum(torch.tensor([1.0, bad])))


def test_between_gives_magnitudes_in_their_order() -> None:
    flat = torch.tensor([0.1, -0.5, 0.3, -0.2, 0.5])
    assert histogram.between(flat, float(flat[3].abs()), 0.5).tolist() == flat[1:].abs().tolist()


@pytest.mark.parametrize("shape", [(7,), (3, 5)])
def test_descending_sorts_the_last_axis(shape: tuple[int, ...]) -> None:
    values = torch.randn(shape)
    assert torch.equal(histogram.descending(values), values.sort(-1, descending=True).values)
