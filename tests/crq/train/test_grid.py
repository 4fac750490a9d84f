"""Standardization against NumPy, and the input grid that follows from the training split."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crq.convert.config import TernaryConfig
from crq.convert.preprocessing import apply
from crq.errors import CrqError
from crq.train.grid import standardization, with_grid
from crq.train.image_files import ImageFiles
from crq.train.sources.values import ValueData
from tests.support.recipes import digits


def data(values: np.ndarray) -> ValueData:
    return ValueData(torch.as_tensor(values, dtype=torch.float32), torch.zeros(len(values)).long(), ("a",), "d")


@given(st.integers(0, 99), st.sampled_from([(5,), (3, 4), (2, 3, 4)]), st.integers(3, 700))
def test_every_channel_gets_mean_0_and_deviation_1(seed: int, shape: tuple[int, ...], count: int) -> None:
    rng = np.random.default_rng(seed)
    scale, shift = (rng.normal(size=(shape[0], *[1] * (len(shape) - 1))) for _ in range(2))
    values = ((rng.normal(size=(count, *shape)) + 10 * shift) * np.exp(scale * 3)).astype(np.float32)
    steps = standardization(data(values))
    axes = (0, *range(2, values.ndim))
    found = dict(steps)
    np.testing.assert_allclose(found["Sub"], values.astype(np.float64).mean(axes), rtol=1e-6)
    np.testing.assert_allclose(found["Div"], values.astype(np.float64).std(axes), rtol=1e-5)
    assert all(np.float32(c) == c for constants in found.values() for c in constants)
    out = apply(steps, torch.from_numpy(values)).numpy()
    np.testing.assert_allclose(out.std(axes), 1, rtol=1e-4)


def test_what_does_not_vary_is_left_at_its_size() -> None:
    values = np.stack([np.full(50, 1e6), np.arange(50.0)], 1)
    [(_, mean), (_, deviation)] = standardization(data(values))
    assert (mean[0], deviation[0]) == (1e6, 1.0)


def test_one_channel_has_plain_numbers() -> None:
    [(_, mean), (_, deviation)] = standardization(digits())
    pixels = digits().images.double() / 256
    assert mean == pytest.approx(float(pixels.mean()), rel=1e-6)
    assert deviation == pytest.approx(float(pixels.std(correction=0)), rel=1e-6)


def test_images_on_disk_are_not_standardized() -> None:
    with pytest.raises(CrqError, match=r"images that stay on disk \(data\.size\) are not standardized"):
        standardization(ImageFiles((), torch.zeros(0), ("a",), "d", 32))


def test_grids() -> None:
    bytes_, config = digits(), TernaryConfig()
    assert with_grid(config, bytes_, ()) == config
    normal = data(np.random.default_rng(0).normal(size=(500, 4)))
    found = with_grid(TernaryConfig(input_bits=6), normal, ())
    assert (found.input_bits, found.input_signed) == (6, True)
    assert 2**-5 <= found.input_scale <= 2**-2
    whole = with_grid(config, data(np.arange(16.0).reshape(4, 4) * 2), ())
    assert (whole.input_signed, whole.input_scale) == (False, 2.0)
    for said in (TernaryConfig(input_signed=True, input_scale=0.5), config):
        assert with_grid(said, normal, (), given=True) == said
    standardized = with_grid(config, bytes_, standardization(bytes_))
    assert standardized.input_signed
