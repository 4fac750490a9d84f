"""Signs of an adder graph: outputs that are the opposite of a sum take an adder more; most sums can change sides."""

from __future__ import annotations

from hw.graphs.graph import Adder, Graph, Term
from hw.ir.layers import smallest_format

MOST_CHANGES = 12  # of signs for one output


def upright(graph: Graph) -> Graph:
    """The same outputs, with fewer of them the opposite of their value.

    A sum is replaced by its opposite where that saves bits in all, together with others that must change with it: an
    adder subtracts two of its three terms at most.
    """
    found = _Signs(graph)
    for output in graph.outputs:
        if output is not None and found.is_negative(output):
            found.turn(output.value)
    return found.result()


class _Signs:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.first = graph, len(graph.taps)
        self.terms: list[tuple[Term, ...]] = [()] * self.first + [a.terms for a in graph.adders]
        self.users: list[list[int]] = [[] for _ in self.terms]
        for number, terms in enumerate(self.terms):
            for term in terms:
                self.users[term.value].append(number)
        self.outputs: list[list[Term]] = [[] for _ in self.terms]
        for output in graph.outputs:
            if output is not None:
                self.outputs[output.value].append(output)
        self.opposite = [False] * len(self.terms)

    def is_negative(self, term: Term, user: int | None = None) -> bool:
        """Whether `term` is subtracted by the adder `user`, or is an output with another sign than its value."""
        return term.negative ^ self.opposite[term.value] ^ (user is not None and self.opposite[user])

    def is_legal(self, adder: int) -> bool:
        return not all(self.is_negative(t, adder) for t in self.terms[adder])

    def turn(self, value: int) -> None:
        """Takes the opposite of `value` and of what must follow, unless that saves nothing."""
        before, changed, todo = 0, list[int](), [value]
        while todo:
            own = todo.pop()
            if own in changed:
                continue
            if own < self.first or len(changed) == MOST_CHANGES:
                break
            before += self.bits(own)
            self.opposite[own] = not self.opposite[own]
            changed.append(own)
            for adder in (own, *self.users[own]):
                if not self.is_legal(adder):
                    todo.append(self.remedy(adder, changed))
        legal = all(self.is_legal(a) for c in changed for a in (c, *self.users[c]))
        if not legal or sum(self.bits(c) for c in changed) >= before:
            for own in changed:
                self.opposite[own] = not self.opposite[own]

    def remedy(self, adder: int, changed: list[int]) -> int:
        """A value whose opposite makes `adder` legal: the term with the fewest readers, else the sum; -1: none."""
        free = [t.value for t in self.terms[adder] if t.value >= self.first and t.value not in changed]
        return min(free, key=lambda v: len(self.users[v])) if free else adder if adder not in changed else -1

    def bits(self, value: int) -> int:
        """Of the adder, and of the opposites that outputs take of it."""
        low, high = self.graph.ranges[value]
        bits = smallest_format(*((-high, -low) if self.opposite[value] else (low, high))).bits
        return bits * (1 + sum(self.is_negative(o) for o in self.outputs[value]))

    def result(self) -> Graph:
        adders = []
        for number, terms in enumerate(self.terms[self.first :], start=self.first):
            signed = [Term(t.value, self.is_negative(t, number)) for t in terms]
            adders.append(Adder(tuple(sorted(signed, key=lambda t: t.negative))))
        outputs = tuple(None if o is None else Term(o.value, self.is_negative(o)) for o in self.graph.outputs)
        return Graph(self.graph.lo, self.graph.hi, self.graph.taps, tuple(adders), outputs)
