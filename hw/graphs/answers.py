"""What the search finds, kept between runs: the same question is searched once per machine."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.files import write_arrays
from crq.hw.compiler import cache_folder
from crq.hw.graphs import kernel

KEPT_WEIGHTS = 200  # non-zero weights of a search that is worth a file: some 10 ms


class Question(NamedTuple):
    """The arguments of `kernel.search`."""

    matrix: NDArray[np.int8]
    ranges: list[tuple[int, int]]
    operands: int
    levels: int
    seed: int
    moves: int
    seconds: float

    @property
    def file(self) -> Path | None:
        """Where its answer is kept; None for what is found at once, or depends on time."""
        if self.seconds or np.count_nonzero(self.matrix) < KEPT_WEIGHTS:
            return None
        digest = hashlib.sha256(repr((kernel.version(), self.matrix.shape, self[1:])).encode())
        digest.update(self.matrix.tobytes())
        return cache_folder("graphs") / f"{digest.hexdigest()[:24]}.npz"


def answers(asked: Question) -> Iterator[kernel.Found]:
    """What was kept, if it can be read; then, if that was not the answer, what is searched now, which is kept."""
    file = asked.file
    if file is not None and file.is_file():
        with (
            suppress(OSError, ValueError, LookupError, zipfile.BadZipFile),
            np.load(file, allow_pickle=False) as stored,
        ):
            yield kernel.Found(stored["adders"], stored["outputs"])
    found = kernel.search(*asked[:2], **{name: getattr(asked, name) for name in asked._fields[2:]})
    if file is not None:
        with suppress(OSError):  # a full or read-only disk costs the next run its time, no more
            write_arrays(file, found._asdict())
    yield found
