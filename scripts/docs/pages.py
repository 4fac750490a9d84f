"""The generated files of docs/, and the function that gives the text of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crq.convert.documentation import training_md
from crq.hw.read.documentation import reading_md
from crq.hw.verify.proofs.lint.documentation import lint_md
from scripts.docs import cli, devices, files, python, recipe

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "training.md": training_md,
    "reading.md": reading_md,
    "lint.md": lint_md,
    "reference/cli.md": cli.page,
    "reference/recipe.md": recipe.page,
    "reference/python.md": python.page,
    "reference/files.md": files.page,
    "reference/devices.md": devices.page,
}
