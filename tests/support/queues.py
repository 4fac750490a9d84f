"""FIFOs, forks and converters beat by beat and cycle by cycle, by counters, from their descriptions (hw/rtl/lib)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Wire:
    valid: bool = False
    ready: bool = False

    @property
    def moves(self) -> bool:
        return self.valid and self.ready


@dataclass
class Node:
    """Per cycle: `offer` from its inputs' valid, `accept` from its output's ready, then `clock`."""

    ins: list[Wire]
    out: Wire = field(default_factory=Wire)

    def offer(self) -> None: ...
    def accept(self) -> None: ...
    def clock(self) -> None: ...


class Source(Node):
    """Offers a beat from each of the cycles `entering` on; cycles are counted from -1, the first after reset."""

    def __init__(self, entering: list[int]) -> None:
        super().__init__([])
        self.entering, self.sent, self.now = entering, 0, -1
        self.taken: list[int] = []

    def offer(self) -> None:
        self.out.valid = self.sent < len(self.entering) and self.entering[self.sent] <= self.now

    def clock(self) -> None:
        if self.out.moves:
            self.taken.append(self.now)
            self.sent += 1
        self.now += 1


class Sink(Node):
    def accept(self) -> None:
        self.ins[0].ready = True


class Fifo(Node):
    def __init__(self, source: Wire, room: int) -> None:
        super().__init__([source])
        self.room, self.held = room, 0

    def offer(self) -> None:
        self.out.valid = self.held > 0

    def accept(self) -> None:
        self.ins[0].ready = self.held < self.room

    def clock(self) -> None:
        self.held += self.ins[0].moves - self.out.moves


class Narrow(Node):
    """Gives n parts of each beat; takes the next as the last part leaves."""

    def __init__(self, source: Wire, n: int) -> None:
        super().__init__([source])
        self.n, self.left = n, 0

    def offer(self) -> None:
        self.out.valid = self.left > 0

    def accept(self) -> None:
        self.ins[0].ready = self.left == 0 or (self.left == 1 and self.out.ready)

    def clock(self) -> None:
        self.left -= self.out.moves
        if self.ins[0].moves:
            self.left = self.n


class Widen(Node):
    """Joins n beats; takes the next as the joined one leaves."""

    def __init__(self, source: Wire, n: int) -> None:
        super().__init__([source])
        self.n, self.place = n, 0

    def offer(self) -> None:
        self.out.valid = self.place == self.n

    def accept(self) -> None:
        self.ins[0].ready = self.place < self.n or self.out.ready

    def clock(self) -> None:
        if self.out.moves:
            self.place = 0
        self.place += self.ins[0].moves


class Fork(Node):
    """Each reader takes every beat once."""

    def __init__(self, source: Wire, readers: int) -> None:
        super().__init__([source])
        self.outs = [Wire() for _ in range(readers)]
        self.done = [False] * readers

    def offer(self) -> None:
        for wire, done in zip(self.outs, self.done, strict=True):
            wire.valid = self.ins[0].valid and not done

    def accept(self) -> None:
        self.ins[0].ready = all(done or w.ready for w, done in zip(self.outs, self.done, strict=True))

    def clock(self) -> None:
        if self.ins[0].valid:
            after = [done or w.ready for w, done in zip(self.outs, self.done, strict=True)]
            self.done = [False] * len(after) if all(after) else after


def run_nodes(nodes: Sequence[Node], done: Callable[[], bool], patience: int = 20_000) -> bool:
    """Runs `nodes`, in the order in which beats pass them, until `done`; gives up where nothing moves for `patience`
    cycles."""
    still = 0
    while not done():
        for node in nodes:
            node.offer()
        for node in reversed(nodes):
            node.accept()
        moved = any(wire.moves for node in nodes for wire in node.ins)
        for node in nodes:
            node.clock()
        still = 0 if moved else still + 1
        if still > patience:
            return False
    return True
