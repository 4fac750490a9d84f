"""Speed and captured energy of the solvers of Eq. 3, on one thread, against the exact optimum by sorting.

python benchmarks/solvers.py

Times are processor time: the median, and the least of all repetitions, which other load disturbs least.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from crq.quant import cluster

SHAPES = {
    "conv 64×64×3×3": (64, 64, 3, 3),
    "conv 512×512×3×3": (512, 512, 3, 3),
    "AlexNet fc6 9216×4096": (4096, 9216),
}
SOLVERS: dict[str, Callable[[torch.Tensor], cluster.Clusters]] = {
    "exact (sort)": cluster.exact,
    "histogram": cluster.histogram,
    "alternation (Algorithm 1)": cluster.alternate,
}


def milliseconds(call: Callable[[], object], repeats: int) -> list[float]:
    """Processor time of each of `repeats` calls, after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append((time.process_time() - start) * 1e3)
    return times


def main() -> None:
    torch.set_num_threads(1)
    print("| weights | solver | ms, median | least | against the sort | energy below the optimum (relative) |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, shape in SHAPES.items():
        weight = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        magnitude = weight.abs().double()
        best = reference = None
        for solver, solve in SOLVERS.items():
            found = solve(weight)
            kept = magnitude[found.codes != 0]
            energy = float(kept.sum()) ** 2 / kept.numel()
            times = milliseconds(partial(solve, weight), 5 if weight.numel() > 10**7 else 21)
            median = statistics.median(times)
            best, reference = best or energy, reference or median
            cells = [
                f"{median:.1f}",
                f"{min(times):.1f}",
                f"{median / reference:.3f}",
                f"{max(1 - energy / best, 0):.1e}",
            ]
            print(f"| {name} | {solver} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
