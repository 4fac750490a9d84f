"""Speed and captured energy of the solvers of Eq. 3, on one thread.

python benchmarks/solvers.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from crq import cluster

SHAPES = {
    "conv 64×64×3×3": (64, 64, 3, 3),
    "conv 512×512×3×3": (512, 512, 3, 3),
    "AlexNet fc6 9216×4096": (4096, 9216),
}
SOLVERS: dict[str, Callable[[torch.Tensor], cluster.Clusters]] = {
    "alternation (Algorithm 1)": cluster.alternate,
    "exact (sort)": cluster.exact,
    "histogram": cluster.histogram,
}


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median wall time of `call` after one run to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def main() -> None:
    torch.set_num_threads(1)
    print("| weights | solver | ms | energy below the optimum (relative) |\n| --- | --- | --- | --- |")
    for name, shape in SHAPES.items():
        weight = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        magnitude = weight.abs().double()
        best = None
        for solver in ("exact (sort)", "histogram", "alternation (Algorithm 1)"):
            found = SOLVERS[solver](weight)
            kept = magnitude[found.codes != 0]
            energy = float(kept.sum()) ** 2 / kept.numel()
            best = energy if best is None else best
            repeats = 3 if weight.numel() > 10**7 else 7
            elapsed = milliseconds(lambda solver=solver, weight=weight: SOLVERS[solver](weight), repeats)
            print(f"| {name} | {solver} | {elapsed:.1f} | {max(1 - energy / best, 0.0):.1e} |", flush=True)


if __name__ == "__main__":
    main()
