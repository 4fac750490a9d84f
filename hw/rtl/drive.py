"""Runs of a compiled simulation: images in several processes at once, results with the cycles in which they came."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.errors import VerificationError
from crq.hw.forms.built import processors

BATCH_BYTES = 1 << 26  # of results and traces that one process holds


class Stimulus(NamedTuple):
    """How a simulation is driven. state: seed of what registers begin with. pauses: seed of those of both sides, 0 for
    none; `longest`: of them, in cycles. resets: the cycles after which one comes, each behind the last; then the images
    are sent from the beginning. which: unit, if the design has several."""

    state: int = 1
    pauses: int = 0
    longest: int = 100
    resets: tuple[int, ...] = ()
    which: int = 0


PLAIN = Stimulus()
"""At full speed."""


class Program(NamedTuple):
    """A compiled simulation; `folder` has its memory images. `words` of `out_bytes` per result, and `probes`: bytes
    and beats per image of each. patience: cycles without a result that end it."""

    path: Path
    folder: Path
    words: int
    out_bytes: int
    patience: int
    probes: tuple[tuple[int, int], ...] = ()


class Run(NamedTuple):
    """Words (N, words, bytes) of N images, the cycle of each (N, words) and whether it had TLAST; what each probe saw
    (N, beats, bytes); all cycles, and the longest pause of either side, in the longest of several processes."""

    words: NDArray[np.uint8]
    cycles: NDArray[np.int64]
    last: NDArray[np.bool_]
    probes: list[NDArray[np.uint8]]
    total: int = 0
    longest: tuple[int, int] = (0, 0)


def run_all(
    program: Program, data: NDArray[np.uint8], stimulus: Stimulus = PLAIN,
    done: Callable[[], object] = lambda: None, traced: bool = False,
) -> Run:  # fmt: skip
    """Sends `data` (N, words, bytes), split among the processors; calls `done` after each image. Raises
    `VerificationError` if no more results come."""
    held = program.words * (program.out_bytes + 8) + (sum(b * n for b, n in program.probes) if traced else 0)
    parts = max(processors(), -(-len(data) * held // BATCH_BYTES))
    pieces = [piece for piece in np.array_split(data, min(parts, max(1, len(data)))) if len(piece)]
    with ThreadPoolExecutor(processors()) as pool:
        runs = list(pool.map(lambda piece: run(program, piece, stimulus, done, traced), pieces))
    if not runs:
        none = np.zeros((0, program.words))
        empty = [np.zeros((0, n, b), np.uint8) for b, n in program.probes]
        words = np.zeros((0, program.words, program.out_bytes), np.uint8)
        return Run(words, none.astype(np.int64), none.astype(bool), empty if traced else [])
    joined = [np.concatenate(each) for each in zip(*(r[:3] for r in runs), strict=True)]
    probes = [np.concatenate(each) for each in zip(*(r.probes for r in runs), strict=True)]
    longest = max(r.longest[0] for r in runs), max(r.longest[1] for r in runs)
    return Run(joined[0], joined[1], joined[2], probes, max(r.total for r in runs), longest)


def run(
    program: Program, data: NDArray[np.uint8], stimulus: Stimulus = PLAIN,
    done: Callable[[], object] = lambda: None, traced: bool = False,
) -> Run:  # fmt: skip
    """The same in one process: images one behind the other."""
    images = len(data)
    with tempfile.TemporaryDirectory(prefix="crq-run-") as name:
        folder = Path(name)
        (folder / "in").write_bytes(np.ascontiguousarray(data).tobytes())
        trace = str(folder / "trace") if traced else "-"
        arguments = [
            *(str(folder / file) for file in ("in", "out", "cycles")), trace, images, stimulus.state, stimulus.pauses,
            stimulus.longest, program.patience + 8 * stimulus.longest, stimulus.which, program.words, *stimulus.resets,
        ]  # fmt: skip
        total, source, sink = _wait([str(program.path.resolve()), *map(str, arguments)], program.folder, done)
        words = np.fromfile(folder / "out", np.uint8).reshape(images, program.words, program.out_bytes)
        cycles = np.fromfile(folder / "cycles", np.int64).reshape(images, program.words)
        seen = np.fromfile(folder / "trace", np.uint8) if traced else np.zeros(0, np.uint8)
    probes: list[NDArray[np.uint8]] = []
    for size, beats in program.probes if traced else ():
        own, seen = np.split(seen, [images * size * beats])
        probes.append(own.reshape(images, beats, size))
    return Run(words, cycles >> 1, (cycles & 1).astype(bool), probes, total, (source, sink))


def _wait(command: Sequence[str], folder: Path, done: Callable[[], object]) -> tuple[int, ...]:
    """Runs it; its cycles and pauses."""
    found: tuple[int, ...] = (0, 0, 0)
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("stats"):
                found = tuple(map(int, line.split()[1:]))
            else:
                done()
        message = process.stderr.read()
    if process.returncode:
        raise VerificationError(f"Verilog simulation: {message.strip() or f'exit code {process.returncode}'}")
    return found
