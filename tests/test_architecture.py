"""The house rules of docs/architecture.md: the direction of imports, its floors, the size of files and functions."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from tests.support.imports import PACKAGES, ROOT, box, floors, graph_of, imports, modules

MAX_FLOORS, MAX_LINES, MAX_FUNCTION = 10, 350, 60

GROUND = {"crq.errors", "crq.figures", "crq.files", "crq.importing", "crq.options", "crq.progress"}
"""What all three packages stand on."""

STANDS_ON: dict[str, set[str]] = {
    "crq.errors": set(),
    "crq.figures": set(),
    "crq.files": set(),
    "crq.importing": set(),
    "crq.options": set(),
    "crq.progress": set(),
    "crq.quant": set(),
    "crq.models": set(),
    "crq.convert": {"crq.quant"},
    "crq.train": {"crq.convert", "crq.quant", "crq.models"},
    "crq.cli": {"crq.train"},
    "crq.__main__": {"crq.cli"},
    "crq": {"crq.convert", "crq.quant", "crq.train"},
    "crq.export": {"crq", "crq.convert"},
    "crq.hw.errors": set(),
    "crq.hw.compiler": set(),
    "crq.hw.graphs": {"crq.hw.compiler", "crq.hw.ir", "crq.hw.errors"},
    "crq.hw.ir": {"crq.hw.errors"},
    "crq.hw.devices": {"crq.hw.errors"},
    "crq.hw.vivado": {"crq.hw.devices", "crq.hw.errors"},
    "crq.hw.read": {"crq.hw.ir", "crq.hw.errors"},
    "crq.hw.dataflow": {"crq.hw.ir", "crq.hw.errors"},
    "crq.hw.cost": {"crq.hw.dataflow", "crq.hw.graphs", "crq.hw.ir", "crq.hw.errors"},
    "crq.hw.fold": {"crq.hw.cost", "crq.hw.dataflow", "crq.hw.devices", "crq.hw.ir", "crq.hw.errors"},
    "crq.hw.forms": {"crq.hw.graphs", "crq.hw.dataflow", "crq.hw.ir", "crq.hw.errors"},
    "crq.hw.rtl": {
        "crq.hw.compiler", "crq.hw.forms", "crq.hw.graphs", "crq.hw.fold", "crq.hw.cost", "crq.hw.dataflow",
        "crq.hw.devices", "crq.hw.read", "crq.hw.ir", "crq.hw.errors",
    },
    "crq.hw.hls": {
        "crq.hw.compiler", "crq.hw.vivado", "crq.hw.forms", "crq.hw.graphs", "crq.hw.fold", "crq.hw.cost",
        "crq.hw.dataflow", "crq.hw.devices", "crq.hw.read", "crq.hw.ir", "crq.hw.errors",
    },
    "crq.hw.verify": {
        "crq.hw.compiler", "crq.hw.forms", "crq.hw.graphs", "crq.hw.hls", "crq.hw.rtl", "crq.hw.fold",
        "crq.hw.dataflow", "crq.hw.read", "crq.hw.ir", "crq.hw.errors",
    },
    "crq.hw.report": {
        "crq.hw.forms", "crq.hw.graphs", "crq.hw.hls", "crq.hw.rtl", "crq.hw.vivado", "crq.hw.fold", "crq.hw.cost",
        "crq.hw.dataflow", "crq.hw.devices", "crq.hw.read", "crq.hw.ir", "crq.hw.errors",
    },
    "crq.hw.project": {
        "crq.hw.verify", "crq.hw.report", "crq.hw.hls", "crq.hw.rtl", "crq.hw.vivado", "crq.hw.forms",
        "crq.hw.dataflow", "crq.hw.devices", "crq.hw.read", "crq.hw.ir", "crq.hw.errors",
    },
    "crq.hw": {"crq.hw.project", "crq.hw.dataflow", "crq.hw.read", "crq.hw.ir", "crq.hw.errors"},
}  # fmt: skip
"""What each box of the picture may import, beside itself and the ground floor. crq.hw.cli may import everything."""

TORCH_MEETS_HARDWARE = {"crq.hw.verify.live"}
"""The one module below crq.hw.cli that knows the frozen PyTorch model."""

LAZY = {
    ("crq", "crq.export", "crq.hw"): "names of a package are loaded on first use, so that `import crq` costs nothing",
    ("crq.train.trainer", "crq.train.fit"): "Lightning takes seconds to import, and a finished run needs none of it",
    ("crq.hw.hls.plugin", "crq.hw.hls.dispatch"): "hls4ml calls the plugin while it is itself being imported",
    (
        "crq.hw.hls.frontend",
        "crq.hw.hls.model",
    ): "the backend is registered while hls4ml's ModelGraph is being imported",
    ("crq.hw.hls.plugin", "crq.hw.hls.backend"): "hls4ml calls the plugin while it is itself being imported",
    ("crq.hw.hls.plugin", "crq.hw.hls.writer"): "hls4ml calls the plugin while it is itself being imported",
    ("crq.hw.verify.live", "crq.convert.frozen"): "torch takes seconds to import, and most comparisons need none of it",
    ("crq.hw.verify.live", "crq.convert.steps"): "torch takes seconds to import, and most comparisons need none of it",
}
"""Imports inside functions, outside of the command line, each with its reason."""


def test_no_module_imports_itself_by_way_of_others() -> None:
    pairs = ((i.importer, i.imported) for i in imports() if not i.importer.startswith(f"{i.imported}."))
    floors(graph_of(pairs))


def test_the_picture_has_few_floors() -> None:
    pairs = ((box(i.importer), box(i.imported)) for i in imports())
    found = floors(graph_of((upper, lower) for upper, lower in pairs if upper != lower))
    assert max(found.values()) + 1 <= MAX_FLOORS, sorted(found.items(), key=lambda item: item[1])


def test_the_picture_itself_has_few_floors() -> None:
    """Also if every import that is allowed were made."""
    pairs = ((upper, lower) for upper, allowed in STANDS_ON.items() for lower in allowed)
    assert max(floors(graph_of(pairs)).values()) + 1 <= MAX_FLOORS


@pytest.mark.parametrize("name", sorted({box(name) for name in modules()} - {"crq.hw.cli"}))
def test_imports_point_down(name: str) -> None:
    allowed = STANDS_ON[name] | GROUND | {name}
    wrong = [
        f"{i.importer} → {i.imported}" for i in imports()
        if box(i.importer) == name and box(i.imported) not in allowed
        and not (i.importer in TORCH_MEETS_HARDWARE and box(i.imported) == "crq.convert")
    ]  # fmt: skip
    assert not wrong


def test_imports_in_functions_have_a_reason() -> None:
    on_the_command_line = (".cli", "cli")
    wrong = [
        f"{i.importer} → {i.imported}" for i in imports()
        if i.lazy and (i.importer, i.imported) not in LAZY and "." in i.importer
        and not i.importer.endswith(on_the_command_line) and not box(i.importer).endswith(".cli")
        and modules()[i.importer].name != "__init__.py" and not _is_for_types(i.importer, i.imported)
    ]  # fmt: skip
    assert not wrong


def _is_for_types(importer: str, imported: str) -> bool:
    """Whether the import stands under `if TYPE_CHECKING`."""
    tree = ast.parse(modules()[importer].read_text())
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    return any(imported in ast.unparse(block) for block in blocks)


def _python_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in listed.split()] or sorted(
        p for folder in (*PACKAGES, "tests", "benchmarks", "examples") for p in (ROOT / folder).rglob("*.py")
    )


def test_files_and_functions_are_short() -> None:
    long = []
    for path in _python_files():
        text, name = path.read_text() if path.is_file() else "", path.relative_to(ROOT)
        if text.count("\n") > MAX_LINES:
            long.append(f"{name}: {text.count(chr(10))} lines")
        functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        lines = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
        long += [f"{name}: {function} has {count} lines" for function, count in lines.items() if count > MAX_FUNCTION]
    assert not long


def test_tests_mirror_the_tree() -> None:
    """A test file below tests/crq, tests/export or tests/hw is named after a module or package of the product."""
    wrong = []
    for package in PACKAGES:
        for path in sorted((ROOT / "tests" / package).rglob("test_*.py")):
            tested = (ROOT / path.relative_to(ROOT / "tests")).with_name(path.name.removeprefix("test_"))
            if not tested.exists() and not tested.with_suffix("").is_dir():
                wrong.append(str(path.relative_to(ROOT)))
    assert not wrong


def test_modules_have_tests() -> None:
    """Every module that computes something has a test file of its own."""
    untested = []
    for name, path in modules().items():
        if path.name == "__init__.py":
            continue
        test = ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}")
        if not test.exists():
            untested.append(name)
    assert not untested, f"{len(untested)}"
