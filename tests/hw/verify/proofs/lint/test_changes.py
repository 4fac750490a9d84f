"""Which code changes a variable: by assignment, a step, a reference, a stream; and which does not."""

from __future__ import annotations

import pytest

from crq.hw.verify.proofs.lint.changes import Changes
from crq.hw.verify.proofs.lint.source import Source

FUNCTIONS = "void set(unsigned &a, unsigned b);\nvoid look(const unsigned &a);\nvoid take(unsigned a);\n"


def changes(body: str) -> bool:
    """Whether the body of a loop changes its index i."""
    source = Source(f"{FUNCTIONS}void f() {{\n    for (unsigned i = 0; i < 9; i++) {{\n        {body}\n    }}\n}}\n")
    [(loop, _)] = source.find("for_statement")
    [index] = [symbol for _, symbol in source.symbols() if symbol.name == "i"]
    body_node = loop.child_by_field_name("body")
    assert body_node is not None
    return Changes(source).within(index, body_node)


@pytest.mark.parametrize(
    "body",
    [
        "i = 3;", "i += 2;", "i++;", "--i;", "(i) = 3;", "(c ? i : j) = 3;", "a = i = 3;", "unsigned &r = i;",
        "set(i, 3);",
        "in.read(i);", "in >> i;", "in.read_nb(i);", "if (c) { i = 3; }", "unsigned &r{i};",
    ],
)  # fmt: skip
def test_what_changes_the_index_is_found(body: str) -> None:
    assert changes(body)


@pytest.mark.parametrize(
    "body",
    [
        "y = i;", "y[i] = 3;", "set(j, i);", "look(i);", "take(i);", "y = x >> i;", "const unsigned &r = i;",
        "unsigned i = 3; i = 4;", "out.write(i);", "i == 3;", "",
    ],
)  # fmt: skip
def test_what_only_reads_it_is_none(body: str) -> None:
    source_has_two = "unsigned i = 3" in body
    if source_has_two:
        source = Source(f"void f() {{\n    for (unsigned i = 0; i < 9; i++) {{\n        {body}\n    }}\n}}\n")
        [(loop, _)] = source.find("for_statement")
        outer = min((s for _, s in source.symbols() if s.name == "i"), key=lambda symbol: symbol.at)
        assert not Changes(source).within(outer, loop.child_by_field_name("body"))
        return
    assert not changes(body)
