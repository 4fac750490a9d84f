"""`crq doctor`: is this machine ready, and if not, what to do."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click


class Finding(NamedTuple):
    """One check: `found` describes what is there; `remedy` is what to do if not `ok`."""

    name: str
    ok: bool
    found: str
    remedy: str
    required: bool = True


LIBRARIES = (
    "torch",
    "numpy",
    "onnx",
    "onnxruntime",
    "qonnx",
    "hls4ml",
    "pytorch-lightning",
    "pydantic",
    "scikit-learn",
)
OPTIONAL_PROGRAMS = {
    "verilator": "apt-get install verilator (only to simulate RTL projects and netlists)",
    "vitis-run": "install AMD Vitis 2023.2 or later; 2022.2 and 2023.1 have vitis_hls instead "
    "(only to synthesize; estimates need no vendor tool)",
}


def examine() -> list[Finding]:
    """Every check, in the order in which a user should mend what fails."""
    findings = [_python(), *_libraries(), _compiler(), _plugin()]
    for program, remedy in OPTIONAL_PROGRAMS.items():
        path = shutil.which(program)
        findings.append(Finding(program, path is not None, path or "not found", remedy, required=False))
    return [*findings, *_open_tools()]


def _open_tools() -> Iterator[Finding]:
    """What `crq bitstream` needs, family by family."""
    from crq.errors import ToolError
    from crq.hw.rtl.bitstream.tools import EXTRA, TOOLS, versions

    for family in TOOLS:
        try:
            found = versions(family)
            ok, text = True, ", ".join(f"{package} {version}" for package, version in found.items())
        except ToolError:
            ok, text = False, "not installed"
        yield Finding(f"bitstreams, {family}", ok, text, f"{EXTRA} (only for crq bitstream)", required=False)


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", ok, platform.python_version(), "install Python 3.11, 3.12 or 3.13")


def _libraries() -> list[Finding]:
    """Installed versions against what the `crq` package itself requires."""
    from packaging.requirements import Requirement

    lines = importlib.metadata.requires("crq") or []
    required = {r.name: r for r in map(Requirement, lines) if r.marker is None}
    findings = []
    for name in LIBRARIES:
        wanted = required[name]
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            findings.append(Finding(name, False, "not installed", f'pip install "{wanted}"'))
            continue
        ok = wanted.specifier.contains(version, prereleases=True)
        findings.append(Finding(name, ok, version, f'pip install "{wanted}"'))
    return findings


def _compiler() -> Finding:
    """A real compilation by $CXX or g++: a compiler without its headers is none."""
    name = os.environ.get("CXX", "g++")
    remedy = "apt-get install g++" + ("" if name == "g++" else ", and unset CXX, or set it to a compiler that is there")
    compiler = shutil.which(name)
    if compiler is None:
        return Finding(name, False, "not found" + ("" if name == "g++" else " (named by $CXX)"), remedy)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.cpp"
        source.write_text(
            "#include <cstdint>\n#include <vector>\nint main() { return std::vector<int8_t>().size(); }\n"
        )
        done = subprocess.run(
            [compiler, "-std=c++14", "-o", str(source.with_suffix("")), str(source)], capture_output=True, text=True
        )
    if done.returncode:
        return Finding(name, False, f"{compiler} cannot compile C++14: {done.stderr.strip()[:200]}", remedy)
    version = subprocess.run(
        [compiler, "-dumpfullversion", "-dumpversion"], capture_output=True, text=True
    ).stdout.strip()
    return Finding(name, True, version, remedy)


def _plugin() -> Finding:
    """The backend as hls4ml sees it."""
    remedy = "reinstall crq (pip install .); hls4ml finds the backend through the entry point group hls4ml.backends"
    try:
        from hls4ml.backends import get_available_backends

        ok = "crq" in get_available_backends()
    except Exception as error:  # whatever breaks the import of hls4ml is what the user must hear
        return Finding("hls4ml backend 'crq'", False, f"{type(error).__name__}: {error}", remedy)
    return Finding("hls4ml backend 'crq'", ok, "registered" if ok else "not registered", remedy)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Check this machine: Python, libraries, compiler, hls4ml plugin. Exit code 3 if something required is missing."""
    findings = examine()
    failed = [f for f in findings if f.required and not f.ok]
    if as_json:
        click.echo(json.dumps([f._asdict() for f in findings], indent=2))
    else:
        width = max(len(f.name) for f in findings)
        for f in findings:
            mark = (
                click.style("ok  ", fg="green") if f.ok else click.style("MISS", fg="red" if f.required else "yellow")
            )
            click.echo(
                f"{mark}  {f.name:<{width}}  {f.found}" + ("" if f.ok else f"\n      {'':<{width}}  → {f.remedy}")
            )
        click.echo("Ready." if not failed else f"{len(failed)} required item(s) missing.")
    if failed:
        sys.exit(3)
