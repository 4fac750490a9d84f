"""What enters a prepared network."""

import pytest
import torch

import crq
from crq.convert.inputs import find_input_quantizer, input_quantizer, values_of
from crq.errors import CrqError
from tests.support.nets import Plain, images


def test_the_input_quantizer_is_found() -> None:
    model = crq.prepare(Plain(), crq.TernaryConfig(input_bits=5, input_scale=0.5))
    assert (input_quantizer(model).bits, input_quantizer(model).scale) == (5, 0.5)
    floating = crq.prepare(Plain(), crq.TernaryConfig(act_bits=None))
    assert find_input_quantizer(floating) is None
    with pytest.raises(CrqError, match="not quantized"):
        input_quantizer(floating)


def test_integers_are_codes() -> None:
    model, codes = crq.prepare(Plain()), images(Plain, 3)
    found = [*values_of(model, [codes, (codes, 1), codes.float() / 256])]
    assert all(torch.equal(values, codes.float() / 256) for values in found)
