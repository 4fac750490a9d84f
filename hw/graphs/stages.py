"""Registers of an adder graph: in which pipeline stage each adder stands, so that few bits are registered."""

from __future__ import annotations

from typing import NamedTuple

from crq.hw.graphs.graph import Graph

PASSES = 8  # over all adders; later ones change next to nothing


class Staged(NamedTuple):
    """`stage` of every value, from 0; every output is registered behind the last stage.

    `last`: the last stage that reads a value, `stages` for an output. Between two stages each value has a register of
    its own bits, so an adder's sum has `last - stage` of them.
    """

    graph: Graph
    stages: int
    stage: list[int]
    last: list[int]

    @property
    def chains(self) -> list[tuple[int, int]]:
        """(bits, length) of registers one behind the other of which only the last is read.

        Multiples of one input share its registers; bits that are always zero need none.
        """
        graph, first = self.graph, len(self.graph.taps)
        reads: dict[int, set[int]] = {}  # by value, or -1 - element of a tap
        bits: dict[int, int] = {}

        def place(value: int) -> int:
            return -1 - graph.taps[value].element if value < first else value

        for value, fmt in enumerate(graph.formats):
            bits[place(value)] = max(fmt.bits - graph.zeros[value], bits.get(place(value), 0))
            reads.setdefault(place(value), {self.stage[value]})
        for number, adder in enumerate(graph.adders, start=first):
            for term in adder.terms:
                reads[place(term.value)].add(self.stage[number])
        for output in graph.outputs:
            if output is not None:
                reads[place(output.value)].add(self.stages)
        ordered = [(bits[p], sorted(stages)) for p, stages in reads.items()]
        return [(n, b - a) for n, stages in ordered for a, b in zip(stages, stages[1:], strict=False)]

    @property
    def register_bits(self) -> int:
        """Flip-flops of the graph, if no chain becomes a memory."""
        return sum(bits * length for bits, length in self.chains)

    @property
    def levels_per_stage(self) -> int:
        """Adders one after the other between two registers, at most."""
        inside: list[int] = [0] * len(self.graph.taps)
        for number, adder in enumerate(self.graph.adders, start=len(self.graph.taps)):
            own = self.stage[number]
            inside.append(1 + max(inside[t.value] if self.stage[t.value] == own else 0 for t in adder.terms))
        return max(inside, default=0)


def staged(graph: Graph, stages: int) -> Staged:
    """The adders of `graph` in `stages` stages of as few levels as can be, with few registered bits.

    Every adder moves, within the slack that its neighbours leave, to the stage in which the registers of its operands
    and its own are the fewest bits, until none moves.
    """
    return _Cut(graph, stages).result()


class _Cut:
    def __init__(self, graph: Graph, stages: int) -> None:
        self.graph, self.stages = graph, stages
        self.first = len(graph.taps)
        self.per_stage = max(1, -(-graph.depth // stages))  # levels of a stage
        self.bits = [fmt.bits for fmt in graph.formats]
        self.operands: list[list[int]] = [[]] * self.first + [sorted({t.value for t in a.terms}) for a in graph.adders]
        self.users: list[list[int]] = [[] for _ in self.bits]
        for number in range(self.first, len(self.bits)):
            for operand in self.operands[number]:
                self.users[operand].append(number)
        self.is_output = [False] * len(self.bits)
        for output in graph.outputs:
            if output is not None:
                self.is_output[output.value] = True
        self.level = list(graph.levels)  # of the whole pipeline, from 1; those of a stage follow each other

    def result(self) -> Staged:
        numbers = range(self.first, len(self.bits))
        for turn in range(PASSES):
            if not sum([self.move(n) for n in (reversed(numbers) if turn % 2 == 0 else numbers)]):
                break
        stage = [self.stage(n) for n in range(len(self.bits))]
        last = [self.last(n, stage[n]) for n in range(len(self.bits))]
        return Staged(self.graph, self.stages, stage, last)

    def stage(self, number: int) -> int:
        return max(0, self.level[number] - 1) // self.per_stage

    def last(self, number: int, own: int, without: int = -1) -> int:
        if self.is_output[number]:
            return self.stages
        return max((self.stage(u) for u in self.users[number] if u != without), default=own)

    def move(self, number: int) -> bool:
        """Moves an adder to the cheapest of the stages it may stand in; the earliest of equals."""
        low = 1 + max(self.level[o] for o in self.operands[number])
        high = min((self.level[u] for u in self.users[number]), default=self.stages * self.per_stage + 1) - 1
        last = self.last(number, 0)
        best: tuple[int, int] | None = None
        for stage in range((low - 1) // self.per_stage, (high - 1) // self.per_stage + 1):
            cost = self.bits[number] * (last - stage)
            for operand in self.operands[number]:
                own = self.stage(operand)
                others = self.last(operand, own, without=number)
                cost += self.bits[operand] * (max(stage, others) - own)
            if best is None or cost < best[0]:
                best = cost, stage
        assert best is not None
        level = max(low, best[1] * self.per_stage + 1)
        moved = level != self.level[number]
        self.level[number] = level
        return moved
