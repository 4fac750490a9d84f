"""Channels per beat of every stream, and what joins streams of different beats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.dataflow.beats import beat_out, beats_in, conversion, stream_beats, widest
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from tests.support.random_graphs import NETWORKS, GraphBuilder


def unit_of(g: GraphBuilder, output: str) -> Unit:
    return units(Network(g.finish(output)))[-1]


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_parts_make_up_both_beats(given_: int, wanted: int) -> None:
    parts, joined = conversion(given_, wanted)
    assert given_ % parts == wanted % joined == 0
    part = given_ // parts
    assert part * joined == wanted
    # No greater part divides both.
    assert all(given_ % (part * n) or wanted % (part * n) for n in range(2, max(parts, joined) + 1))


@pytest.mark.parametrize(("given_", "wanted", "found"), [
    (4, 4, (1, 1)), (8, 2, (4, 1)), (2, 8, (1, 4)), (6, 4, (3, 2)), (1, 1, (1, 1)), (3, 2, (3, 2)),
])  # fmt: skip
def test_conversions_by_hand(given_: int, wanted: int, found: tuple[int, int]) -> None:
    assert conversion(given_, wanted) == found


@pytest.mark.parametrize("name", NETWORKS)
def test_beats_are_parts_of_a_pixel_whatever_the_fold(name: str) -> None:
    for unit in units(Network(NETWORKS[name](0))):
        for fold in unit.legal_folds():
            assert beat_out(unit, fold) == fold.pe
            for tensor, beat in zip(unit.sources, beats_in(unit, fold), strict=True):
                assert tensor.shape.c % beat == 0, (unit.name, fold)


def test_a_parallel_window_reads_pixels_and_a_folded_one_its_products() -> None:
    g = GraphBuilder((8, 5, 5), "UINT4")
    conv = unit_of(g, g.conv("x", 6))
    assert beats_in(conv, Fold(2, 9)) == (8,)
    assert beats_in(conv, Fold(2, 4, form=FOLDED)) == (4,)
    depthwise = unit_of(g, g.conv("x", 8, group=8))
    assert beats_in(depthwise, Fold(2, 1, form=FOLDED)) == (2,)
    pool = unit_of(g, g.max_pool("x"))
    assert beats_in(pool, Fold(4)) == (8,)
    assert beats_in(pool, Fold(4, form=FOLDED)) == (4,)


def test_a_concatenation_reads_whole_pixels_or_beats_in_turn() -> None:
    g = GraphBuilder((4, 3, 3), "UINT4")
    unit = unit_of(g, g.concat("x", g.conv("x", 6, (1, 1))))
    assert beats_in(unit, Fold(10)) == (4, 6)
    assert beats_in(unit, Fold(2)) == (2, 2)


def test_the_widest_beat_counts_bits() -> None:
    g = GraphBuilder((8, 5, 5), "UINT4", seed=1)
    unit = unit_of(g, g.threshold(g.conv("x", 6), 2))
    assert widest(unit, Fold(6, 9)) == 8 * 4
    assert widest(unit, Fold(6, 2, form=FOLDED)) == 6 * 2
    assert widest(unit, Fold(1, 8, form=FOLDED)) == 8 * 4


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stream_has_the_beats_of_its_producer_and_the_input_those_of_a_reader(name: str) -> None:
    network = Network(NETWORKS[name](0))
    rng = np.random.default_rng(3)
    folds = {u.name: rng.choice(np.array(u.legal_folds(), object)) for u in units(network)}
    folds = {name: Fold(int(f[0]), int(f[1]), f[2], f[3]) for name, f in folds.items()}
    found = stream_beats(network, folds)
    assert set(found) == {network.inputs[0].name, *(u.output.name for u in units(network))}
    for unit in units(network):
        assert found[unit.output.name] == folds[unit.name].pe
    first = next(u for u in units(network) if network.inputs[0] in u.sources)
    assert found[network.inputs[0].name] == beats_in(first, folds[first.name])[first.sources.index(network.inputs[0])]
