"""docs/lint.md is what the tables say."""

from __future__ import annotations

from pathlib import Path

from crq import hw
from crq.hw.verify.proofs.lint.documentation import lint_md
from crq.hw.verify.proofs.lint.rules import PRAGMAS, RULES


def test_the_documentation_is_current() -> None:
    assert (Path(hw.__file__).resolve().parents[1] / "docs" / "lint.md").read_text() == lint_md()
    for name in [*RULES, *PRAGMAS]:
        assert f"`{name}`" in lint_md()
