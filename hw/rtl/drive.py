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
from crq.hw.ir.ports import numbered

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
    """A compiled simulation; `folder` has its memory images. `words` of
    `out_bytes` per result of each stream out, and `probes`: bytes and beats per image of each. patience: cycles
    without a result that end it."""

    path: Path
    folder: Path
    words: tuple[int, ...]
    out_bytes: tuple[int, ...]
    patience: int
    probes: tuple[tuple[int, int], ...] = ()


class Received(NamedTuple):
    """Of one stream out: words (N, words, bytes) of N images, the cycle of each (N, words) and whether it had TLAST."""

    words: NDArray[np.uint8]
    cycles: NDArray[np.int64]
    last: NDArray[np.bool_]


class Run(NamedTuple):
    """What came of each stream out; what each probe saw (N, beats, bytes); all cycles, and the longest pause that every
    stream in, and every stream out, has had, in the longest of several processes."""

    streams: tuple[Received, ...]
    probes: list[NDArray[np.uint8]]
    total: int = 0
    longest: tuple[int, int] = (0, 0)


def run_all(
    program: Program, data: Sequence[NDArray[np.uint8]], stimulus: Stimulus = PLAIN,
    done: Callable[[], object] = lambda: None, traced: bool = False,
) -> Run:  # fmt: skip
    """Sends `data`, of each stream in (N, words, bytes), split among the processors; calls `done` after each image.
    Raises `VerificationError` if no more results come."""
    images = len(data[0])
    results = sum(words * (size + 8) for words, size in zip(program.words, program.out_bytes, strict=True))
    held = results + (sum(b * n for b, n in program.probes) if traced else 0)
    parts = max(processors(), -(-images * held // BATCH_BYTES))
    chosen = [some for some in np.array_split(np.arange(images), min(parts, max(1, images))) if len(some)]
    pieces = [[part[some[0] : some[-1] + 1] for part in data] for some in chosen]
    with ThreadPoolExecutor(processors()) as pool:
        runs = list(pool.map(lambda piece: run(program, piece, stimulus, done, traced), pieces))
    if not runs:
        empty = [np.zeros((0, n, b), np.uint8) for b, n in program.probes]
        return Run(tuple(_nothing(*each) for each in zip(program.words, program.out_bytes, strict=True)),
                   empty if traced else [])  # fmt: skip
    streams = [
        Received(*(np.concatenate(each) for each in zip(*of_runs, strict=True)))
        for of_runs in zip(*(r.streams for r in runs), strict=True)
    ]
    probes = [np.concatenate(each) for each in zip(*(r.probes for r in runs), strict=True)]
    longest = max(r.longest[0] for r in runs), max(r.longest[1] for r in runs)
    return Run(tuple(streams), probes, max(r.total for r in runs), longest)


def _nothing(words: int, size: int) -> Received:
    none = np.zeros((0, words))
    return Received(np.zeros((0, words, size), np.uint8), none.astype(np.int64), none.astype(bool))


def run(
    program: Program, data: Sequence[NDArray[np.uint8]], stimulus: Stimulus = PLAIN,
    done: Callable[[], object] = lambda: None, traced: bool = False,
) -> Run:  # fmt: skip
    """The same in one process: images one behind the other."""
    images = len(data[0])
    with tempfile.TemporaryDirectory(prefix="crq-run-") as name:
        folder = Path(name)
        for port, part in enumerate(data):
            (folder / numbered("in", port)).write_bytes(np.ascontiguousarray(part).tobytes())
        arguments = [
            folder, int(traced), images, stimulus.state, stimulus.pauses, stimulus.longest,
            program.patience + 8 * stimulus.longest, stimulus.which, *program.words, *stimulus.resets,
        ]  # fmt: skip
        total, source, sink = _wait([str(program.path.resolve()), *map(str, arguments)], program.folder, done)
        streams = []
        for port, (words, size) in enumerate(zip(program.words, program.out_bytes, strict=True)):
            file = folder / numbered("out", port)
            values = np.fromfile(file, np.uint8).reshape(images, words, size)
            cycles = np.fromfile(f"{file}_cycles", np.int64).reshape(images, words)
            streams.append(Received(values, cycles >> 1, (cycles & 1).astype(bool)))
        seen = np.fromfile(folder / "trace", np.uint8) if traced else np.zeros(0, np.uint8)
    probes: list[NDArray[np.uint8]] = []
    for size, beats in program.probes if traced else ():
        own, seen = np.split(seen, [images * size * beats])
        probes.append(own.reshape(images, beats, size))
    return Run(tuple(streams), probes, total, (source, sink))


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
