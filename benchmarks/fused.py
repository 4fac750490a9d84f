"""What bfloat16 and torch.compile save of a training step: `precision` and `fused` of a recipe; batch 128, one thread.

    python -m benchmarks.fused [network ...] [--steps N]

Milliseconds of processor time, the median of steps of the float network and of the quantized one (method ste, 4-bit
activations), and the quantized step's share of that in float32 without torch.compile; build: seconds that the quantized
network's first step takes. Each run adds a row per variant to fused.csv. bfloat16 pays on processors with units for it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import torch
from torch import nn

import crq
from benchmarks.history import append
from benchmarks.step_overhead import BATCH, SHAPES
from crq import models
from crq.train.compiled import compiled

TABLE = Path(__file__).with_suffix(".csv")
HEADER = (
    "date", "commit", "network", "precision", "fused", "float step, ms", "quantized step, ms", "share", "build, s",
)  # fmt: skip


def milliseconds(
    network: nn.Module, x: torch.Tensor, y: torch.Tensor, bfloat16: bool, fused: bool, steps: int
) -> tuple[float, float]:
    """Of a forward and a backward pass, after two that warm up or build; and the seconds of the first."""
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = compiled(network) if fused else network
    times, began, first = [], time.perf_counter(), 0.0
    for _ in range(steps + 2):
        network.zero_grad()
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            outputs = run(x)
        nn.functional.cross_entropy(outputs.float(), y).backward()
        times.append(time.process_time() - start)
        first = first or time.perf_counter() - began
    return statistics.median(times[2:]) * 1e3, first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["lenet", "convnet", "resnet20"])
    parser.add_argument("--steps", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # what an earlier run built would hide the time
    print("| " + " | ".join(HEADER[2:]) + " |\n" + "| --- " * 7 + "|")
    for name in options.networks:
        torch.manual_seed(0)
        x = (torch.randint(0, 256, (BATCH, *SHAPES.get(name, (3, 32, 32)))) / 256).contiguous(
            memory_format=torch.channels_last
        )
        y = torch.randint(0, 10, (BATCH,))
        base = models.build(name)
        quantized = crq.prepare(base, crq.TernaryConfig(act_bits=4, method="ste"))
        crq.quantize(quantized, [x], batches=None)
        slowest = None
        for bfloat16 in (False, True):
            for fused in (False, True):
                plain, _ = milliseconds(base, x, y, bfloat16, fused, options.steps)
                coded, build = milliseconds(quantized, x, y, bfloat16, fused, options.steps)
                slowest = slowest or coded
                cells = (name, "bf16-mixed" if bfloat16 else "32-true", "yes" if fused else "no")
                figures = (f"{plain:.1f}", f"{coded:.1f}", f"{coded / slowest:.0%}", f"{build:.1f}")
                append(TABLE, HEADER, *cells, *figures)
                print("| " + " | ".join((*cells, *figures)) + " |", flush=True)


if __name__ == "__main__":
    main()
