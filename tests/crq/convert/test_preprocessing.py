"""The host's steps: as the network does them, as the hardware's host does them, and back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.convert import preprocessing
from crq.convert.preprocessing import Preprocess
from crq.errors import CrqError
from crq.hw.ir import host

NUMBERS = st.floats(0.125, 8, width=32)
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(host.OPERATIONS)), NUMBERS | st.tuples(NUMBERS, NUMBERS, NUMBERS)), max_size=4
)


def test_operators_are_the_hosts() -> None:
    assert set(preprocessing._DO) == set(preprocessing._UNDO) == set(host.OPERATIONS)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 99))
def test_values_are_the_hosts_bit_for_bit(steps: list, seed: int) -> None:
    x = np.random.default_rng(seed).random((2, 3, 4, 5), np.float32)
    found = preprocessing.apply(tuple(steps), torch.from_numpy(x)).numpy()
    expected = x.astype(np.float64)
    for kind, constant in steps:
        c = np.asarray(constant, np.float64)
        expected = host.OPERATIONS[kind].do(expected, c.reshape(-1, 1, 1) if c.ndim else c)
    assert np.array_equal(found, expected)
    assert np.allclose(preprocessing.undo(tuple(steps), torch.from_numpy(found)).numpy(), x, atol=1e-6)


def test_the_module_trains_as_it_is_recorded() -> None:
    module = Preprocess([("Sub", torch.tensor([0.5, 0.25]).reshape(-1, 1, 1)), ("Div", torch.tensor(2.0))])
    assert not list(module.parameters())
    steps = module.steps((2, 3, 3))
    assert steps == (("Sub", (0.5, 0.25)), ("Div", 2.0))
    x = torch.rand(4, 2, 3, 3)
    assert torch.allclose(module(x).double(), preprocessing.apply(steps, x))
    assert torch.equal(module(torch.ones(1, 2, 3, 3, dtype=torch.uint8))[0, 0], torch.full((3, 3), 0.25))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 3), (4, 2, 1, 1), (5, 1, 1), (1, 1, 2, 1, 1)])
def test_constants_that_differ_by_pixel_are_refused(shape: tuple) -> None:
    module = Preprocess([("Sub", torch.rand(shape))])
    with pytest.raises(CrqError, match=r"neither one number nor one per channel of an image \(2, 3, 3\)"):
        module.steps((2, 3, 3))


def test_vectors_have_a_constant_per_feature() -> None:
    steps = Preprocess([("Sub", torch.arange(4.0))]).steps((4,))
    assert preprocessing.apply(steps, torch.ones(2, 4)).tolist() == [[1, 0, -1, -2]] * 2


def test_what_a_file_may_say() -> None:
    assert preprocessing.check([["Sub", [0.5, 0.5]], ["Div", 2.0]], 2)
    for wrong in (None, [1], [["Pow", 2.0]], [["Sub", [0.5]]], [["Div", 0.0]], [["Add", float("nan")]], [["Add", "1"]]):
        assert not preprocessing.check(wrong, 2)
