"""What the options of a build ask of the folding search."""

from __future__ import annotations

from crq.options import BuildOptions
from hw.fold.candidates import Wish
from hw.fold.search import Target


def target_of(options: BuildOptions) -> Target:
    """What the search aims at."""
    return Target(options.target_fps, options.target_latency, options.best_fit)


def wishes_of(options: BuildOptions) -> dict[str, Wish]:
    """The foldings that are given, by layer."""
    return {name: Wish(*values) for name, values in options.folding.items()}
