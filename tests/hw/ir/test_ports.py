"""Images of several ports in one array, and apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.ir.layers import Shape, Tensor
from crq.hw.ir.ports import apart, numbered, rows, shape_of, together, whole

SHAPES = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=4)


def tensors(shapes: list[tuple[int, int, int]]) -> list[Tensor]:
    return [Tensor(f"t{i}", Shape(*s), np.zeros(s[0], np.int64), np.ones(s[0], np.int64)) for i, s in enumerate(shapes)]


@given(SHAPES, st.integers(0, 3))
def test_apart_is_the_inverse_of_together(shapes: list[tuple[int, int, int]], images: int) -> None:
    ports, rng = tensors(shapes), np.random.default_rng(0)
    parts = [rng.integers(-9, 9, (images, *shape)) for shape in shapes]
    joined = together(parts)
    assert joined.shape == (images, *shape_of(ports))
    for part, found in zip(parts, apart(ports, joined), strict=True):
        np.testing.assert_array_equal(found, part)
    np.testing.assert_array_equal(whole(tuple(parts)), joined)
    np.testing.assert_array_equal(whole(joined), joined)


@given(SHAPES)
def test_rows_are_the_pixels_of_one_port_behind_the_other(shapes: list[tuple[int, int, int]]) -> None:
    ports = tensors(shapes)
    parts = [np.random.default_rng(i).integers(-9, 9, (1, *shape)) for i, shape in enumerate(shapes)]
    wanted = [int(p[0, c, y, x]) for p in parts for y, x, c in np.ndindex(p.shape[2], p.shape[3], p.shape[1])]
    assert rows(ports, together(parts)).tolist() == [wanted]


@pytest.mark.parametrize(("port", "name"), [(0, "input"), (1, "input2"), (9, "input10")])
def test_the_first_has_no_number(port: int, name: str) -> None:
    assert numbered("input", port) == name
