"""Products of data, wherever they hide; indices times constants are none."""

from __future__ import annotations

import re

import pytest

from crq.hw.verify.proofs import lint
from tests.hw.verify.proofs.lint.code import KERNELS, broken, broken_in_body

BODIES = [
    ("product", body)
    for body in [
        "y = x * data;",
        "y = i * x;",
        "y = 3 * x;",
        "y = x *\n        x;",
        "y = x \\\n        * x;",
        "y = i * n;",
        "y = i * CONFIG_T::a * n;",
        "y = (x + 1) * 3;",
        "y = (x) * (3);",
        "y = unsigned(x) * 3;",
        "y = (unsigned)x * 3;",
        "y = (x, n) * 3;",
        "y = g(i) * 3;",
        "y = x.template g<3>(i) * 3;",
        "y *= 3;",
        "y[i] *= 3;",
        "i *= n;",
        "y = beat[c] / 3;",
        "y = i / n;",
        "y = i % n;",
        "return x % 3;",
        "y = apply<x * n>(x);",
        "typename window<n * n>::t z;",
        "auto m = [&](int a) { return a * a; };",
        "auto m = [z = x * x] { return z; };",
        "y = g(h(x + (x * x)));",
        "y = x ? x * x : y;",
        "if (x * x > 3) y = 3;",
        "switch (n * n) {\n    default:\n        y = 0;\n    }",
        "x_T z(x * x);",
        "y = decltype(x)(x) * 3;",
        "y = -x * 3;",
        "if (unsigned q = x * x) y = 3;",
        "g({x * x});",
        "x_T z(n * x, n);",
        "x_T z{x * x};",
        "for (unsigned k = 0; k < 4; k++) g(x * k);",
    ]
]
FILES = [
    ("product", text)
    for text in [
        "#define MULTIPLY(a, b) ((a) * (b))",
        "#define SQUARE y * y",
        "#define BOTH \\\n    first(); \\\n    y = x * x",
        "#define COUNT get()\nvoid f(unsigned i) { g(i * COUNT); }",
        "#define C get()\nvoid f(unsigned i) { g(i * C); }\n#undef C\n#define C 3",
        "const unsigned z = 3;\n#define z get()\nvoid f(unsigned i) { g(i * z); }",
        "void f(int a, int b = a * 3) {}",
        "void f(int a, int b = a * 3);",
        "struct s {\n    s() : b(a * a) {}\n    int a, b;\n};",
        "struct s {\n    int a = 3, b = a * a;\n};",
        "template <class... T> auto s(T... x) { return (x * ...); }",
        "template <class T> T operator*(T a, T b);",
        "#ifdef A\nvoid f(int x) { g(x); }\n#else\nvoid f(int x) { g(x * x); }\n#endif",
        "#if 0\nvoid f(int x) { g(x * x); }\n#endif",
        "void f(int x)\n#ifdef A\n;\n#else\n{ g(x * x); }\n#endif",
    ]
]


@pytest.mark.parametrize(("rule", "body"), BODIES)
def test_a_product_in_a_function(rule: str, body: str) -> None:
    assert rule in broken_in_body(body)


@pytest.mark.parametrize(("rule", "text"), FILES)
def test_a_product_in_a_file(rule: str, text: str) -> None:
    assert rule in broken(text)


@pytest.mark.parametrize(
    "body",
    [
        "y = (i * CONFIG_T::a + n) * CONFIG_T::b + i / 4 % CONFIG_T::c;",
        "const int z = int(i);\n    y = unsigned(z) * geometry<CONFIG_T>::b;",
        "const int z = int(i);\n    y = (unsigned)z * 3 + static_cast<unsigned>(z) * 3 + unsigned{z} * 3;",
        "y = i * sizeof(x) + i * 0x3u;",
        "x_T z(i * CONFIG_T::b);",
        "i *= 3;",
        "enum { A = 3, B = A * 2 };\n    y = i * B;",
        "typedef unsigned index_t;\n    const index_t k = i;\n    y = k * 3;",
    ],
)
def test_what_is_address_arithmetic(body: str) -> None:
    assert broken_in_body(body) == set()


@pytest.mark.parametrize(
    "body",
    [
        "// x * x\n    /* x * x */",
        "// x \\\n    * x;",
        "g('*', '\"'); // x * x '",
        "g(1'000'000); // don't\n    /* x * x '*/",
        'const auto s = R"(y = x * x; // )";\n    g(s);',
        'const auto s = R"z(\n#if x * x\n)")z";',
    ],
)
def test_comments_and_strings_hold_no_code(body: str) -> None:
    assert broken_in_body(body) == set()


def test_the_integer_product_stands_under_its_pragma() -> None:
    text = (KERNELS / "crq_product.h").read_text()
    assert list(lint.lint_text(text, "crq_product.h")) == []
    bare = re.sub(r"\n *#pragma HLS BIND_OP.*", "", text)
    assert bare != text
    for file, source in (("crq_product.h", bare), ("crq_pool.h", text), ("my_crq_product.h", text)):
        assert {f.rule for f in lint.lint_text(source, file)} == {"product"}
