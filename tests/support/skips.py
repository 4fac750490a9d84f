"""Where everything is installed, as scripts/test.sh does, a test that is skipped for want of a tool fails."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

ALL_TOOLS = "CRQ_ALL_TOOLS"
"""Set by scripts/test.sh."""

NOT_INSTALLED = ("chromium is not installed", "da4ml is an extra", "needs a GPU", "cocotb 2 with")
"""Beginnings of the reasons of skips that scripts/test.sh does nothing against."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of modules that skip themselves."""
    return judged((yield))


def judged(report: Report) -> Report:
    if not report.skipped or hasattr(report, "wasxfail") or not os.environ.get(ALL_TOOLS):
        return report
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not text.removeprefix("Skipped: ").startswith(NOT_INSTALLED):
        report.outcome = "failed"
        report.longrepr = f"{text}\n{ALL_TOOLS} is set: nothing but {', '.join(NOT_INSTALLED)} may skip a test"
    return report
