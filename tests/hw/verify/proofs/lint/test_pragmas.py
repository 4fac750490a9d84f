"""Pragmas: their form, their place, and that what they name exists."""

from __future__ import annotations

import pytest

from tests.hw.verify.proofs.lint.code import KERNELS, broken, broken_in_body, in_a_function

BODIES = [
    ("pragma-form", "#pragma HLS ALLOCATION"),
    ("pragma-form", "#pragma HLS PIPELINE II=2"),
    ("pragma-form", "#pragma HLS BIND_OP variable=x op=mul impl=dsp"),
    ("pragma-form", "#pragma once more"),
    ("pragma-form", '_Pragma("HLS PIPELINE II=2");'),
    ("pragma-place", "y = 1;\n    #pragma HLS UNROLL"),
    ("pragma-place", "if (n) {\n        #pragma HLS UNROLL\n        y = 3;\n    }"),
    ("pragma-place", "for (unsigned k = 0; k < 4; k++) {\n        #pragma HLS INLINE\n        g(k);\n    }"),
    ("pragma-place", "for (unsigned k = 0; k < 4; k++)\n        #pragma HLS UNROLL\n        g(k);"),
    (
        "pragma-place",
        "x_T z[4];\n    #pragma HLS ARRAY_PARTITION variable=z complete dim=0\n    #pragma HLS PIPELINE II=1",
    ),
    ("pragma-variable", "#pragma HLS ARRAY_PARTITION variable=absent complete dim=0"),
    ("pragma-variable", "#pragma HLS STREAM variable=absent depth=2"),
    ("pragma-variable", "#pragma HLS BIND_STORAGE variable=absent type=rom_1p impl=bram"),
    ("pragma-variable", "#pragma HLS BIND_OP variable=absent op=mul impl=fabric"),
    ("pragma-variable", "#pragma HLS ARRAY_PARTITION variable=z complete dim=0\n    x_T z[4];"),
    (
        "pragma-variable",
        "if (i) {\n        x_T z[4];\n    }\n    #pragma HLS ARRAY_PARTITION variable=z complete dim=0",
    ),
    ("pragma-variable", "x_T z[4];\n    #pragma HLS INTERFACE mode=axis port=z"),
    ("pragma-variable", "auto m = [&](x_T q) { return q; };\n    #pragma HLS STREAM variable=q depth=2"),
    (
        "pragma-variable",
        "for (unsigned k = 0; k < 4; k++) {\n        #pragma HLS UNROLL factor=n\n        g(k);\n    }",
    ),
    ("pragma-form", "x_T z[4];\n    #pragma HLS DEPENDENCE variable=z inter RAW distance=Q::n true"),
]
FILES = [("pragma-form", "#pragma once")]


@pytest.mark.parametrize(("rule", "body"), BODIES)
def test_a_pragma_in_a_function(rule: str, body: str) -> None:
    assert rule in broken_in_body(body)


@pytest.mark.parametrize(("rule", "text"), FILES)
def test_a_pragma_in_a_file(rule: str, text: str) -> None:
    assert rule in broken(text)


@pytest.mark.parametrize(
    "body",
    [
        "for (unsigned k = 0; k < 4; k++) {\n        #  pragma  HLS   UNROLL // all of them\n        g(k);\n    }",
        "for (unsigned k = 0; k < 4; k++) {\n        #pragma HLS \\\n            UNROLL\n        g(k);\n    }",
        "#pragma HLS INLINE\n    x_T z[4];\n    #pragma HLS DEPENDENCE variable=z inter RAW distance=4 true",
        "#pragma HLS STREAM variable=x depth=2\n    #pragma HLS INLINE off",
        "auto m = [&](x_T q) {\n        #pragma HLS INLINE\n        return q;\n    };",
        "/*\n    #pragma HLS ALLOCATION\n    */",
    ],
)
def test_pragmas_that_may_stand(body: str) -> None:
    assert broken_in_body(body) == set()


def test_a_variable_and_its_pragma_in_the_same_branch() -> None:
    partition = "#pragma HLS ARRAY_PARTITION variable=z complete dim=0"
    assert broken_in_body(f"#ifdef A\n    x_T z[4];\n#endif\n    g(x);\n#ifdef A\n    {partition}\n#endif") == set()
    assert broken_in_body(f"#ifdef A\n    x_T z[4];\n#endif\n    g(x);\n#ifndef A\n    {partition}\n#endif") != set()


@pytest.mark.parametrize("rule_and_body", [pair for pair in BODIES if pair[0] == "pragma-variable"])
def test_faults_are_found_behind_template_code_too(rule_and_body: tuple[str, str]) -> None:
    """The shipped kernels in front of the fault: their scopes must all be closed again."""
    rule, body = rule_and_body
    text = "".join((KERNELS / name).read_text() for name in ("crq_window.h", "crq_mac.h")) + in_a_function(body)
    assert broken(text) == {rule}
