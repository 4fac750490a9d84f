"""What the frozen network of a run costs as hardware, by the estimator."""

from __future__ import annotations

from pathlib import Path

PART = "xcvu13p"
"""The part that the fastest folding fills, where a recipe names none."""


def luts(folder: Path, fps: float, part: str = PART, clock_period: float = 5.0) -> tuple[int, int]:
    """LUTs on `part` with a clock of so many ns: folded for `fps`, and for the highest rate that fits it.

    folder: of a run; the file is exported into it. Raises `HwError` where the rate cannot be reached.
    """
    from crq.convert.frozen import FrozenModel
    from crq.export.qonnx import to_qonnx
    from crq.hw.cost.network import estimate
    from crq.hw.devices.catalog import find
    from crq.hw.fold.search import Target, decide
    from crq.hw.ir.graph import Network
    from crq.hw.read.origin import load_graph

    file = folder / "frozen.onnx"
    to_qonnx(FrozenModel.load(folder / "frozen.pt"), file)
    network, device = Network(load_graph(file)[0]), find(part)
    found = []
    for target in (Target(fps=fps), Target(best_fit=True)):
        folds = decide(network, target, device=device, clock_period_ns=clock_period).folds
        found.append(round(estimate(network, folds, device.priced).total.lut))
    return found[0], found[1]
