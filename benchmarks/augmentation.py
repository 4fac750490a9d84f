"""What making a batch costs against training on it: 128 images, one thread, processor time, medians.

python -m benchmarks.augmentation
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

import crq
from benchmarks.step_overhead import BATCH, SHAPES, step
from crq import models
from crq.train.images import ImageData
from crq.train.loader import BatchLoader


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median processor time of `call` after one run to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times) * 1e3


def main() -> None:
    torch.set_num_threads(1)
    print(
        "| network | float step, ms | batch, ms | crop-flip, ms | of the step | resized-flip-cutout, ms | of the step |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in ("lenet", "convnet", "resnet20"):
        shape = SHAPES.get(name, (3, 32, 32))
        model = crq.prepare(models.build(name), crq.TernaryConfig(act_bits=None))
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        crq.set_mode(model, "float")
        train = step(model, torch.rand(BATCH, *shape), torch.randint(0, 10, (BATCH,)), None, [])
        whole = milliseconds(train, 5 if name == "resnet20" else 15)
        images = torch.randint(0, 256, (BATCH * 50, *shape), dtype=torch.uint8)
        data = ImageData(images, torch.zeros(len(images), dtype=torch.int64), ("0",), name)
        made = []
        for augment in ("none", "crop-flip", "resized-flip-cutout"):
            batches = iter(BatchLoader(data, BATCH, shuffle=True, augment=augment))
            made.append(milliseconds(lambda batches=batches: next(batches), 40))
        changed = " | ".join(f"{one:.2f} | {one / whole:.1%}" for one in made[1:])
        print(f"| {name} | {whole:.1f} | {made[0]:.2f} | {changed} |", flush=True)


if __name__ == "__main__":
    main()
