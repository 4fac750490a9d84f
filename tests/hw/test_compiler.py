"""The compiler of the machine, and where what it makes is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.errors import ToolError
from crq.hw.compiler import cache_folder, compiler, machine


def test_a_missing_compiler_is_told_with_its_installation(monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolError, match="no-such-compiler is not installed.*apt-get install g\\+\\+"):
        compiler()


def test_a_processor_is_told_from_another() -> None:
    assert "flags" in machine("g++") or not Path("/proc/cpuinfo").exists()


def test_the_cache_is_where_the_user_has_it(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("graphs") == tmp_path / "crq" / "graphs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("graphs") == Path.home() / ".cache" / "crq" / "graphs"
