"""Loops that an HLS tool can count before it runs."""

from __future__ import annotations

import pytest

from tests.hw.verify.proofs.lint.code import broken, broken_in_body

BODIES = [
    ("loop-kind", "for (auto value : values) g(value);"),
    ("loop-kind", "for (int k = 0; k < 4; k++) g(k);"),
    ("loop-kind", "for (;;) g(x);"),
    ("loop-kind", "for (unsigned k = 0, j = 0; k < 4; k++) g(k);"),
    ("loop-kind", "for (i = 0; i < 4; i++) g(i);"),
    ("loop-kind", "for (unsigned &k = i; k < 4; k++) g(k);"),
    ("loop-kind", "for (unsigned long k = 0; k < 4; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < n; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; n > k; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0;; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < in.read(); k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0;\n         k < in.read();\n         k++)\n        g(k);"),
    ("loop-bound", "for (unsigned k = n; k < 4; k++) g(k);"),
    ("loop-bound", "for (unsigned k{n}; k < 4; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k != 4; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 4; k >= 0; k--) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < 4 && x > 0; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < 4, x > 0; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < k; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k++ < 4; k++) g(k);"),
    ("loop-bound", "const unsigned last = n;\n    for (unsigned k = 0; k < last; k++) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k += 0) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k += 0x0u) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4;) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k += n) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k--) g(k);"),
    ("loop-step", "for (unsigned k = 0; 4 > k; k--) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++, k--) g(k);"),
    ("loop-step", "for (unsigned k = 4; k > 0; k /= 1) g(k);"),
    ("loop-step", "for (unsigned k = 4; k > 0; i--) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) {\n        k--;\n    }"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++)\n        for (unsigned j = 0; j < 3; j++) k--;"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) k <<= 1;"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) (k) = 0;"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) (n ? k : i) = 0;"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) {\n        unsigned &r = k;\n        r = 0;\n    }"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) {\n        auto m = [&] { k = 0; };\n        m();\n    }"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) in.read(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) in >> k;"),
]
FILES = [
    ("loop-step", "void g(unsigned &k) { k = 0; }\nvoid f() {\n    for (unsigned k = 0; k < 4; k++) g(k);\n}"),
    ("loop-bound", "#define COUNT get()\nvoid f() {\n    for (unsigned k = 0; k < COUNT; k++) g(k);\n}"),
]


@pytest.mark.parametrize(("rule", "body"), BODIES)
def test_a_loop_in_a_function(rule: str, body: str) -> None:
    assert rule in broken_in_body(body)


@pytest.mark.parametrize(("rule", "text"), FILES)
def test_a_loop_in_a_file(rule: str, text: str) -> None:
    assert rule in broken(text)


@pytest.mark.parametrize(
    "body",
    [
        "for (unsigned k = 0; k < CONFIG_T::n; k++) {\n        #pragma HLS UNROLL\n        g(k * CONFIG_T::n);\n    }",
        "for (unsigned k = (CONFIG_T::n + 1) / 2; k > 0; k /= 2) g(k);",
        "const unsigned last = CONFIG_T::n - 1;\n    for (unsigned k = 0; k + 1 < last; k += 2) g(k);",
        "for (unsigned k = 0; CONFIG_T::n > k; ++k) g(k);",
        "for (unsigned int k{0}; (k <= CONFIG_T::n); k += 0x2u) g(k);",
        "for (unsigned k = 8; k > CONFIG_T::n; k = k - 2) g(k);",
        "for (unsigned k = 8; k >= 1; k--) g(k);",
        "Rows:\n    for (unsigned k = 0; k < 4; k++)\n    Columns:\n        for (unsigned j = 0; j < 4; j++) g(k, j);",
        "for (unsigned k = 0; k < 4; k++)\n        for (unsigned k = 0; k < 3; k++) g(k);",
        "for (unsigned k = 0; k < 4; k++) y = x >> k;",
        "for (unsigned k = 0; k < 4; k++) {\n        const unsigned &r = k;\n        g(s.k++, r);\n    }",
    ],
)
def test_loops_that_can_be_counted(body: str) -> None:
    assert broken_in_body(body) == set()


def test_a_macro_may_be_a_bound() -> None:
    assert broken("#define COUNT (4 * 3)\nvoid f() {\n    for (unsigned k = 0; k < COUNT; k++) g(k);\n}") == set()
