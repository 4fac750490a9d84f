"""An enlargement and what alone reads it, channel by channel, trade places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.ir.metadata import FileTensor, Metadata
from crq.hw.read.passes.enlarge_last import enlarge_last
from tests.support.passes import assert_leaves_alone, assert_rewrites
from tests.support.random_graphs import GraphBuilder


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(2, 2), (1, 3)]), st.booleans())
def test_the_integers_stay(seed: int, factor: tuple[int, int], parts: bool) -> None:
    g = GraphBuilder((3, 3, 4), "INT4", seed)
    h = g.enlarge(g.conv("x", 12), factor, parts)
    model = g.finish(g.threshold(g.bias(g.negate(h)), 3, signed=True))
    assert_rewrites(enlarge_last, model, ["Conv", "Mul", "Add", "MultiThreshold", "ConvTranspose"], count=2)


def test_the_files_tensor_is_then_the_codes_of_the_enlargement_and_ties_count_its_channels() -> None:
    g = GraphBuilder((3, 5, 5), "INT4")
    model = g.finish(g.threshold(g.enlarge(g.conv("x", 8), parts=True)))
    source = FileTensor("codes", 0.5, "NCHW")
    Metadata(sources={"act3": source}, ties={"act3": [1]}).write(model)
    after, _ = enlarge_last(model)
    found = Metadata.of(after)
    assert found.sources == {"grow2": source}
    assert found.ties == {"act3": [4, 5, 6, 7]}


@pytest.mark.parametrize("after", ["two readers", "a sum of two tensors", "a pool"])
def test_others_stay(after: str) -> None:
    g = GraphBuilder((3, 4, 4), "INT4")
    h = g.enlarge(g.conv("x", 4), parts=True)
    other = g.enlarge(g.conv("x", 1))
    made = {"two readers": lambda: g.add(g.threshold(h), h), "a sum of two tensors": lambda: g.add(h, other),
            "a pool": lambda: g.max_pool(h)}  # fmt: skip
    assert_leaves_alone(enlarge_last, g.finish(made[after]()))


def test_one_constant_for_all_channels_stays_one() -> None:
    g = GraphBuilder((3, 5, 5), "INT4")
    model = g.finish(g.threshold(g.enlarge(g.conv("x", 8), parts=True), table=np.array([[-1, 2, 3]])))
    after = assert_rewrites(enlarge_last, model, ["Conv", "MultiThreshold", "ConvTranspose"], count=2)
    assert after.get_initializer("act3_t").shape == (1, 3)
