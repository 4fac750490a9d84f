"""The memory of a folded window, against writer and reader simulated cycle by cycle and windows placed one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.dataflow.rings import Ring, interval, ring
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from tests.support.machines import Memory, machine, run_unit
from tests.support.queues import Source
from tests.support.random_graphs import GraphBuilder

CHANNELS = 2


def unit_of(g: GraphBuilder, output: str) -> Unit:
    return units(Network(g.finish(output)))[-1]


@st.composite
def layers(draw: st.DrawFn) -> tuple[Unit, Fold]:
    """A convolution of two channels whose window fits, one channel per beat or both."""
    kernel, dilations = [draw(st.tuples(st.integers(1, 4), st.integers(1, 2))) for _ in range(2)]
    strides = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    pads = draw(st.tuples(*[st.integers(0, 3)] * 4))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    least = [max(1, reach[i] - pads[i] - pads[2 + i]) for i in range(2)]
    size = [draw(st.integers(n, n + 5)) for n in least]
    options: dict[str, Any] = {"kernel": kernel, "strides": strides, "pads": pads, "dilations": dilations}
    g = GraphBuilder((CHANNELS, *size), "UINT2")
    unit = unit_of(g, g.conv("x", 2, group=draw(st.sampled_from([1, 2])), **options))
    return unit, draw(st.sampled_from([f for f in unit.legal_folds() if f.form == FOLDED]))


def memory(unit: Unit, fold: Fold) -> Memory:
    found = machine(unit, fold, [Source([]).out])
    assert isinstance(found, Memory)
    return found


@settings(deadline=None, max_examples=200)
@given(layers())
def test_rows_that_an_output_row_waits_for_and_frees(layer: tuple[Unit, Fold]) -> None:
    found, drawn = ring(*layer), memory(*layer)
    heights = range(found.slide.output.h)
    assert [(found.need(oy), found.drop(oy)) for oy in heights] == drawn.plan
    assert [found.base(oy) for oy in heights] == [sum(drop for _, drop in drawn.plan[:oy]) for oy in heights]
    assert sum(found.drop(oy) for oy in heights) == found.slide.image.h


@settings(deadline=None, max_examples=200)
@given(layers())
def test_no_other_output_row_needs_or_frees_more_than_the_special_ones(layer: tuple[Unit, Fold]) -> None:
    """What a circuit knows of the rows in the middle of an image is that of one of them."""
    found = ring(*layer)
    middle = set(range(found.slide.output.h)) - set(found.special)
    special = [(found.need(oy), found.drop(oy)) for oy in found.special]
    assert all((found.need(oy), found.drop(oy)) in special for oy in middle)


@settings(deadline=None, max_examples=200)
@given(layers())
def test_the_ring_holds_what_a_row_needs_and_the_rows_that_come_meanwhile(layer: tuple[Unit, Fold]) -> None:
    found = ring(*layer)
    needs = [need for need, _ in memory(*layer).plan]
    assert found.rows & (found.rows - 1) == 0
    assert max(needs) <= found.rows < 2 * max(2, max(needs) + found.slide.stride[0])
    assert found.depth >= found.rows * found.row_words


@settings(deadline=None, max_examples=80)
@given(layers())
def test_gaps_are_the_beats_between_those_that_enter(layer: tuple[Unit, Fold]) -> None:
    found, drawn = ring(*layer), memory(*layer)
    images = 3
    entering = np.flatnonzero(drawn.keeps * images)
    firsts, lasts = entering[:: found.row_words], entering[found.row_words - 1 :: found.row_words]
    assert found.gap(0) == 0
    assert [found.gap(row) for row in range(1, len(firsts))] == (firsts[1:] - lasts[:-1] - 1).tolist()


@settings(deadline=None, max_examples=150)
@given(layers(), st.integers(1, 3))
def test_the_interval_is_that_of_a_writer_and_a_reader(layer: tuple[Unit, Fold], pace: int) -> None:
    """Images follow each other without a break, a beat every `pace` cycles at most."""
    unit, fold = layer
    found, images = ring(unit, fold), 8
    beats = images * unit.sources[0].shape.size // (CHANNELS // found.words)
    given_ = run_unit(unit, fold, [[0] * beats * pace], [pace]).given
    last = given_[len(given_) // images - 1 :: len(given_) // images]
    assert last[-1] - last[-2] == interval(found, pace)


def signal(kernel: int, length: int = 12, **options: Any) -> Ring:
    g = GraphBuilder((CHANNELS, length), "UINT2")
    return ring(unit_of(g, g.conv("x", 2, (kernel,), **options)), Fold(1, 1, form=FOLDED))


def test_a_signal_is_kept_pixel_by_pixel() -> None:
    """Three taps and one that comes: four pixels of two words."""
    found = signal(3)
    assert (found.rows, found.row_words, found.depth) == (4, 2, 8)
    assert found.decimated is None


def test_pixels_alone_need_no_row() -> None:
    g = GraphBuilder((CHANNELS, 6, 7), "UINT2")
    found = ring(unit_of(g, g.conv("x", 2, (1, 1), strides=(2, 2))), Fold(1, 1, form=FOLDED))
    assert (found.rows, found.row_words) == (2, 2)
    assert found.slide.output.pixels == 3 * 4
    assert found.decimated is not None


@pytest.mark.parametrize(("groups", "fold", "words", "blocks", "steps"), [
    (1, Fold(2, 4, form=FOLDED), 2, 2, 9 * 2 * 2), (1, Fold(1, 1, form=FOLDED), 8, 4, 9 * 8 * 4),
    (2, Fold(2, 4, form=FOLDED), 2, 1, 2 * 9), (2, Fold(1, 2, form=FOLDED), 4, 2, 2 * 2 * 9 * 2),
])  # fmt: skip
def test_words_groups_and_blocks(groups: int, fold: Fold, words: int, blocks: int, steps: int) -> None:
    g = GraphBuilder((8, 5, 5), "UINT2")
    unit = unit_of(g, g.conv("x", 4, group=groups))
    found = ring(unit, fold)
    assert (found.words, found.groups, found.blocks, found.steps) == (words, groups, blocks, steps)
    assert found.steps == unit.reuse_factor(fold)


def test_each_channel_of_a_pool_is_a_group() -> None:
    g = GraphBuilder((8, 6, 6), "UINT2")
    found = ring(unit_of(g, g.max_pool("x", (3, 2), (1, 1))), Fold(2, form=FOLDED))
    assert (found.words, found.groups, found.blocks, found.group_words) == (4, 4, 1, 1)
    assert (found.block_steps, found.steps) == (6, 24)
