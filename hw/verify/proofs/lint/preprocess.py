"""What C++ does before it reads a program: lines are joined, comments go, conditional compilation chooses lines.

The grammar of syntax.py reads programs, and a program is what is left of one choice; so a text has several readings,
which between them take every branch of every `#if`. All of them keep the numbers of their lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_JOINED = re.compile(r"(?:[^\n]*\\[ \t]*\n)+[^\n]*")
_BACKSLASH = re.compile(r"\\[ \t]*\n")
# A raw string, a string, a character (an apostrophe in a number is none), a comment: by its first character.
_OPAQUE = re.compile(
    r"""["'/](?:"""
    r'''(?<=R")(?P<mark>[^\s()\\]*)\(.*?\)(?P=mark)"|(?<=")(?:[^"\\\n]|\\.)*"'''
    r"""|(?<=')(?<![\da-fA-F]')(?:[^'\\\n]|\\.)*'"""
    r"""|(?<=/)(?P<comment>\*.*?\*/|/[^\n]*))""",
    re.DOTALL,
)
_CONDITIONAL = re.compile(r"\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b\s*(.*?)\s*")
_DEFINED = re.compile(r"(!?)\s*defined\s*\(?\s*(\w+)\s*\)?")
# The macro of crq_trace.h, which only simulation reads, is nothing in hardware and stands without a semicolon.
_TRACE = re.compile(r"\bCRQ_TRACE\(\w+, \d+\)")


@dataclass(eq=False)
class Branch:
    """The lines of one branch. It is taken if the macro condition `atom` is `wanted` and no branch before it is."""

    atom: str
    wanted: bool
    start: int
    end: int = 0
    groups: list[Group] = field(default_factory=list)

    def everything(self) -> Iterator[Branch]:
        yield self
        for group in self.groups:
            for branch in group.branches:
                yield from branch.everything()


@dataclass(eq=False)
class Group:
    """An `#if` with all its branches, up to its `#endif`."""

    branches: list[Branch]


def readings(text: str) -> list[str]:
    """The programs that a text holds: together they have every line of it."""
    if "\\" in text:
        text = _JOINED.sub(lambda lines: _BACKSLASH.sub("", lines[0]) + "\n" * len(_BACKSLASH.findall(lines[0])), text)
    text = _TRACE.sub("", _OPAQUE.sub(_without_comment, text))
    lines = text.split("\n")
    whole = _grouped(lines)
    if whole is None:
        return [text]  # the parser says what is wrong with it
    result, left = [], dict.fromkeys(whole.everything())
    while left:
        path, taken, known = _path(whole, next(iter(left))), list[Branch](), dict[str, bool]()
        for group in (g for outer in path for g in outer.groups):
            for inner in set(path).intersection(group.branches):
                _learn(group, inner, known)
        _take(whole, path, known, left, taken)
        result.append(_program(lines, taken))
        for branch in taken:
            left.pop(branch, None)
    return result


def _without_comment(match: re.Match[str]) -> str:
    if match["comment"] is not None:
        return " " + "\n" * match[0].count("\n")
    return match[0] if match["mark"] is None else '"()"' + "\n" * match[0].count("\n")  # behind the R


def _grouped(lines: Sequence[str]) -> Branch | None:
    """The text as one branch that is always taken; None if an `#if` is not closed or not opened."""
    open_branches = [Branch("", True, 0, len(lines))]
    for number, line in enumerate(lines):
        match = _CONDITIONAL.fullmatch(line) if "#" in line else None
        if match is None:
            continue
        kind = match[1]
        if kind.startswith("if"):
            branch = Branch(*_condition(kind, match[2]), number + 1)
            open_branches[-1].groups.append(Group([branch]))
            open_branches.append(branch)
            continue
        if len(open_branches) == 1:
            return None
        open_branches.pop().end = number
        if kind != "endif":
            branch = Branch(*_condition(kind, match[2]), number + 1)
            open_branches[-1].groups[-1].branches.append(branch)
            open_branches.append(branch)
    return open_branches[0] if len(open_branches) == 1 else None


def _condition(kind: str, text: str) -> tuple[str, bool]:
    if kind == "else":
        return "", True
    if kind in ("ifdef", "ifndef"):
        return f"defined {text}", kind == "ifdef"
    defined = _DEFINED.fullmatch(text)
    return (f"defined {defined[2]}", not defined[1]) if defined else (text, True)


def _path(branch: Branch, target: Branch) -> list[Branch]:
    """The branches from `branch` down to `target`."""
    if branch is target:
        return [branch]
    for group in branch.groups:
        for inner in group.branches:
            path = _path(inner, target)
            if path:
                return [branch, *path]
    return []


def _take(
    branch: Branch, path: list[Branch], known: dict[str, bool], left: dict[Branch, None], taken: list[Branch]
) -> None:
    """Takes a branch and of each group in it one branch: that on `path`, or what follows from `known` conditions."""
    taken.append(branch)
    for group in branch.groups:
        chosen = next((b for b in group.branches if b in path), None) or _choice(group, known, left)
        _learn(group, chosen, known)
        if chosen:
            _take(chosen, path, known, left, taken)


def _choice(group: Group, known: dict[str, bool], left: dict[Branch, None]) -> Branch | None:
    """The first branch that the known conditions allow and that has lines no reading had; else the first allowed."""
    allowed = []
    for branch in group.branches:
        holds = known.get(branch.atom) == branch.wanted if branch.atom in known else None
        if branch.atom == "" or holds is not False:
            allowed.append(branch)
        if holds:
            break
    new = (b for b in allowed if any(inner in left for inner in b.everything()))
    return next(new, allowed[0] if allowed else None)


def _learn(group: Group, chosen: Branch | None, known: dict[str, bool]) -> None:
    for branch in group.branches:
        if branch.atom:
            known.setdefault(branch.atom, branch.wanted if branch is chosen else not branch.wanted)
        if branch is chosen:
            return


def _program(lines: Sequence[str], taken: list[Branch]) -> str:
    """The lines of the branches taken; the others, and the conditions, are empty."""
    keep = [""] * len(lines)
    for branch in taken:
        keep[branch.start : branch.end] = lines[branch.start : branch.end]
        for group in branch.groups:  # what is taken of them comes after
            first, last = group.branches[0].start - 1, group.branches[-1].end + 1
            keep[first:last] = [""] * (last - first)
    return "\n".join(keep)
