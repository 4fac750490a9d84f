"""Damaged network files by the thousand, and what the reader makes of each: python benchmarks/fuzz.py --files 30000

Small right files, made by hand and by `export`, are damaged at random, from a seed (tests/support/mutations.py).
Each gives a network or a refusal that names the file, the place in it and the remedy; the table counts what is neither,
by the line that raised it. One row per run goes to fuzz.csv beside this file.
"""

from __future__ import annotations

import collections
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import append
from tests.support.mutations import mutate
from tests.support.outcomes import CLASSES, READ, REFUSED, Outcome, outcome
from tests.support.right_files import originals

TABLE = Path(__file__).with_suffix(".csv")
HEADER = ("date", "commit", "seed", "files", *CLASSES, "seconds")
MEMORY = 8 << 30
"""Address space of the process: a blow-up is an uncaught MemoryError."""


def damaged(seed: int, index: int) -> bytes:
    """File `index` of a seed: the same whatever else is run."""
    rng = np.random.default_rng([seed, index])
    files = originals()
    return mutate(files[int(rng.integers(len(files)))], rng)


@click.command()
@click.option("--files", default=3000, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--first", default=0, show_default=True, help="Index of the first file: --first 17 --files 1 is one alone."
)
@click.option("--table", type=click.Path(path_type=Path), default=TABLE, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for the files that are neither read nor refused.")
@click.option("--examples", default=1, show_default=True, help="Messages shown per site.")
def main(files: int, seed: int, first: int, table: Path, keep: Path | None, examples: int) -> None:
    """Prints the counts by class and site."""
    warnings.simplefilter("ignore")
    originals()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    found: dict[tuple[str, str], list[tuple[int, Outcome]]] = collections.defaultdict(list)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        for index in range(first, first + files):
            data = damaged(seed, index)
            result = outcome(data, Path(folder) / "damaged.onnx")
            found[result.kind, result.site].append((index, result))
            if keep is not None and result.kind not in (READ, REFUSED):
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed}-{index}.onnx").write_bytes(data)
    seconds = time.perf_counter() - start
    counts = {kind: sum(len(v) for (k, _), v in found.items() if k == kind) for kind in CLASSES}
    for kind, count in counts.items():
        click.echo(f"{kind:20} {count:7,}")
    for (kind, site), results in sorted(found.items(), key=lambda item: -len(item[1])):
        if site:
            click.echo(f"{len(results):6} {kind:18} {site}")
            for index, result in results[:examples]:
                click.echo(f"         {index}: {result.message[:300]}")
    append(table, HEADER, seed, files, *counts.values(), round(seconds, 1))


if __name__ == "__main__":
    main()
