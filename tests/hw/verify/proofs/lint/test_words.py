"""Words that break a rule: found as what they are in the program, not as letters."""

from __future__ import annotations

import pytest

from tests.hw.verify.proofs.lint.code import broken, broken_in_body

BODIES = [
    ("dynamic-memory", "int &p = *new int[3];"),
    ("dynamic-memory", "delete p;"),
    ("dynamic-memory", "g(malloc(3));"),
    ("dynamic-memory", "free(x);"),
    ("polymorphism", "if (typeid(x) == typeid(y)) f();"),
    ("polymorphism", "g(dynamic_cast<x_T &>(x));"),
    ("exceptions", "throw 1;"),
    ("exceptions", "y = n ? throw 1 : x;"),
    ("exceptions", "try { g(x); } catch (int e) { }"),
    ("standard-library", "std::vector<int> v;"),
    ("standard-library", "using namespace std;"),
    ("standard-library", "vector<int> v;"),
    ("standard-library", "string s;"),
    ("input-output", 'printf("%d", i);'),
    ("input-output", "auto p = printf;"),
    ("input-output", "cout << i;"),
    ("input-output", "ifstream in;"),
    ("floating-point", "float z = 0;"),
    ("floating-point", "long double z = 0;"),
    ("floating-point", "y = g<double>(x);"),
    ("floating-point", "y = 1.5;"),
    ("floating-point", "y = 2e3;"),
    ("floating-point", "y = 0x1p3;"),
    ("storage-class", "volatile int z = 0;"),
    ("storage-class", "auto m = [=]() mutable { return 3; };"),
    ("loop-kind", "while (x > 0) x--;"),
    ("loop-kind", "if (n)\n        while (x > 0) x--;"),
    ("loop-kind", "do { x--; } while (x > 0);"),
    ("loop-kind", "do x--; while (x > 0);"),
    ("loop-kind", "again: goto again;"),
]
FILES = [
    ("dynamic-memory", "struct s {\n    s() = delete; int &p = *new int;\n};"),
    ("dynamic-memory", "struct s {\n    void operator delete(int p);\n};"),
    ("polymorphism", "struct s {\n    virtual void f() = 0;\n};"),
    ("polymorphism", "struct s : virtual a {};"),
    ("standard-library", "#include <cstdio>"),
    ("standard-library", "#  include /* why */ <cmath>"),
    ("standard-library", "#define HEADER <cmath>\n#include HEADER"),
    ("standard-library", "#ifdef A\n#include <cmath>\n#endif"),
    ("standard-library", "namespace s = std;"),
    ("standard-library", "using std::vector;"),
    ("storage-class", "struct s {\n    thread_local static const int a = 3;\n};"),
]


@pytest.mark.parametrize(("rule", "body"), BODIES)
def test_a_word_in_a_function(rule: str, body: str) -> None:
    assert rule in broken_in_body(body)


@pytest.mark.parametrize(("rule", "text"), FILES)
def test_a_word_in_a_file(rule: str, text: str) -> None:
    assert rule in broken(text)


@pytest.mark.parametrize(
    "body",
    [
        "// a * b, new, while (1), *p\n    /* printf\n       float */",
        'hls::stream<x_T> s("new float while (1) std::vector<int>");',
        "if (set < 4) y = map > 3;",
        "unsigned cin = 3;\n    y = cin << 1;",
        "y = pool.free(3);",
        "y = 0xEE + 0x1e3;",
    ],
)
def test_what_only_looks_like_one(body: str) -> None:
    assert broken_in_body(body) == set()


def test_a_deleted_function_is_no_delete() -> None:
    assert broken("struct s {\n    s(const s &) = delete;\n};") == set()
