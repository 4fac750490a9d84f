"""FIFO depths, against a network of queues simulated cycle by cycle."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest

from hw.dataflow.fifos import MIN_FIFO, Depths, fifo_depths
from hw.dataflow.schedule import cycles, depth
from hw.dataflow.units import Fold, Unit, units
from hw.dataflow.windows import is_windowed, window
from hw.ir.graph import Network
from hw.ir.layers import GlobalSum
from tests.support.random_graphs import GraphBuilder

SAME = (1, 1, 1, 1)
IMAGES = 8


@dataclass
class Queue:
    """Beats are told apart by nothing: a queue is how many it holds, and how many it did when the cycle began."""

    depth: int
    now: int = 0
    before: int = 0


@dataclass
class Station:
    """One unit: it walks over the padded image and stands still while the beat that it must give finds no room."""

    unit: Unit
    real: list[bool]
    completes: list[bool]
    steps: int
    delay: int
    sources: list[Queue]
    targets: list[Queue] = field(default_factory=list)
    position: int = 0
    spent: int = 0  # cycles at this position
    clock: int = 0
    due: deque[int] = field(default_factory=deque)
    given: list[int] = field(default_factory=list)

    def cycle(self, now: int) -> None:
        if self.due and self.due[0] == self.clock:
            if any(q.before >= q.depth for q in self.targets):
                return
            self.due.popleft()
            self.given.append(now)
            for queue in self.targets:
                queue.now += 1
        self.work()
        self.clock += 1

    def work(self) -> None:
        real, completes = self.real[self.position], self.completes[self.position]
        if real and not self.spent and any(not q.before for q in self.sources):
            return
        last = self.spent + 1 == (self.steps if completes else 1)
        if real and (not self.spent if is_windowed(self.unit) else last):
            for queue in self.sources:
                queue.now -= 1
        if not last:
            self.spent += 1
            return
        self.spent, self.position = 0, (self.position + 1) % len(self.real)
        summed = isinstance(self.unit.layer, GlobalSum) and self.position  # one result, with the last pixel
        if completes and not summed:
            self.due.append(self.clock + self.delay)


def station(network: Network, unit: Unit, fold: Fold, depths: Depths) -> Station:
    w = window(network, unit)
    places = [(y, x) for y in range(w.padded[0]) for x in range(w.padded[1])]
    real = [w.pads.top <= y < w.pads.top + w.image.h and w.pads.left <= x < w.pads.left + w.image.w for y, x in places]
    ends = [(y - w.span[0] + 1, x - w.span[1] + 1) for y, x in places]
    completes = [y >= 0 and x >= 0 and y % w.stride[0] == 0 and x % w.stride[1] == 0 for y, x in ends]
    delay = depth(unit, fold) + (0 if is_windowed(unit) else 1)
    queues = [Queue(depths[unit.name, i]) for i in range(len(unit.inputs))]
    return Station(unit, real, completes, cycles(network, unit, fold).steps, max(1, delay), queues)


def run(network: Network, folds: dict[str, Fold], depths: Depths) -> list[int]:
    """The cycle of each image's last beat, the source offering a beat in every cycle; fewer images if all stand
    still."""
    stations = {u.name: station(network, u, folds[u.name], depths) for u in units(network)}
    entry: list[Queue] = []
    for reader in stations.values():
        for tensor, queue in zip(reader.unit.inputs, reader.sources, strict=True):
            carried = network.carried(tensor)
            writer = next((s for s in stations.values() if s.unit.output is carried), None)
            (writer.targets if writer else entry).append(queue)
    queues = [q for s in stations.values() for q in s.sources]
    last = next(s for s in stations.values() if s.unit.output is network.carried(network.output))
    beats = last.unit.output.shape.pixels
    slowest = max(len(s.real) * max(1, s.steps) for s in stations.values())
    for now in range(3 * IMAGES * slowest):
        for queue in queues:
            queue.before = queue.now
        if all(q.before < q.depth for q in entry):
            for queue in entry:
                queue.now += 1
        for one in stations.values():
            one.cycle(now)
    return last.given[beats - 1 :: beats][:IMAGES]


def paces(found: list[int]) -> set[int]:
    """Cycles between images, once the queues have filled."""
    return {b - a for a, b in zip(found[3:], found[4:], strict=False)}


def residual() -> Network:
    g = GraphBuilder((2, 6, 6), "UINT4", seed=1)
    x = g.threshold(g.conv("x", 4, pads=SAME), 4)
    h = g.threshold(g.conv(x, 4, pads=SAME), 4)
    h = g.threshold(g.conv(h, 4, pads=SAME), 4)
    h = g.global_sum(g.threshold(g.add(h, x), 4))
    return Network(g.finish(g.matmul(g.flatten(h), 3)))


def branches() -> Network:
    """A window of 3x3 beside one of 1x1, joined; the input itself has two readers."""
    g = GraphBuilder((2, 7, 5), "UINT4", seed=2)
    a = g.threshold(g.conv("x", 3, pads=SAME), 3)
    b = g.threshold(g.conv("x", 3, (1, 1)), 3)
    return Network(g.finish(g.max_pool(g.add(a, b), (2, 2), (1, 1))))


FOLDS = {"unrolled": lambda u: Fold(u.output.shape.c, u.fan_in), "one lane": lambda u: Fold(1, 1),
         "mixed": lambda u: u.legal_folds()[len(u.name) % len(u.legal_folds())]}  # fmt: skip


@pytest.mark.parametrize("make", [residual, branches])
@pytest.mark.parametrize("style", FOLDS)
def test_queues_of_these_depths_reach_the_slowest_units_interval(make, style: str) -> None:
    network = make()
    folds = {u.name: FOLDS[style](u) for u in units(network)}
    found = run(network, folds, fifo_depths(network, folds))
    assert len(found) == IMAGES
    assert paces(found) == {max(cycles(network, u, folds[u.name]).interval for u in units(network))}


@pytest.mark.parametrize(("make", "joins"), [(residual, "add7"), (branches, "add5")])
def test_the_short_branch_with_the_least_depth_blocks_or_slows_the_network(make, joins: str) -> None:
    network = make()
    folds = {u.name: FOLDS["unrolled"](u) for u in units(network)}
    depths = fifo_depths(network, folds)
    assert depths[joins, 1] > MIN_FIFO
    found = run(network, folds, {**depths, (joins, 1): MIN_FIFO})
    interval = max(cycles(network, u, folds[u.name]).interval for u in units(network))
    assert len(found) < IMAGES or min(paces(found)) > interval


def test_a_chain_of_equally_fast_units_needs_the_least_depth() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    h = g.threshold(g.conv("x", 3, (1, 1)), 3)
    h = g.threshold(g.conv(h, 3, (1, 1)), 3)
    network = Network(g.finish(g.bias(h)))
    folds = {u.name: Fold(3, u.fan_in) for u in units(network)}
    assert fifo_depths(network, folds) == {("conv1", 0): 2, ("conv3", 0): 2, ("bias5", 0): 2}


def test_the_depth_of_a_skip_covers_the_rows_that_the_branch_holds_back() -> None:
    """Two windows of 3x3 hold back at least one row and one pixel each before their first result."""
    network = residual()
    folds = {u.name: FOLDS["unrolled"](u) for u in units(network)}
    depths = fifo_depths(network, folds)
    assert depths["add7", 1] >= 2 * (6 + 1)
    assert depths["add7", 0] == MIN_FIFO
