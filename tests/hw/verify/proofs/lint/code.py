"""Code to lint: a function around a body, and the rules it breaks."""

from __future__ import annotations

from pathlib import Path

from crq import hw
from crq.hw.verify.proofs import lint

KERNELS = Path(hw.__file__).parent / "hls" / "kernels"


def in_a_function(body: str) -> str:
    """A function of that body, in which x and y are data, i and n are unsigned parameters."""
    head = "template <class x_T, typename CONFIG_T>\nvoid f(const x_T &x, x_T &y, unsigned i, unsigned n) {"
    return f"{head}\n    {body}\n}}\n"


def broken(text: str) -> set[str]:
    """The rules that a file breaks."""
    return {finding.rule for finding in lint.lint_text(text + "\n", "f.h")}


def broken_in_body(body: str) -> set[str]:
    """The rules that the body of a function breaks; every finding is in one of its lines."""
    findings = list(lint.lint_text(in_a_function(body), "f.h"))
    assert all(f.line >= 3 for f in findings), findings
    return {finding.rule for finding in findings}
