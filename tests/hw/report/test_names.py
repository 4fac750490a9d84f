"""Short names: no longer than asked for, unless they would be another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.report.names import shortened

NAMES = st.lists(st.text("ab./", min_size=1, max_size=12), max_size=12)


@given(NAMES, st.integers(2, 14))
def test_every_name_is_still_its_own(names: list[str], width: int) -> None:
    found = shortened(names, width)
    assert set(found) == set(names)
    assert len(set(found.values())) == len(set(names))
    for name, short in found.items():
        assert short == name or (len(short) == width and name.endswith(short[1:]))
        assert len(name) > width or short == name


def test_the_end_is_what_tells_layers_apart() -> None:
    assert shortened(["model.layer1.conv", "model.layer2.conv", "fc"], 12) == {
        "model.layer1.conv": "…layer1.conv", "model.layer2.conv": "…layer2.conv", "fc": "fc",
    }  # fmt: skip


def test_where_the_ends_are_the_same_names_stay_whole() -> None:
    assert shortened(["a.block.conv", "b.block.conv"], 6) == {n: n for n in ("a.block.conv", "b.block.conv")}


def test_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="2 or more"):
        shortened(["a"], 1)
