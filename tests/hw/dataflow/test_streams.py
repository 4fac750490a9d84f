"""Streams of whole networks, against units, converters and FIFOs simulated cycle by cycle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.schedule import cycles
from crq.hw.dataflow.streams import MIN_FIFO, Depths, fifo_depths, flow, intervals, output_unit, pipeline
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from tests.support.machines import Machine, run_network
from tests.support.random_graphs import GraphBuilder

SAME = (1, 1, 1, 1)
DEEP = 10_000
IMAGES = 8


def residual() -> Network:
    """A shortcut over two windows, one over a strided 1x1 beside one window; a sum, a dense layer."""
    g = GraphBuilder((2, 6, 6), "UINT4", seed=1)
    x = g.threshold(g.conv("x", 4, pads=SAME), 4)
    h = g.threshold(g.conv(x, 4, pads=SAME), 4)
    h = g.threshold(g.conv(h, 4, pads=SAME), 6, signed=True)
    x = g.threshold(g.add(h, g.shift(x, 2)), 4)
    h = g.threshold(g.conv(x, 8, strides=(2, 2), pads=SAME), 4)
    s = g.threshold(g.conv(x, 8, (1, 1), strides=(2, 2)), 4)
    h = g.global_sum(g.threshold(g.add(h, s), 4))
    return Network(g.finish(g.matmul(g.flatten(h), 3)))


def branches() -> Network:
    """Windows of 3x3 and of 1x1 joined by a sum and by a concatenation; the input itself has three readers."""
    g = GraphBuilder((4, 7, 5), "UINT4", seed=2)
    a = g.threshold(g.conv("x", 6, pads=SAME), 3)
    b = g.threshold(g.conv("x", 6, (1, 1)), 3)
    c = g.concat(g.add(a, b), g.max_pool("x", (3, 3), (1, 1), SAME))
    return Network(g.finish(g.max_pool(c, (2, 2), (1, 1))))


NETWORKS = {"residual": residual(), "branches": branches()}
STYLES = {
    "unrolled": lambda u: Fold(u.output.shape.c, u.fan_in),
    "one lane": lambda u: Fold(1, 1),
    "one lane, folded": lambda u: Fold(1, 1, form=FOLDED) if u.is_windowed else Fold(1),
    "fast memories": lambda u: [f for f in u.legal_folds() if f.form == FOLDED or not u.is_windowed][-1],
}


@st.composite
def foldings(draw: st.DrawFn) -> tuple[Network, dict[str, Fold]]:
    """Each unit under any legal fold, of both forms; images of a few hundred cycles."""
    network = NETWORKS[draw(st.sampled_from(list(NETWORKS)))]
    folds = {}
    for unit in units(network):
        legal = [f for f in unit.legal_folds() if cycles(unit, f).interval <= 400]
        form = draw(st.sampled_from(sorted({f.form for f in legal})))
        folds[unit.name] = draw(st.sampled_from([f for f in legal if f.form == form]))
    return network, folds


def ends(network: Network, folds: Mapping[str, Fold], found: Mapping[str, Machine]) -> list[int]:
    """The cycle of each image's last beat."""
    last = next(u for u in units(network) if u.name == output_unit(network, network.outputs[0]))
    beats = last.output.shape.size // folds[last.name].pe
    return found[last.name].given[beats - 1 :: beats]


def beats_of_an_image(network: Network, folds: Mapping[str, Fold]) -> int:
    return network.inputs[0].shape.size // stream_beats(network, folds)[network.inputs[0].name]


