"""Counts of primitives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crq.hw.cost.resources import Resources

COUNTS = st.builds(
    Resources, *[st.integers(0, 10**6).map(float)] * 3, *[st.integers(0, 10**4)] * 3
)  # fmt: skip


def test_luts_are_logic_and_memory_and_a_block_is_two_halves() -> None:
    found = Resources(logic=10.5, lutram=4, ff=7, bram18=3, uram=1, dsp=2)
    assert found.lut == 14.5
    assert found.bram36 == 1.5
    assert found.facts() == {
        "lut": 14.5, "lut_logic": 10.5, "lut_memory": 4, "ff": 7, "bram36": 1.5, "bram18": 3, "uram": 1, "dsp": 2,
    }  # fmt: skip


@given(st.lists(COUNTS, max_size=4))
def test_a_sum_is_one_by_field(parts: list[Resources]) -> None:
    total = Resources().plus(*parts)
    for name in Resources._fields:
        assert getattr(total, name) == sum(getattr(part, name) for part in parts)


@given(COUNTS, st.integers(0, 9))
def test_times_is_a_sum_of_as_many(one: Resources, n: int) -> None:
    assert one.times(n) == Resources().plus(*[one] * n)


def test_rounded_counts_are_whole() -> None:
    found = Resources(logic=2.6, lutram=1.2, ff=3.5, bram18=1).rounded()
    assert found == Resources(3, 1, 4, 1)
    assert all(isinstance(value, int) for value in found)


def test_blocks_stay_whole_numbers_in_sums() -> None:
    total = Resources(bram18=1, dsp=2).plus(Resources(logic=0.5, uram=3)).times(2)
    assert (total.bram18, total.uram, total.dsp) == (2, 6, 4)
    assert all(type(value) is int for value in (total.bram18, total.uram, total.dsp))
