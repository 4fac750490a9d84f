"""What the grammar cannot read is a finding: the other rules would not see it."""

from __future__ import annotations

import pytest

from tests.hw.verify.proofs.lint.code import broken, broken_in_body

BODIES = [
    ("syntax", "y = = 3;"),
    ("syntax", "g(x;"),
    ("syntax", 'asm("nop");'),
    ("syntax", "x.operator*(y);"),
    ("syntax", "TRACE(x)\n    g(x);"),
]
FILES = [
    ("syntax", "void f() {"),
    ("syntax", "void f() {}\n}"),
    ("syntax", "#ifdef A\nvoid f() {}"),
    ("syntax", "void f() {}\n#endif"),
    ("syntax", "#ifdef A\nvoid f() {}\n#else\nvoid f() {\n#endif"),
    ("syntax", "#define LOOP for (unsigned k = 0; k < n;"),
    ("syntax", "#define TIMES(a) * (a)) + (("),
    ("syntax", "#define PASTED(a, b) a ## b"),
    ("syntax", "#define unsigned ap_int<8>"),
    ("syntax", "#include_next \"a.h\""),
    ("syntax", "/* never closed\nvoid f() {}"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "body"), BODIES)
def test_a_body_that_cannot_be_read(rule: str, body: str) -> None:
    assert rule in broken_in_body(body)


@pytest.mark.parametrize(("rule", "text"), FILES)
def test_a_file_that_cannot_be_read(rule: str, text: str) -> None:
    assert rule in broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "void f(int x)\n#ifdef A\n;\n#else\n{ g(x); }\n#endif",
        "void f(int x) {\n    g(x); CRQ_TRACE(x, 12)\n    g(x); CRQ_TRACE(x, 3)\n}",
        "#ifndef F_H_\n#define F_H_\n#define WORD ap_int<8>\n#define BOTH(a) f(a); g(a)\n#undef WORD\n#endif",
        "#ifdef A\n#error not both\n#endif",
        "void f(int x) {\n    if (x == 3 and \\\n        not x)\n        g(x);\n}",
    ],
)
def test_what_the_grammar_needs_help_with(text: str) -> None:
    assert broken(text) == set()
