"""Two tables whose sum is a code that rises and falls, against the code of every integer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.read.chain import Chain, Quantizer
from crq.hw.read.turning import turning


@given(st.integers(0, 2**32 - 1), st.sampled_from(["Swish", "HardSwish", "Mish", "Gelu", "GeluTanh"]), st.booleans())
def test_the_tables_add_up_to_every_code(seed: int, kind: str, hill: bool) -> None:
    rng = np.random.default_rng(seed)
    channels = 3
    gain = rng.normal(0, 0.3, channels).astype(np.float32)
    parameters = (np.asarray(np.float32(1)),) if kind == "Swish" else ()
    chain = Chain(channels).then("Mul", gain).then(kind, *parameters)
    chain = chain.then("Mul", np.asarray(np.float32(-1))) if hill else chain
    quantizer = Quantizer(np.asarray(np.float32(rng.uniform(0.02, 0.3))), 0, -8, 7, np.rint)
    lo = rng.integers(-60, 20, channels)
    hi = lo + rng.integers(0, 90, channels)
    found = turning(chain, quantizer, lo, hi)
    assert not isinstance(found, str)
    for c in range(channels):
        sums = np.arange(lo[c], hi[c] + 1)
        wanted = quantizer.apply(chain(np.tile(sums, (channels, 1)), np.float64))[c]
        rise = found.rise_least + (sums[:, None] >= found.rise[c]).sum(1)
        fall = found.fall_least + (-sums[:, None] >= found.fall[c]).sum(1)
        assert np.array_equal(rise + fall, wanted)


def test_a_code_that_turns_twice_has_no_tables() -> None:
    cubic = (
        Chain(1).then("Pow", np.asarray(np.float32(3))).joined("Sub", Chain(1).then("Mul", np.asarray(np.float32(40))))
    )
    quantizer = Quantizer(np.asarray(np.float32(10)), 0, -128, 127, np.rint)
    assert turning(cubic, quantizer, np.array([-9]), np.array([9])) == "the codes of channel 0 turn more than once"
