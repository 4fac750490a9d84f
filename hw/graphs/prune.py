"""An adder graph where some of its inputs are zero: of a window that lies across the edge of its image."""

from __future__ import annotations

from collections.abc import Collection

from crq.hw.graphs.graph import Adder, Graph, Tap, Term


def pruned(graph: Graph, zero: Collection[int]) -> Graph:
    """`graph` without the elements `zero`, whose intervals hold 0.

    Adders lose operands; those left with one, or that nothing reads any more, are gone.
    """
    if not zero:
        return graph
    lo = [0 if e in zero else low for e, low in enumerate(graph.lo)]
    hi = [0 if e in zero else high for e, high in enumerate(graph.hi)]
    # What each value is now: nothing, or a value of the new list, with its sign.
    values: list[Tap | Adder] = []
    places: dict[Adder, int] = {}
    now: list[Term | None] = []
    for tap in graph.taps:
        now.append(None if tap.element in zero else Term(len(values)))
        if tap.element not in zero:
            values.append(tap)
    for adder in graph.adders:
        left = [_signed(now[t.value], t.negative) for t in adder.terms]
        terms = sorted((t for t in left if t is not None), key=lambda t: t.negative)
        if len(terms) < 2:
            now.append(terms[0] if terms else None)
            continue
        opposite = terms[0].negative  # all are subtracted: the sum of their opposites takes its place
        if opposite:
            terms = [Term(t.value) for t in terms]
        left_over = Adder(tuple(sorted(terms, key=lambda t: (t.negative, t.value))))
        if left_over not in places:  # what was added besides may be all that made two adders differ
            places[left_over] = len(values)
            values.append(left_over)
        now.append(Term(places[left_over], opposite))
    outputs = [None if o is None else _signed(now[o.value], o.negative) for o in graph.outputs]
    return _live((tuple(lo), tuple(hi)), values, outputs)


def _signed(term: Term | None, negative: bool) -> Term | None:
    return None if term is None else Term(term.value, term.negative != negative)


def _live(
    ends: tuple[tuple[int, ...], tuple[int, ...]], values: list[Tap | Adder], outputs: list[Term | None]
) -> Graph:
    """The graph of the `values` that an output needs."""
    needed = {o.value for o in outputs if o is not None}
    for number in range(len(values) - 1, -1, -1):
        value = values[number]
        if number in needed and isinstance(value, Adder):
            needed |= {t.value for t in value.terms}
    place = {old: new for new, old in enumerate(sorted(needed))}

    def moved(term: Term) -> Term:
        return Term(place[term.value], term.negative)

    kept = [values[n] for n in sorted(needed)]
    taps = tuple(v for v in kept if isinstance(v, Tap))
    adders = tuple(Adder(tuple(moved(t) for t in v.terms)) for v in kept if isinstance(v, Adder))
    return Graph(*ends, taps, adders, tuple(None if o is None else moved(o) for o in outputs))
