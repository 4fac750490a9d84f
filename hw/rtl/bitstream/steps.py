"""A step to a bitstream: a command in a folder of its own, its time and memory, its result kept by content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from crq.errors import ToolError
from crq.files import temporary_beside, write_json

FACTS, LOG = "facts.json", "log.txt"


@dataclass(frozen=True)
class Done:
    """A finished step: its folder with all that it wrote, seconds, peak memory in MB; cached: it ran earlier."""

    name: str
    folder: Path
    seconds: float
    memory_mb: float
    cached: bool = False

    def facts(self) -> dict[str, object]:
        return {**asdict(self), "folder": str(self.folder)}


class Stopped(Exception):
    """The step was ended because nobody needs its result any more."""


def key_of(*parts: object) -> str:
    """A name for what follows from `parts`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def run_step(
    name: str, command: list[str], inputs: Mapping[str, str | Path], outputs: tuple[str, ...], cache: Path,
    *key: object, stop: threading.Event | None = None, on_line: Callable[[str], None] = lambda line: None,
) -> Done:  # fmt: skip
    """Runs `command` in a new folder with the files `inputs` (text, or a path), unless that was done before.

    A result is known by the command, the `inputs` that are text, and `key`, which stands for those that are paths.
    `on_line` hears each line the command says. Raises `ToolError` with the last of them if it fails or leaves an output
    out, and `Stopped` after `stop`.
    """
    texts = {k: v for k, v in inputs.items() if isinstance(v, str)}
    folder = cache / key_of(name, command[1:], texts, key)
    if (folder / FACTS).is_file():
        facts = json.loads((folder / FACTS).read_text())
        return Done(name, folder, facts["seconds"], facts["memory_mb"], cached=True)
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    work = temporary_beside(folder)
    work.mkdir()
    try:
        for file, content in inputs.items():
            if isinstance(content, str):
                (work / file).write_text(content)
            else:
                os.link(content, work / file)
        seconds, memory, status, tail = _execute(command, work, stop, on_line)
        missing = [o for o in outputs if not (work / o).is_file()]
        if status or missing:
            raise ToolError(f"{name} failed{f' (no {missing[0]})' if not status else ''}:\n{tail}")
        write_json(work / FACTS, {"name": name, "seconds": round(seconds, 2), "memory_mb": round(memory, 1)})
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Done(name, folder, round(seconds, 2), round(memory, 1))


def _execute(
    command: list[str], work: Path, stop: threading.Event | None, on_line: Callable[[str], None]
) -> tuple[float, float, int, str]:
    """(seconds, peak MB, exit status, the last lines) of a command; its output goes to LOG."""
    started = time.monotonic()
    last: list[str] = []
    with subprocess.Popen(
        command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True,
    ) as process, (work / LOG).open("w") as log:  # fmt: skip
        peak = _Peak(process.pid)
        for watcher in (threading.Thread(target=_end_when_stopped, args=(process, stop), daemon=True), peak):
            watcher.start()
        try:
            assert process.stdout
            for line in process.stdout:
                log.write(line)
                last = [*last[-25:], line]
                on_line(line.rstrip())
        except BaseException:
            _kill(process)
            raise
        _, status = os.waitpid(process.pid, 0)
        peak.over.set()
        process.returncode = os.waitstatus_to_exitcode(status)
    if stop is not None and stop.is_set():
        raise Stopped
    return time.monotonic() - started, peak.megabytes, process.returncode, "".join(last)


class _Peak(threading.Thread):
    """The most memory that a process has had, looked at ten times a second, and oftener at first, for short ones.

    0 where there is no /proc. What the system says of a child that has ended counts the memory of the process that
    started it, which may be larger.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.status, self.over, self.megabytes = Path(f"/proc/{pid}/status"), threading.Event(), 0.0

    def run(self) -> None:
        pause = 0.004
        while True:
            try:
                lines = self.status.read_text().splitlines()
            except OSError:
                return
            found = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")]
            self.megabytes = max(self.megabytes, *found, 0.0)
            if self.over.wait(pause):
                return
            pause = min(2 * pause, 0.1)


def _end_when_stopped(process: subprocess.Popen[str], stop: threading.Event | None) -> None:
    while stop is not None and process.returncode is None:
        if stop.wait(0.2):
            _kill(process)
            return


def _kill(process: subprocess.Popen[str]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
