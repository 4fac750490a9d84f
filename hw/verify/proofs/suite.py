"""All proofs of a project."""

from __future__ import annotations

from crq.hw.errors import HwError
from crq.hw.forms.built import Built
from crq.hw.hls import built as hls
from crq.hw.rtl import built as rtl
from crq.hw.verify.proofs import accumulator, fifo, lint, multiplier, mutation, thresholds
from crq.hw.verify.proofs.proof import Proof
from crq.hw.verify.proofs.rtl import disturbed, layers, source
from crq.hw.verify.proofs.rtl import mutation as faults


def run_proofs(built: Built) -> list[Proof]:
    """Those of the project's form. Raises `HwError` for a project of another one."""
    if isinstance(built, rtl.Built):
        return rtl_proofs(built)
    if isinstance(built, hls.Built):
        return hls_proofs(built)
    raise HwError(f"{built.directory}: no proofs for a project of {built.manifest.target}")


def hls_proofs(built: hls.Built) -> list[Proof]:
    """Multiplier-free by compilation, source rules, accumulators, thresholds, FIFO depths, mutations."""
    return [
        multiplier.check(built.directory, built.name, built.plan),
        lint.check(built.directory),
        accumulator.check(built.directory, built.plan),
        thresholds.check(built.directory, built.plan),
        fifo.check(built.directory, built.plan),
        mutation.check(built),
    ]


def rtl_proofs(built: rtl.Built) -> list[Proof]:
    """Lint, multiplier-free, cycles, back-pressure, resets, initial state, accumulators, thresholds, mutations."""
    return [
        source.lint(built),
        source.multiplier(built),
        disturbed.cycles(built),
        disturbed.pressure(built),
        disturbed.resets(built),
        disturbed.initial(built),
        layers.accumulators(built),
        layers.thresholds(built),
        faults.check(built),
    ]
