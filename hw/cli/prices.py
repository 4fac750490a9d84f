"""What the frozen network of a run costs as hardware, by the estimator."""

from __future__ import annotations

from pathlib import Path

PART = "xcvu13p"
"""The part that the fastest folding fills."""


def luts(folder: Path, fps: float) -> tuple[int, int]:
    """LUTs on UltraScale+ at the usual clock: folded for `fps`, and for the highest rate that fits a VU13P.

    folder: of a run; the file is exported into it. Raises `HwError` where the rate cannot be reached.
    """
    from crq.convert.frozen import FrozenModel
    from crq.export.qonnx import to_qonnx
    from crq.hw.cost.network import estimate
    from crq.hw.devices.boards import usual_clock
    from crq.hw.devices.catalog import find
    from crq.hw.fold.search import Target, decide
    from crq.hw.ir.graph import Network
    from crq.hw.read.origin import load_graph

    file = folder / "frozen.onnx"
    to_qonnx(FrozenModel.load(folder / "frozen.pt"), file)
    network, device = Network(load_graph(file)[0]), find(PART)
    found = []
    for target in (Target(fps=fps), Target(best_fit=True)):
        folds = decide(network, target, device=device, clock_period_ns=usual_clock(device)).folds
        found.append(round(estimate(network, folds, "xcup").total.lut))
    return found[0], found[1]
