"""The rule of recursion: the calls of all files together have no cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hw.verify.proofs.lint.parse import Source
from hw.verify.proofs.lint.rules import Finding
from hw.verify.proofs.lint.scopes import Scope, qualified

Function = tuple[str, ...]  # namespaces, classes, name


class Call(NamedTuple):
    caller: Function
    callee: Function
    file: str
    line: int


def check(sources: Mapping[str, Source]) -> Iterator[Finding]:
    """A finding for each call that leads back to its caller."""
    calls = list(_calls(sources))
    callees: dict[Function, set[Function]] = {}
    for call in calls:
        callees.setdefault(call.caller, set()).add(call.callee)
    for call in calls:
        if call.caller in _reached(call.callee, callees):
            yield Finding(call.file, call.line, "recursion", f"{'::'.join(call.caller)} calls {'::'.join(call.callee)}")


def _reached(start: Function, callees: Mapping[Function, set[Function]]) -> set[Function]:
    """`start` and all it calls."""
    found, new = {start}, [start]
    while new:
        for callee in callees.get(new.pop(), ()):
            if callee not in found:
                found.add(callee)
                new.append(callee)
    return found


def _calls(sources: Mapping[str, Source]) -> Iterator[Call]:
    classes: dict[str, set[Function]] = {}  # member functions by their name
    functions: set[Function] = set()
    for source in sources.values():
        for scope in source.scopes:
            if scope.kind == "function":
                functions.add(scope.path)
                if scope.parent and scope.parent.kind == "class":
                    classes.setdefault(scope.name, set()).add(scope.path)
    for file, source in sources.items():
        i = 0
        while i < len(source.tokens):
            function = source.scope_of[i].function()
            if function is None or i < function.body or not source.tokens[i].is_name:
                i += 1
                continue
            before = source.tokens[i - 1].text
            before = source.tokens[i - 2].text if before == "template" else before
            end, names = qualified(source.tokens, i)
            if end < len(source.tokens) and source.tokens[end].text == "(":
                member = before in (".", "->")
                for callee in classes.get(names[-1], ()) if member else _resolved(names, function, functions):
                    yield Call(function.path, callee, file, source.tokens[i].line)
            i += 1 if end > i + 1 and len(names) == 1 else end - i  # arguments of a template may hold calls too


def _resolved(names: list[str], scope: Scope, functions: set[Function]) -> Iterator[Function]:
    """What a name means in `scope`: by its class if it is qualified, else the innermost function of that name."""
    if len(names) > 1:
        symbol = scope.find(names[-2])
        owner = symbol.alias if symbol and symbol.alias else names[-2]
        yield from (f for f in functions if f[-2:] == (owner, names[-1]))
        return
    outer = scope.parent
    while outer:
        if (*outer.path, names[0]) in functions:
            yield (*outer.path, names[0])
            return
        outer = outer.parent
