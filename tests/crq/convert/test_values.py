"""What is held of a value on the way to a quantizer."""

import numpy as np

from crq.convert.values import Codes, Pending


def test_codes_have_no_zeros_around_them_and_sums_no_chain_until_said() -> None:
    codes = Codes("conv", 0.5, np.zeros(3), np.ones(3))
    assert codes.pad == ()
    waiting = Pending(codes)
    assert (waiting.alpha, waiting.gain, waiting.bias, waiting.divisor, waiting.pools) == (None, None, None, 1, ())
    assert not waiting.relu
