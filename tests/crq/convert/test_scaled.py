"""Arithmetic with one constant in the middle of a network."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crq.convert.scaled import Scaled

X = torch.linspace(-3, 3, 25)


@given(st.sampled_from(["Add", "Sub", "RSub", "Mul", "Div"]), st.floats(-8, 8).filter(lambda v: abs(v) > 1e-3))
def test_affine_is_what_forward_does(kind: str, constant: float) -> None:
    module = Scaled(kind, constant)
    gain, bias = module.affine()
    assert torch.allclose(module(X.double()), X.double() * gain + bias)


@pytest.mark.parametrize(
    ("kind", "expected"), [("Add", X + 3.0), ("Sub", X - 3.0), ("RSub", 3.0 - X), ("Mul", X * 3.0), ("Div", X / 3.0)]
)
def test_forward_rounds_as_the_users_code_does(kind: str, expected: torch.Tensor) -> None:
    assert torch.equal(Scaled(kind, 3.0)(X), expected)
    assert Scaled(kind, 0.0).affine()[0] != 0 if kind in ("Add", "Sub", "RSub") else True
    assert repr(Scaled(kind, 0.5)) == f"Scaled({kind} 0.5)"
