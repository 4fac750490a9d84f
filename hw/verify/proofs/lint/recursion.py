"""The rule of recursion: the calls of all files together have no cycle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from tree_sitter import Node

from crq.hw.verify.proofs.lint.names import Scope, owner_of
from crq.hw.verify.proofs.lint.rules import Finding
from crq.hw.verify.proofs.lint.source import Here, Source
from crq.hw.verify.proofs.lint.syntax import line_of, parts, text_of


class Function(NamedTuple):
    """Overloads of different numbers of arguments are different functions; what tells others apart are types."""

    path: tuple[str, ...]  # namespaces, classes, name
    most: int | None  # arguments


class Call(NamedTuple):
    caller: Function
    callee: Function
    file: str
    line: int


def check(sources: Mapping[str, Iterable[Source]]) -> Iterator[Finding]:
    """A finding for each call that leads back to its caller. Each file has one source for each of its readings."""
    calls = list(_calls(sources))
    callees: dict[Function, set[Function]] = {}
    for call in calls:
        callees.setdefault(call.caller, set()).add(call.callee)
    for call in calls:
        if call.caller in _reached(call.callee, callees):
            names = "::".join(call.caller.path), "::".join(call.callee.path)
            yield Finding(call.file, call.line, "recursion", " calls ".join(names))


def _reached(start: Function, callees: Mapping[Function, set[Function]]) -> set[Function]:
    """`start` and all it calls."""
    found, new = {start}, [start]
    while new:
        for callee in callees.get(new.pop(), ()):
            if callee not in found:
                found.add(callee)
                new.append(callee)
    return found


def _calls(sources: Mapping[str, Iterable[Source]]) -> Iterator[Call]:
    known = Functions(scope for readings in sources.values() for source in readings for scope in source.scopes)
    for file, readings in sources.items():
        for source in readings:
            macros = (here for name in source.macros for here in source.names.get(name, ()) if not _is_head(here[0]))
            for here in chain(source.find("call_expression", "declaration", "compound_literal_expression"), macros):
                caller = here[1].function("function")
                if caller is None:
                    continue
                for callee in _callees(here, known):
                    yield Call(_function(caller), callee, file, line_of(here[0]))


def _callees(here: Here, known: Functions) -> Iterable[Function]:
    node, scope = here
    if node.type == "identifier":  # a macro is what it stands for
        return known.named([text_of(node)], here, None)
    if node.type != "call_expression":
        kind = node.child_by_field_name("type")
        return known.constructors(parts(kind)[-1], here) if kind else ()
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    while function is not None and function.type == "parenthesized_expression":
        function = function.named_children[0]
    if function is None or arguments is None:
        return ()
    count = None if "..." in text_of(arguments) else arguments.named_child_count
    if function.type == "field_expression":
        field = function.child_by_field_name("field")
        return known.members(parts(field)[-1], count) if field else ()
    if function.type not in ("identifier", "qualified_identifier", "template_function"):
        return ()
    names = parts(function)
    symbol = scope.find(names[0], node.start_point) if len(names) == 1 else None
    if symbol is None or symbol.kind in ("type", "function"):
        return (*known.named(names, here, count), *known.constructors(names[-1], here))
    if any(text_of(argument) == names[0] for argument in arguments.named_children):
        return (_function(f) for f in [scope.function("function")] if f)  # a lambda that is given itself
    return known.members("operator()", count)


def _is_head(name: Node) -> bool:
    return name.parent is not None and name.parent.type == "function_declarator"


def _function(scope: Scope) -> Function:
    return Function(scope.path, scope.most)


class Functions:
    """All functions of all files, and which of them a call may mean."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self._fewest: dict[Function, int] = {}
        self._by_name: dict[str, set[Function]] = {}
        self._members: dict[str, set[Function]] = {}
        self._owners: set[str] = set()  # classes and namespaces
        for scope in scopes:
            if scope.kind in ("class", "namespace"):
                self._owners.update(scope.name[-1:])
            if scope.kind == "function" and scope.name:
                function = _function(scope)
                self._fewest[function] = min(scope.fewest, self._fewest.get(function, scope.fewest))
                self._by_name.setdefault(scope.name[-1], set()).add(function)
                outer = scope.parent.home if scope.parent else None
                if (outer and outer.kind == "class") or len(scope.name) > 1:
                    self._members.setdefault(scope.name[-1], set()).add(function)

    def members(self, name: str, count: int | None) -> Iterator[Function]:
        """What `x.name()` may mean: the member functions of that name in any class."""
        return self._taking(self._members.get(name, ()), count)

    def constructors(self, name: str, here: Here) -> Iterator[Function]:
        """What a variable or a value of a class calls."""
        owner = owner_of(name, here[0].start_point, here[1])
        return (f for f in self._by_name.get(owner, ()) if f.path[-2:] == (owner, owner))

    def named(self, names: list[str], here: Here, count: int | None) -> Iterator[Function]:
        """What a name means: by its class if it is qualified, else the innermost functions of that name."""
        candidates = self._by_name.get(names[-1], set())
        if candidates and len(names) > 1:
            owner = owner_of(names[-2], here[0].start_point, here[1])
            inside = {f for f in candidates if f.path[-2:] == (owner, names[-1])}
            told = inside or owner in self._owners  # else a template argument tells, which may be any class
            return self._taking(inside if told else self._members.get(names[-1], ()), count)
        around = here[1].path if candidates else ()
        for length in range(len(around), -1, -1):
            found = [f for f in candidates if f.path == (*around[:length], names[0])]
            if found:
                return self._taking(found, count)
        return self._taking(candidates, count)

    def _taking(self, functions: Iterable[Function], count: int | None) -> Iterator[Function]:
        """Those that take so many arguments."""
        for function in functions:
            if count is None or (self._fewest[function] <= count and (function.most is None or count <= function.most)):
                yield function
