"""Steps: kept by content, told with their last words when they fail, ended when nobody waits."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from crq.errors import ToolError
from crq.hw.rtl.bitstream.steps import Stopped, run_step

COPY = "import sys; open('out', 'w').write(open('in').read() + sys.argv[1]); print('copied')"


def copy(cache: Path, text: str, more: str = "!", **given):
    return run_step("copy", [sys.executable, "-c", COPY, more], {"in": text}, ("out",), cache, **given)


def test_a_result_is_kept_by_its_content(tmp_path: Path) -> None:
    lines: list[str] = []
    first = copy(tmp_path, "a", on_line=lines.append)
    assert (first.folder / "out").read_text() == "a!"
    assert lines == ["copied"]
    assert first.memory_mb > 1
    assert not first.cached
    assert copy(tmp_path, "a") == first.__class__("copy", first.folder, first.seconds, first.memory_mb, True)
    assert not copy(tmp_path, "b").cached
    assert not copy(tmp_path, "a", "?").cached


def test_memory_is_the_steps_own_and_not_that_of_who_starts_it(tmp_path: Path) -> None:
    """Whether this process holds a gigabyte or not."""
    ballast = bytearray(1 << 30)
    small = copy(tmp_path, "small")
    del ballast
    large = run_step(
        "large", [sys.executable, "-c", "import time; a = bytearray(1 << 28); time.sleep(0.5); open('out', 'w')"], {},
        ("out",), tmp_path,
    )  # fmt: skip
    assert small.memory_mb < 200 < 256 <= large.memory_mb < 400


def test_a_failure_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="(?s)copy failed:.*No such file"):
        run_step("copy", [sys.executable, "-c", COPY, "!"], {}, ("out",), tmp_path)
    with pytest.raises(ToolError, match=r"copy failed \(no other\):\ncopied"):
        run_step("copy", [sys.executable, "-c", COPY, "!"], {"in": ""}, ("other",), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    stop, started = threading.Event(), time.monotonic()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        run_step("sleep", [sys.executable, "-c", "import time; time.sleep(60)"], {}, (), tmp_path, stop=stop)
    assert time.monotonic() - started < 20
    assert list(tmp_path.iterdir()) == []
