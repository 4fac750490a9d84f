"""All proofs of a project."""

from __future__ import annotations

from hw.hls.built import Built
from hw.verify.proofs import accumulator, fifo, lint, multiplier, mutation, thresholds
from hw.verify.proofs.proof import Proof


def run_proofs(built: Built) -> list[Proof]:
    """Multiplier-free by compilation, source rules, accumulators, thresholds, FIFO depths, mutations."""
    return [
        multiplier.check(built.directory, built.name, built.plan),
        lint.check(built.directory),
        accumulator.check(built.directory, built.plan),
        thresholds.check(built.directory, built.plan),
        fifo.check(built.directory, built.plan),
        mutation.check(built),
    ]
