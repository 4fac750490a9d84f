"""Charts: round ticks around all values, points in their order."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.docs.plot import HEIGHT, chart, ticks

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
VALUES = st.floats(-1e6, 1e6).map(lambda v: round(v, 2))


@CALM
@given(st.lists(VALUES, min_size=1, max_size=8))
def test_ticks_are_few_even_and_enclose_the_values(values: list[float]) -> None:
    low, high = min(0.0, *values), max(0.0, *values)
    found = ticks(low, high)
    step = found[1] - found[0] if len(found) > 1 else 1.0
    assert len(found) <= 7
    assert all(abs(b - a - step) < 1e-6 * step for a, b in zip(found, found[1:], strict=False))
    assert found[0] <= low + 1e-9
    assert found[-1] >= high - 1e-9


@CALM
@given(st.lists(VALUES, min_size=2, max_size=8, unique=True))
def test_larger_values_stand_higher(values: list[float]) -> None:
    picture = chart({"a & b": list(enumerate(values, 1))}, "%")
    assert "a &amp; b" in picture
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)" r="3.5"', picture)]
    assert all(0 <= y <= HEIGHT for y in heights)
    for (v, y), (w, z) in zip(
        zip(values, heights, strict=True), zip(values[1:], heights[1:], strict=True), strict=False
    ):
        assert (v < w) <= (y >= z)
        assert (v > w) <= (y <= z)