def run(
    network: Network, folds: Mapping[str, Fold], depths: Depths, images: int = IMAGES, pace: int = 0
) -> dict[str, Machine]:
    """The units after `images`, or after all stand still; the source offers beats in every cycle, or an image every
    `pace` cycles."""
    each = beats_of_an_image(network, folds)
    entering = (np.arange(images * each) * (pace or each) // each).tolist()
    return run_network(network, folds, depths, entering, images)


@settings(deadline=None, max_examples=25)
@given(foldings())
def test_deep_fifos_let_every_beat_pass_in_the_cycle_of_the_model(chosen: tuple[Network, dict[str, Fold]]) -> None:
    """One image, through FIFOs that never fill: every unit gives every beat when the model says."""
    network, folds = chosen
    depths = {(u.name, i): DEEP for u in units(network) for i in range(len(u.sources))}
    found = run(network, folds, depths, images=1)
    expected = flow(network, folds, {network.inputs[0].name: np.arange(beats_of_an_image(network, folds))}, depths)
    for unit in units(network):
        given_ = found[unit.name].given
        assert given_ == expected[unit.name].given[: len(given_)].tolist(), unit.name
    assert ends(network, folds, found)[0] + 1 == pipeline(network, folds, depths).latency


@settings(deadline=None, max_examples=25)
@given(foldings())
def test_fifos_of_these_depths_reach_the_slowest_units_interval(chosen: tuple[Network, dict[str, Fold]]) -> None:
    """From a source that offers a beat in every cycle. The first image cannot be earlier than if nothing waited."""
    network, folds = chosen
    depths = fifo_depths(network, folds)
    found, model = ends(network, folds, run(network, folds, depths)), pipeline(network, folds, depths)
    assert len(found) == IMAGES
    assert found[-1] - found[-2] == model.interval == max(intervals(network, folds).values())
    assert found[0] + 1 >= model.latency


@settings(deadline=None, max_examples=15)
@given(foldings())
def test_images_at_that_pace_never_fill_a_fifo(chosen: tuple[Network, dict[str, Fold]]) -> None:
    """Deeper ones change no cycle of any unit."""
    network, folds = chosen
    depths, pace = fifo_depths(network, folds), pipeline(network, folds).interval
    deeper = {edge: DEEP if depth else 0 for edge, depth in depths.items()}
    one, other = (run(network, folds, d, images=4, pace=pace) for d in (depths, deeper))
    assert {n: m.given for n, m in one.items()} == {n: m.given for n, m in other.items()}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", NETWORKS)
def test_uniform_foldings_reach_the_interval_too(name: str, style: str) -> None:
    network = NETWORKS[name]
    folds = {u.name: STYLES[style](u) for u in units(network)}
    found = ends(network, folds, run(network, folds, fifo_depths(network, folds), images=5))
    assert len(found) == 5
    assert found[-1] - found[-2] == pipeline(network, folds).interval


@pytest.mark.parametrize(("name", "joins"), [("residual", "add8"), ("branches", "add5")])
def test_the_short_branch_with_the_least_depth_blocks_or_slows_the_network(name: str, joins: str) -> None:
    network = NETWORKS[name]
    folds = {u.name: STYLES["unrolled"](u) for u in units(network)}
    depths = fifo_depths(network, folds)
    assert depths[joins, 1] > MIN_FIFO
    found = ends(network, folds, run(network, folds, {**depths, (joins, 1): MIN_FIFO}))
    assert len(found) < IMAGES or found[-1] - found[-2] > pipeline(network, folds).interval


@pytest.mark.parametrize("form", ["parallel", FOLDED])
def test_a_chain_of_equally_fast_units_needs_no_more_than_two_beats(form: str) -> None:
    """And none where a memory, whose `ready` is a register, stands at one end."""
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.threshold(g.conv("x", 2, (1, 1)), 3)
    h = g.threshold(g.conv(h, 2, (1, 1)), 3)
    network = Network(g.finish(g.bias(h)))
    folds = {u.name: Fold(2, 2, form=form) if u.is_windowed else Fold(2) for u in units(network)}
    least = MIN_FIFO if form == "parallel" else 0
    assert fifo_depths(network, folds) == {("conv1", 0): 0, ("conv3", 0): least, ("bias5", 0): least}


def test_the_depth_of_a_skip_covers_the_rows_that_the_branch_holds_back() -> None:
    """Two windows of 3x3 hold back at least one row and one pixel each before their first result."""
    network = NETWORKS["residual"]
    folds = {u.name: STYLES["unrolled"](u) for u in units(network)}
    depths = fifo_depths(network, folds)
    assert depths["add8", 1] >= 2 * (6 + 1)
    assert depths["add8", 0] == MIN_FIFO


def test_a_memory_behind_a_converter_that_joins_beats_may_be_the_slowest() -> None:
    """Eight channels come one by one: a row of six pixels takes 48 cycles; at the end of an image without padding the
    reader waits for more than one of them."""
    g = GraphBuilder((8, 6, 6), "UINT4", seed=3)
    network = Network(g.finish(g.conv(g.bias("x"), 4)))
    folds = {"bias1": Fold(1), "conv2": Fold(2, 8, form=FOLDED)}
    found = intervals(network, folds)
    assert found["bias1"] == 6 * 48
    assert max(cycles(u, folds[u.name]).interval for u in units(network)) < found["conv2"]
    times = ends(network, folds, run(network, folds, fifo_depths(network, folds)))
    assert times[-1] - times[-2] == found["conv2"] == pipeline(network, folds).interval


def test_the_pipeline_names_its_slowest_unit_and_the_first_and_last_beat_of_each() -> None:
    network = NETWORKS["branches"]
    folds = {u.name: Fold(1, 1) for u in units(network)}
    found, times = pipeline(network, folds), {u.name: cycles(u, folds[u.name]).interval for u in units(network)}
    assert (found.bottleneck, found.interval) == max(times.items(), key=lambda item: item[1])
    given_ = run(network, folds, fifo_depths(network, folds), images=1)
    assert all(found.first_output[name] <= m.given[0] for name, m in given_.items())
    assert all(found.last_output[name] <= m.given[-1] for name, m in given_.items())
