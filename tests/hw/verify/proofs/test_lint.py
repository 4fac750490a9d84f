"""The whole check: the shipped kernels and built projects keep the rules, and every rule has faults that break it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq import hw
from crq.hw.verify.proofs import lint
from crq.hw.verify.proofs.lint.rules import RULES
from tests.hw.verify.proofs.lint import (
    test_declarations,
    test_grammar,
    test_loops,
    test_pragmas,
    test_products,
    test_recursion,
    test_words,
)
from tests.hw.verify.proofs.lint.code import KERNELS
from tests.support.random_graphs import NETWORKS


def test_every_rule_has_a_fault() -> None:
    tests = (test_declarations, test_grammar, test_loops, test_pragmas, test_products, test_recursion, test_words)
    assert {rule for test in tests for rule, _ in test.BODIES + test.FILES} == set(RULES)


@pytest.mark.parametrize("path", sorted(KERNELS.glob("*.h")), ids=lambda path: path.name)
def test_kernels_keep_the_rules(path: Path) -> None:
    findings = list(lint.lint_text(path.read_text(), path.name))
    assert not findings or path.name in lint.SIMULATION_ONLY, findings


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
