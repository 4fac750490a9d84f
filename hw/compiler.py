"""The C++ compiler of the machine: simulations and the solver of adder graphs are built with it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from crq.errors import ToolError


def compiler() -> str:
    """The C++ compiler: $CXX or g++. Raises `ToolError` with the command that installs it."""
    name = os.environ.get("CXX", "g++")
    if shutil.which(name) is None:
        raise ToolError(
            f"{name} is not installed: C simulation and the adders of unrolled layers need a C++ compiler. "
            "Install it: apt-get install g++"
        )
    return name


@lru_cache
def machine(command: str) -> str:
    """Compiler version and processor: -march=native code runs on processors of its kind only."""
    version = subprocess.run([command, "--version"], capture_output=True, text=True).stdout
    cpu = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        cpu += next((line for line in info.read_text().splitlines() if line.startswith("flags")), "")
    return version + cpu


def cache_folder(name: str) -> Path:
    """$XDG_CACHE_HOME/crq/NAME: what can be computed again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crq" / name
