"""Other tools, each in an environment of its own: a script there writes Verilog and facts, which are read here."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.area.case import Case
from benchmarks.area.circuit import Circuit, kept
from crq.errors import ToolError
from crq.hw.ir.layers import Format
from crq.hw.rtl.verilog import Design

HERE = Path(__file__).parent


class Peer(NamedTuple):
    """A tool: its packages, the script that runs it, and the name of each form that the script writes."""

    name: str
    packages: tuple[str, ...]
    script: str
    forms: dict[str, str]


PEERS = (
    Peer(
        "da4ml",
        ("da4ml==0.5.2", "numba==0.68.1", "llvmlite==0.50.0", "numpy==2.4.6", "quantizers==1.2.2"),
        "da4ml_script.py",
        {"traced": "da4ml", "stages": "da4ml, untraced"},
    ),
    Peer(
        "alkaid",
        ("alkaid==0.8.2", "numpy==2.4.6", "quantizers==1.2.2"),
        "alkaid_script.py",
        {"two": "alkaid, 2-input adders", "three": "alkaid, 3-input adders"},
    ),
)


def default_folder() -> Path:
    """$XDG_CACHE_HOME/crq/peers."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crq" / "peers"


def interpreter(peer: Peer, folder: Path) -> Path:
    """Python with the packages of a peer, which are installed once."""
    home = folder / f"{peer.name}-{hashlib.sha256(' '.join(peer.packages).encode()).hexdigest()[:8]}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        commands = [[sys.executable, "-m", "venv", "--clear", str(home)]]
        commands.append([str(python), "-m", "pip", "install", "--quiet", *peer.packages])
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ToolError(f"no environment for {peer.name}:\n{(done.stdout + done.stderr)[-1500:]}")
        (home / "complete").touch()
    return python


def circuits(peer: Peer, case: Case, folder: Path, seconds: float) -> Iterator[Circuit]:
    """What a peer makes of a matrix; results are kept. Raises `ToolError` after `seconds`, or if the script fails."""
    script = HERE / peer.script
    content = (script.read_text(), peer.packages, case.matrix.shape, case.matrix.tolist(), case.lo, case.hi)
    results = folder / "results" / hashlib.sha256(repr(content).encode()).hexdigest()[:24]
    if not results.exists():
        _run(peer, case, results, folder, seconds)
    for form, name in peer.forms.items():
        yield _circuit(name, results / form)


def _run(peer: Peer, case: Case, results: Path, folder: Path, seconds: float) -> None:
    python = interpreter(peer, folder)
    results.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=results.parent) as name:
        np.save(Path(name) / "matrix.npy", case.matrix)
        arguments = [f"{name}/matrix.npy", str(case.lo), str(case.hi), f"{name}/out"]
        # Not what our own process is told of its packages.
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        try:
            done = subprocess.run(
                [str(python), str(HERE / peer.script), *arguments],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise ToolError(f"{peer.name} was stopped after {seconds:g} s") from None
        if done.returncode:
            raise ToolError(f"{peer.name} failed:\n{(done.stdout + done.stderr)[-1500:]}")
        os.rename(f"{name}/out", results)


def _circuit(name: str, folder: Path) -> Circuit:
    facts = json.loads((folder / "facts.json").read_text())
    sources = {}
    for file in sorted(folder.glob("*.v")):
        # Only the wires between adders: those inside an adder are Yosys's to optimise.
        sources[file.name] = kept(file.read_text()) if file.name.endswith(".graph.v") else file.read_text()
    return Circuit(
        name, Design(facts["top"], sources), tuple(facts["inputs"]), tuple(Format(*f) for f in facts["outputs"]),
        facts["adders"], facts["depth"], facts["note"], facts["cpu_s"], facts["wall_s"],
    )  # fmt: skip
