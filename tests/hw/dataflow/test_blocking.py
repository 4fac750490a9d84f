"""The counted loop of a folded window: against its own accesses one by one, and against a simulation of its stalls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from crq.hw.dataflow.blocking import APART, Loop, blocking_cycles, blocking_schedule, loop
from crq.hw.dataflow.rings import ring
from crq.hw.dataflow.schedule import cycles, depth, schedule
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder

SAME = (1, 1, 1, 1)
CASES = {
    "padded": lambda g: g.conv("x", 4, pads=SAME),
    "5x5": lambda g: g.conv("x", 4, (5, 5), pads=(2, 2, 2, 2)),
    "strided": lambda g: g.conv("x", 4, (3, 3), (2, 2), SAME),
    "uneven pads": lambda g: g.conv("x", 4, (3, 2), (2, 1), (0, 1, 2, 0)),
    "far pads": lambda g: g.conv("x", 4, (2, 2), (1, 1), (3, 3, 3, 3)),
    "dilated": lambda g: g.conv("x", 4, dilations=(2, 2), pads=(2, 2, 2, 2)),
    "grouped": lambda g: g.conv("x", 4, group=2, pads=SAME),
    "depthwise": lambda g: g.conv("x", 4, group=4, pads=SAME),
    "one tap": lambda g: g.conv("x", 8, (1, 1)),
    "one tap, strided": lambda g: g.conv("x", 8, (1, 1), (2, 3)),
    "pool": lambda g: g.max_pool("x", (2, 2)),
    "pool that skips": lambda g: g.max_pool("x", (2, 2), (3, 3)),
    "one row of taps": lambda g: g.conv("x", 4, (1, 3)),
    "dense": lambda g: g.matmul(g.flatten("x"), 6),
}


def unit_of(name: str) -> Unit:
    g = GraphBuilder((4, 8, 7), "UINT4")
    return units(Network(g.finish(CASES[name](g))))[-1]


def folds(unit: Unit) -> list[Fold]:
    found = [f for f in unit.legal_folds() if f.form == FOLDED]
    return [found[0], found[len(found) // 2], found[-1]]


def accesses(found: Loop) -> Iterator[tuple[int, int, int]]:
    """(iteration, row, word) of every word of the image that is read, padding left out."""
    r, s = found.ring, found.ring.slide
    for oy in range(s.output.h):
        at = found.first + APART + oy * found.row_cycles
        for ox in range(s.output.w):
            for group in range(r.groups):
                for _ in range(r.blocks):
                    for ky in range(s.kernel[0]):
                        for kx in range(s.kernel[1]):
                            y = oy * s.stride[0] + ky * s.dilation[0] - s.pads.top
                            x = ox * s.stride[1] + kx * s.dilation[1] - s.pads.left
                            for word in range(r.group_words):
                                if 0 <= y < s.image.h and 0 <= x < s.image.w:
                                    yield at, y, x * r.words + group * r.group_words + word
                                at += 1


@pytest.mark.parametrize("name", CASES)
def test_a_word_is_there_when_it_is_read_and_stays_until_it_was(name: str) -> None:
    unit = unit_of(name)
    for fold in folds(unit):
        found = loop(unit, fold)
        s, reads = found.ring.slide, found.reads()
        assert len(reads) == s.image.h * found.ring.row_words
        assert (np.diff(reads) > 0).all()
        assert reads[-1] < found.trips
        kept = len(reads) - found.tail
        for at, row, word in accesses(found):
            place = row * found.ring.row_words + word
            assert at >= reads[place] + APART, (fold, at, row, word)
            over = (row + found.rows) * found.ring.row_words + word  # what takes its place
            assert over >= kept or at < reads[over], (fold, at, row, word)


@pytest.mark.parametrize("name", CASES)
def test_late_beats_hold_all_that_follow(name: str) -> None:
    """The schedule in closed form, against the loop iteration by iteration, two images with gaps between beats."""
    unit, rng = unit_of(name), np.random.default_rng(1)
    for fold in folds(unit):
        found, stage = loop(unit, fold), depth(unit, fold)
        beats = unit.sources[0].shape.pixels * ring(unit, fold).words
        arrivals = np.cumsum(rng.choice([1, 1, 5, 40], 2 * beats))
        model = blocking_schedule(unit, fold, [arrivals])
        kept = model.taken[0] if found.ring.decimated is None else None
        times: list[int] = []
        ends: list[int] = []
        own = iter(arrivals if kept is not None else _kept(arrivals, unit, found))
        now = -1
        for _ in range(2):
            reads, writes = set(found.reads().tolist()), set(found.writes().tolist())
            for step in range(found.trips):
                now += 1
                if step in reads:
                    now = max(now, next(own))
                    times.append(now)
                if step in writes:
                    ends.append(now + stage)
        assert model.given.tolist() == ends
        if kept is not None:
            assert kept.tolist() == times


def _kept(arrivals: np.ndarray, unit: Unit, found: Loop) -> np.ndarray:
    shape, slide = unit.sources[0].shape, found.ring.decimated
    assert slide is not None
    images = arrivals.reshape(-1, shape.h, shape.w, found.ring.words)
    return images[:, :: slide.stride[0], :: slide.stride[1]].ravel()


def test_reads_are_spread_over_an_output_row() -> None:
    unit = unit_of("padded")
    found = loop(unit, Fold(1, 1, form=FOLDED))
    assert (found.fresh, found.row_steps, found.period, found.rows) == (28, 7 * 4 * 36, 36, 4)
    # Row 1 and the right column of row 0's windows come during row 0: of 28 words all but those of two pixels.
    assert found.late == 20
    assert (found.first, found.tail) == (2 * 28 - found.late, 0)
    assert found.trips == found.first + APART + 8 * 1008


@pytest.mark.parametrize("name", CASES)
def test_no_word_could_enter_later(name: str) -> None:
    """One word later, some word would enter less than `APART` iterations before it is read."""
    unit = unit_of(name)
    for fold in folds(unit):
        found = loop(unit, fold)
        if not found.fresh or found.late == found.fresh:
            continue
        later = Loop(found.ring, found.late + 1)
        reads = later.reads()
        assert any(at < reads[row * found.ring.row_words + word] + APART for at, row, word in accesses(later))


def test_what_has_no_folded_window_keeps_its_time() -> None:
    unit = unit_of("padded")
    arrivals = [np.arange(56)]
    assert blocking_cycles(unit, Fold(2, 6)) == cycles(unit, Fold(2, 6))
    ours, theirs = (s(unit, Fold(2, 6), arrivals) for s in (blocking_schedule, schedule))
    assert np.array_equal(ours.given, theirs.given)
