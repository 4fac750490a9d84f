"""Is the file the frozen model, bit for bit? (links 3 and 4 of the chain of equality, design §2.11)"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from torch import Tensor

from crq.convert.frozen import FrozenModel
from crq.convert.preprocessing import undo
from crq.export.errors import ExportError, FileMismatch
from crq.export.runtime import FloatArray, run_onnxruntime, run_qonnx
from crq.progress import counted


class CheckResult(NamedTuple):
    """Logits compared in one runtime, and how many differ in any bit."""

    runtime: str
    images: int
    values: int
    different: int
    claimed: bool
    """Whether equality is claimed: onnxruntime's default optimizations may round differently (`check_file`)."""
    refusal: str = ""
    """What the runtime says where it fails; the counts are of what came before."""


BATCH = 200
"""Images at once: in ResNet-20 the unfolded windows of 10,000 of CIFAR-10 take more memory than most machines have."""
SLOW, FEW = "qonnx", 1000
"""It runs node by node in Python, ResNet-20 in 0.1 s per image: it gets the first `FEW` images only."""
UNCLAIMED = "onnxruntime (default)"
RUNTIMES: dict[str, Callable[[onnx.ModelProto, FloatArray], FloatArray]] = {
    "onnxruntime (optimizations off)": run_onnxruntime,
    UNCLAIMED: lambda model, x: run_onnxruntime(model, x, "default"),
    SLOW: run_qonnx,
}


def check_file(model: FrozenModel, path: str | Path, x: Tensor, progress: bool = False) -> list[CheckResult]:
    """Run the file on `x` (codes or on-grid floats) in every runtime and compare its logits with `model(x)`.

    qonnx, which is slow, gets the first `FEW` of them. `progress` shows a bar.

    Raises `FileMismatch` if the file was exported from another frozen model, `ExportError` if a runtime does not run
    it. The default optimization level of onnxruntime may fail, or fuse α into a convolution and round differently; it
    is reported, and is no part of the claim.
    """
    proto = onnx.load(path)
    stored = {p.key: p.value for p in proto.metadata_props}.get("crq.frozen_hash")
    if stored != model.content_hash:
        raise FileMismatch(f"{path}: exported from frozen model {stored}, not from this one ({model.content_hash})")
    found = {name: CheckResult(name, 0, 0, 0, name != UNCLAIMED) for name in RUNTIMES}
    batches = ((len(part), part) for part in x.split(BATCH))
    for part in counted(batches, "file in runtimes", len(x), progress):
        expected = model(part).numpy()
        codes = model.codes(part).to(torch.float64) * model.input.scale
        values = undo(model.input.preprocessing, codes).to(torch.float32).numpy()
        for name, run in RUNTIMES.items():
            if name == SLOW and found[name].images >= FEW:
                continue
            before = found[name]
            if before.refusal:
                continue
            try:
                given = run(proto, values)
            except MemoryError:
                raise
            except Exception as error:  # of the runtimes' own kinds
                refusal = " ".join(str(error).split())[:200]
                if before.claimed:
                    raise ExportError(f"{path}: {name} does not run the file: {refusal}") from error
                found[name] = before._replace(refusal=refusal)
                continue
            wrong = int(np.count_nonzero(given != expected))
            found[name] = before._replace(
                images=before.images + len(part), values=before.values + expected.size,
                different=before.different + wrong,
            )  # fmt: skip
    return list(found.values())
