"""What the options of a build ask of the folding search."""

from __future__ import annotations

from crq.options import BuildOptions
from hw.dataflow.units import PARALLEL, Fold
from hw.fold.search import Target


def target_of(options: BuildOptions) -> Target:
    """What the search aims at."""
    return Target(options.target_fps, options.target_latency, options.best_fit)


def folds_of(options: BuildOptions) -> dict[str, Fold]:
    """The foldings that are given, by layer: (PE, SIMD), or (PE, SIMD, form)."""
    return {name: _fold(*values) for name, values in options.folding.items()}


def _fold(pe: int, simd: int, form: str = PARALLEL) -> Fold:
    return Fold(pe, simd, form=form)
