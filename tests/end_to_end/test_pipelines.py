"""FIFOs of HLS projects against deep pipelines that stall: a loop in which an iteration waits holds all results in it.

Processes, streams and depths are those of the plan; when a loop reads and writes is said here again, from what the
kernels do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.units import Fold, units
from crq.hw.fold.search import choose
from crq.hw.hls.plan import Plan, Process, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Concat, GlobalSum
from tests.support.random_graphs import GraphBuilder, depthwise_net, residual_net

IMAGES = 3
Step = tuple[tuple[int, ...], tuple[int, ...]]  # inputs read and outputs written in one iteration


def steps(process: Process) -> Iterator[Step]:
    """The iterations of one image."""
    every = tuple(range(len(process.inputs))), tuple(range(len(process.outputs)))
    if process.loop is not None:
        reads, writes = set(process.loop.reads().tolist()), set(process.loop.writes().tolist())
        for i in range(process.loop.trips):
            yield (0,) if i in reads else (), (0,) if i in writes else ()
    elif process.window is not None and (process.unit is None or process.unit.is_windowed):
        yield from _positions(process)
    elif process.unit is None or not isinstance(process.unit.layer, (Concat, GlobalSum)):
        parts, joined = _change(process)
        for i in range(process.input.beats * parts):
            yield every[0] if i % parts == 0 else (), every[1] if (i + 1) % joined == 0 else ()
    elif isinstance(process.unit.layer, GlobalSum):
        beats = process.input.beats
        for i in range(beats):
            yield (0,), (0,) if i >= beats - process.output.beats else ()
    elif process.fold.pe == process.output.shape.c:
        yield from [every] * process.output.beats
    else:
        for _ in range(process.output.shape.pixels):
            for i, stream in enumerate(process.inputs):
                yield from [((i,), (0,))] * (stream.beats // stream.shape.pixels)


def _change(process: Process) -> tuple[int, int]:
    given, wanted = process.input.beats, process.output.beats
    return (wanted // given, 1) if wanted > given else (1, given // wanted)


def _positions(process: Process) -> Iterator[Step]:
    """A parallel window, or one pixel of a window that drops the others, beat by beat."""
    w, unit = process.window, process.unit
    assert w is not None
    rows, columns = w.padded
    beats = process.input.beats // process.input.shape.pixels
    for y in range(rows):
        for x in range(columns):
            real = w.pads.top <= y < w.pads.top + w.image.h and w.pads.left <= x < w.pads.left + w.image.w
            ends = (y - w.span[0] + 1, x - w.span[1] + 1)
            done = min(ends) >= 0 and ends[0] % w.stride[0] == 0 and ends[1] % w.stride[1] == 0
            if unit is None:  # drops pixels
                yield from [((0,), (0,) if done else ())] * beats
                continue
            blocks = unit.output.shape.c // process.fold.pe
            each = unit.reuse_factor(process.fold) // blocks
            for i in range(blocks * each if done else 1):
                yield (0,) if real and not i else (), (0,) if done and (i + 1) % each == 0 else ()


@dataclass
class Queue:
    depth: float
    count: float = 0
    before: float = 0


@dataclass
class Loop:
    """A pipeline of `stages`: an iteration reads in the first, writes in the last; all stand still if either waits. One
    begins in every `pace`-th cycle."""

    script: list[Step]
    stages: int
    inputs: list[Queue]
    outputs: list[Queue]
    pace: int = 1
    tick: int = 0
    at: int = 0
    images: int = 0
    flight: deque[Step | None] = field(default_factory=deque)

    def cycle(self) -> bool:
        """Whether anything moved."""
        leaving = self.flight[-1] if len(self.flight) == self.stages else None
        written = [self.outputs[o] for o in (leaving[1] if leaving else ())]
        if any(q.before >= q.depth for q in written):
            return False
        begins = self.tick == 0 and self.at < len(self.script) and self.images < IMAGES
        entering = self.script[self.at] if begins else None
        needed = [self.inputs[i] for i in (entering[0] if entering else ())]
        if any(q.before < 1 for q in needed):
            return False
        if entering is None and not self.tick and not any(self.flight):
            if self.images < IMAGES and self.at == len(self.script):
                self.at, self.images = 0, self.images + 1
                self.flight.clear()
                return True
            return False
        for queue in needed:
            queue.count -= 1
        for queue in written:
            queue.count += 1
        if len(self.flight) == self.stages:
            self.flight.pop()
        self.flight.appendleft(entering)
        self.tick = (self.tick + 1) % self.pace if entering or self.tick else 0
        self.at += entering is not None
        return True


def results(plan: Plan, stages: int) -> int:
    """Beats of results until nothing moves any more."""
    queues = {s.name: Queue(plan.depths.get(s.name, float("inf"))) for p in plan.processes for s in p.outputs}
    queues[plan.inputs[0].name] = Queue(float("inf"), IMAGES * plan.inputs[0].beats)
    queues[plan.outputs[0].name].depth = float("inf")
    loops, inner = [], []
    for process in plan.processes:
        given, taken = [queues[s.name] for s in process.inputs], [queues[s.name] for s in process.outputs]
        found = stage(process.unit, process.fold) if process.unit else None
        if found is None or not found.sequential:
            loops.append(Loop(list(steps(process)), stages, given, taken))
            continue
        # Sums, two blocks of them, and the loop that searches their codes: a lane in as many cycles as a code has bits.
        inner.append(Queue(2))
        loops.append(Loop(list(steps(process)), stages, given, inner[-1:]))
        lanes = -(-process.fold.pe // found.searchers)
        block: list[Step] = [((0,) if not i else (), (0,) if i == lanes - 1 else ()) for i in range(lanes)]
        bits = process.output.tensor.format.bits
        loops.append(Loop(block * process.output.beats, stages, inner[-1:], taken, bits))
    moved = True
    while moved:
        for queue in [*queues.values(), *inner]:
            queue.before = queue.count
        moved = sum([loop.cycle() for loop in loops]) > 0
    return int(queues[plan.outputs[0].name].count)


def planned(make, fps: float) -> Plan:
    network = Network(make())
    return make_plan(network, "io_stream", choose(network, target_fps=fps))


@pytest.mark.parametrize("stages", [1, 16, 64])
@pytest.mark.parametrize("fps", [10_000, 100_000])
def test_no_depth_of_pipelines_blocks_a_residual_network(fps: float, stages: int) -> None:
    plan = planned(residual_net, fps)
    assert results(plan, stages) == IMAGES * plan.outputs[0].beats


def test_a_chain_with_windows_of_all_kinds_passes_too() -> None:
    plan = planned(depthwise_net, 20_000)
    assert results(plan, 64) == IMAGES * plan.outputs[0].beats


@pytest.mark.parametrize("convolutions", [5, 8])
def test_loops_that_search_codes_are_counted(convolutions: int) -> None:
    """A skip beside many small layers, in front of one so slow that the pace leaves no room by itself."""
    g = GraphBuilder((4, 18, 18), "UINT4")
    a = h = g.bias("x")
    for _ in range(convolutions):
        h = g.threshold(g.conv(h, 4, (1, 1)), 4)
    network = Network(g.finish(g.conv(g.add(h, a), 4)))
    slow = units(network)[-1].name
    folds = {u.name: Fold(4, 1) if u.is_windowed else Fold(4) for u in units(network)} | {slow: Fold(1, 1)}
    plan = make_plan(network, "io_stream", folds)
    assert sum(stage(u, folds[u.name]).sequential for u in units(network)) == convolutions
    assert results(plan, 64) == IMAGES * plan.outputs[0].beats


def test_with_the_least_depths_deep_pipelines_block() -> None:
    plan = planned(residual_net, 100_000)
    shallow = replace(plan, depths=dict.fromkeys(plan.depths, 2))
    assert results(shallow, 64) < IMAGES * plan.outputs[0].beats
