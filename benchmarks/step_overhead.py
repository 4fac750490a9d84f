"""What each method adds to a training step, against the same step of the float network; batch 128, one thread.

    python -m benchmarks.step_overhead [network ...] [--steps N]

Each run adds a row per network to step_overhead.csv.

Each figure is the median of processor time over steps that the variants take in turn. `penalty alone` is the time
inside the penalty (solver and λ·J's gradient); `penalty` the whole retrain step, a difference of two large figures and
so a noisy one; `quantized` the fine-tuning step with float activations.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import crq
from benchmarks.history import append
from crq import models
from crq.quant.penalties import ClusterPenalty

TABLE = Path(__file__).with_suffix(".csv")
SHAPES = {"lenet": (1, 28, 28), "convnet": (1, 28, 28)}
BATCH = 128
BLOCK = 4


def step(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, penalty: ClusterPenalty | None, inside: list[float]
) -> Callable[[], None]:
    """One optimizer step as a callable, which adds the time spent in the penalty to `inside`."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)

    def run() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        if penalty is not None:
            start = time.process_time()
            penalty.add_gradients()
            inside.append(time.process_time() - start)
        optimizer.step()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["lenet", "convnet", "resnet20"])
    parser.add_argument("--steps", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = ["penalty alone", "the same, warm start", *NAMES]
    print("| network | float step, ms | " + " | ".join(names) + " |\n" + "| --- " * (2 + len(names)) + "|")
    for name in options.networks:
        torch.manual_seed(0)
        x = torch.rand(BATCH, *SHAPES.get(name, (3, 32, 32)))
        y = torch.randint(0, 10, (BATCH,))
        base = models.build(name)
        prepared = {n: crq.prepare(base, crq.TernaryConfig(act_bits=None, method=m)) for n, (m, _) in VARIANTS.items()}
        calls, inside = {}, {variant: [] for variant in VARIANTS}
        for variant, (_, quantized) in VARIANTS.items():
            model = prepared[variant].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            crq.set_mode(model, "quantized" if quantized else "float")
            penalty = None
            if "penalty" in variant:
                penalty = ClusterPenalty(model, warm="warm" in variant)
            calls[variant] = step(model, x, y, penalty, inside[variant])
        times: dict[str, list[float]] = {variant: [] for variant in calls}
        spent = {variant: [] for variant in calls}
        # Turn about, a few steps each, so that other load falls on all alike and caches are as in training.
        for _ in range(-(-options.steps // BLOCK)):
            for variant, call in calls.items():
                for index in range(BLOCK + 1):
                    inside[variant].clear()
                    start = time.process_time()
                    call()
                    if index:  # the first step finds another network in the caches
                        times[variant].append(time.process_time() - start)
                        spent[variant] += inside[variant]
        medians = {variant: statistics.median(values) * 1e3 for variant, values in times.items()}
        plain = medians.pop("float")
        alone = [f"{statistics.median(spent[v]) * 1e3 / plain:.1%}" for v in ("penalty", "penalty, warm start")]
        shares = [*alone, *(f"{value / plain - 1:+.1%}" for value in medians.values())]
        append(TABLE, ("date", "commit", "network", "float step, ms", *names), name, f"{plain:.1f}", *shares)
        cells = " | ".join(shares)
        print(f"| {name} | {plain:.1f} | {cells} |", flush=True)


VARIANTS = {
    "float": ("crq", False),
    "penalty": ("crq", False),
    "penalty, warm start": ("crq", False),
    "crq quantized": ("crq", True),
    "crq+ quantized": ("crq+", True),
    "crq+ quantized with penalty": ("crq+", True),
    "twn quantized": ("twn", True),
    "ttq quantized": ("ttq", True),
    "ste quantized": ("ste", True),
}
NAMES = [name for name in VARIANTS if name != "float"]


if __name__ == "__main__":
    main()
