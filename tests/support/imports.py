"""Who imports whom, read from the sources: lazy imports and those for type checkers count like all others."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = {"crq": "crq", "export": "crq.export", "hw": "crq.hw"}
"""The name of what lies in each folder: crq/export and crq/hw are links."""


class Import(NamedTuple):
    """`importer` imports `imported`, both modules of the product; lazy: inside a function."""

    importer: str
    imported: str
    lazy: bool


@cache
def modules() -> dict[str, Path]:
    """Every module of the product by name; a package is its `__init__`."""
    found = {}
    for folder, package in PACKAGES.items():
        for path in _python_files(ROOT / folder):
            name = ".".join((package, *path.relative_to(ROOT / folder).with_suffix("").parts))
            found[name.removesuffix(".__init__")] = path
    return found


def _python_files(folder: Path) -> list[Path]:
    """Those in it and below, but for what lies behind links, and the texts that `crq new` writes."""
    found = [Path(above, name) for above, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.suffix == ".py" and "starters" not in path.parts)


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for name, path in modules().items() for found in _imports(name, ast.parse(path.read_text())))


def _imports(name: str, tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [full if full in modules() else node.module for full in names]
        else:
            continue
        for imported in names:
            if imported in modules() and imported != name:
                yield Import(name, imported, lazy=node.col_offset > 0)


def box(module: str) -> str:
    """The box of the picture that a module lies in: crq.export, or a package or module directly below crq or crq.hw."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[:2] == ["crq", "hw"] else 2])


def floors(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each node: one above the highest it stands on. Raises ValueError naming a circle."""
    found: dict[str, int] = {}

    def floor(node: str, path: tuple[str, ...]) -> int:
        if node in path:
            raise ValueError(" → ".join((*path[path.index(node) :], node)))
        if node not in found:
            found[node] = 1 + max((floor(below, (*path, node)) for below in graph.get(node, ())), default=-1)
        return found[node]

    for node in graph:
        floor(node, ())
    return found


def graph_of(pairs: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {}
    for upper, lower in pairs:
        result.setdefault(upper, set()).add(lower)
        result.setdefault(lower, set())
    return result
