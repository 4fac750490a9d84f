"""The rules for HLS sources: the shipped kernels keep them, and a fault made for each rule is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hw
from hw.verify.proofs import lint
from hw.verify.proofs.lint.documentation import lint_md
from hw.verify.proofs.lint.rules import PRAGMAS, RULES
from tests.hw.random_graphs import NETWORKS

KERNELS = Path(hw.__file__).parent / "hls" / "kernels"

# Rule, then lines of a function body in which x and y are data, i and n are unsigned parameters.
BROKEN = [
    ("dynamic-memory", "int &p = *new int[3];"),
    ("polymorphism", "if (typeid(x) == typeid(y)) f();"),
    ("exceptions", "throw 1;"),
    ("standard-library", "std::vector<int> v;"),
    ("standard-library", "using namespace std;"),
    ("standard-library", "vector<int> v;"),
    ("standard-library", "string s;"),
    ("input-output", 'printf("%d", i);'),
    ("input-output", "cout << i;"),
    ("floating-point", "float z = 0;"),
    ("storage-class", "volatile int z = 0;"),
    ("static-state", "static unsigned calls = 0;"),
    ("static-state", "static accum_t sums[4];"),
    ("pointer", "int *p = 0;"),
    ("pointer", "x_T *p = &x;"),
    ("pointer", "g(&x);"),
    ("pointer", "g((unsigned *)x);"),
    ("pointer", "x = p->y;"),
    ("pointer", "void (*callback)(int) = g;"),
    ("pointer", "void (&callback)(int) = g;"),
    ("pointer", "y = *x;"),
    ("array-size", "x_T row[n];"),
    ("array-size", "const unsigned size = n + 1;\n    x_T row[4][size];"),
    ("array-size", "x_T row[in.read()];"),
    ("recursion", "f(x, y, i, n);"),
    ("loop-kind", "while (x > 0) x--;"),
    ("loop-kind", "do { x--; } while (x > 0);"),
    ("loop-kind", "again: goto again;"),
    ("loop-kind", "for (auto value : values) g(value);"),
    ("loop-kind", "for (int k = 0; k < 4; k++) g(k);"),
    ("loop-kind", "for (;;) g(x);"),
    ("loop-kind", "for (unsigned k = 0, j = 0; k < 4; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < n; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < in.read(); k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0;\n         k < in.read();\n         k++)\n        g(k);"),
    ("loop-bound", "for (unsigned k = n; k < 4; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k != 4; k++) g(k);"),
    ("loop-bound", "for (unsigned k = 0; k < 4 && x > 0; k++) g(k);"),
    ("loop-bound", "const unsigned last = n;\n    for (unsigned k = 0; k < last; k++) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k += 0) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4;) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k += n) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k--) g(k);"),
    ("loop-step", "for (unsigned k = 4; k > 0; k /= 1) g(k);"),
    ("loop-step", "for (unsigned k = 4; k > 0; i--) g(k);"),
    ("loop-step", "for (unsigned k = 0; k < 4; k++) {\n        k--;\n    }"),
    ("product", "y = x * data;"),
    ("product", "y = i * x;"),
    ("product", "y = 3 * x;"),
    ("product", "y = x *\n        x;"),
    ("product", "y = i * n;"),
    ("product", "y = i * CONFIG_T::a * n;"),
    ("product", "y = (x + 1) * 3;"),
    ("product", "y = unsigned(x) * 3;"),
    ("product", "y = g(i) * 3;"),
    ("product", "y *= 3;"),
    ("product", "i *= n;"),
    ("product", "y = beat[c] / 3;"),
    ("product", "y = i / n;"),
    ("product", "y = i % n;"),
    ("pragma-form", "#pragma HLS ALLOCATION"),
    ("pragma-form", "#pragma HLS PIPELINE II=2"),
    ("pragma-form", "#pragma HLS BIND_OP variable=x op=mul impl=dsp"),
    ("pragma-form", "#pragma once more"),
    ("pragma-place", "y = 1;\n    #pragma HLS UNROLL"),
    ("pragma-variable", "#pragma HLS ARRAY_PARTITION variable=absent complete dim=0"),
    ("pragma-variable", "#pragma HLS STREAM variable=absent depth=2"),
    ("pragma-variable", "#pragma HLS BIND_STORAGE variable=absent type=rom_1p impl=bram"),
    ("pragma-variable", "#pragma HLS BIND_OP variable=absent op=mul impl=fabric"),
    ("pragma-variable", "#pragma HLS ARRAY_PARTITION variable=z complete dim=0\n    x_T z[4];"),
    (
        "pragma-variable",
        "if (i) {\n        x_T z[4];\n    }\n    #pragma HLS ARRAY_PARTITION variable=z complete dim=0",
    ),
    ("pragma-variable", "x_T z[4];\n    #pragma HLS INTERFACE axis port=z"),
]
WHOLE = [
    ("syntax", "void f( {}"),
    ("standard-library", "#include <cstdio>"),
    ("static-state", "static unsigned calls = 0;"),
    ("static-state", "x_T state[4];"),
    ("pointer", "void g(const unsigned *data);"),
    ("array-size", "void g(const x_T *data, unsigned n, x_T out[n]) {}"),
    ("recursion", "void even(unsigned n) { odd(n); }\nvoid odd(unsigned n) { even(n); }"),
    ("recursion", "namespace a {\ntemplate <int N> struct s {\n    static int f() { return s<N - 1>::f(); }\n};\n}"),
    ("recursion", "struct s {\n    void f() { g(); }\n    void g() { f(); }\n};"),
]


def in_a_function(body: str) -> str:
    head = "template <class x_T, typename CONFIG_T>\nvoid f(const x_T &x, x_T &y, unsigned i, unsigned n) {"
    return f"{head}\n    {body}\n}}\n"


@pytest.mark.parametrize(("rule", "body"), BROKEN)
def test_a_fault_in_a_function_is_found(rule: str, body: str) -> None:
    findings = list(lint.lint_text(in_a_function(body), "f.h"))
    assert rule in {f.rule for f in findings}, findings
    assert all(f.line >= 3 for f in findings)


@pytest.mark.parametrize(("rule", "text"), WHOLE)
def test_a_fault_in_a_file_is_found(rule: str, text: str) -> None:
    assert rule in {f.rule for f in lint.lint_text(text + "\n", "f.h")}


def test_every_rule_has_a_fault() -> None:
    assert {rule for rule, _ in BROKEN + WHOLE} == set(RULES)


@pytest.mark.parametrize("rule_and_body", [pair for pair in BROKEN if pair[0] in ("array-size", "pragma-variable")])
def test_faults_are_found_behind_template_code_too(rule_and_body: tuple[str, str]) -> None:
    """The shipped kernels in front of the fault: their scopes must all be closed again."""
    rule, body = rule_and_body
    text = "".join((KERNELS / name).read_text() for name in ("crq_window.h", "crq_mac.h")) + in_a_function(body)
    assert {f.rule for f in lint.lint_text(text, "f.h")} == {rule}


def test_recursion_is_found_over_files() -> None:
    texts = {"a.h": "inline void a() { b(); }", "b.h": "inline void b() { a(); }"}
    assert [f.rule for f in lint.lint_texts(texts, {})] == ["recursion", "recursion"]


def test_functions_of_one_name_in_two_classes_are_no_recursion() -> None:
    text = "struct a {\n    static int f() { return 1; }\n};\nstruct b {\n    static int f() { return a::f(); }\n};\n"
    assert list(lint.lint_text(text, "f.h")) == []


@pytest.mark.parametrize(
    "body",
    [
        "// a * b, new, while (1), *p\n    /* printf\n       float */",
        "for (unsigned k = 0; k < CONFIG_T::n; k++) {\n        #pragma HLS UNROLL\n        g(k * CONFIG_T::n);\n    }",
        "for (unsigned k = (CONFIG_T::n + 1) / 2; k > 0; k /= 2) g(k);",
        "const unsigned last = CONFIG_T::n - 1;\n    for (unsigned k = 0; k + 1 < last; k += 2) g(k);",
        "y = (i * CONFIG_T::a + n) * CONFIG_T::b + i / 4 % CONFIG_T::c;",
        "const int z = int(i);\n    y = unsigned(z) * geometry<CONFIG_T>::b;",
        "x_T z[geometry<CONFIG_T>::b][CONFIG_T::a * 2];\n    #pragma HLS ARRAY_PARTITION variable=z complete dim=0",
        "static const unsigned z = 3;\n    x_T w[z];",
        "y = x ? x_T(i) : y;",
    ],
)
def test_what_the_rules_allow(body: str) -> None:
    assert list(lint.lint_text(in_a_function(body), "f.h")) == []


def test_the_integer_product_stands_under_its_pragma() -> None:
    text = (KERNELS / "crq_product.h").read_text()
    assert list(lint.lint_text(text, "crq_product.h")) == []
    bare = re.sub(r"\n *#pragma HLS BIND_OP.*", "", text)
    assert bare != text
    for file, source in (("crq_product.h", bare), ("crq_pool.h", text)):
        assert {f.rule for f in lint.lint_text(source, file)} == {"product"}


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("network", NETWORKS)
def test_projects_keep_the_rules(network: str, io_type: str, tmp_path: Path) -> None:
    project = hw.build(NETWORKS[network](3), tmp_path / "p", io_type=io_type, project_name="p")
    result = lint.check(project.directory)
    assert result.ok, result


def test_a_pragma_for_a_table_that_does_not_exist_is_found(tmp_path: Path) -> None:
    project = hw.build(NETWORKS["small_cnn"](3), tmp_path / "p", project_name="p")
    path = project.directory / "firmware" / "layers" / "conv1.h"
    path.write_text(path.read_text().replace("variable=conv1_weights", "variable=conv4_weights", 1))
    result = lint.check(project.directory)
    assert not result.ok
    assert "pragma-variable" in result.facts


def test_the_documentation_is_current() -> None:
    assert (Path(__file__).parents[2] / "docs" / "lint.md").read_text() == lint_md()
    for name in [*RULES, *PRAGMAS]:
        assert f"`{name}`" in lint_md()
