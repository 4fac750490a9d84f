"""The course of a rate over a phase: learning rates, and λ."""

from __future__ import annotations

import math

from crq.train.sections import Penalized, Phase

FIRST = 1 / 25
"""Share of its highest rate that one-cycle starts with (Smith & Topin 2018 as torch's OneCycleLR has it)."""


def rate(phase: Phase, share: float) -> float:
    """The learning rate after `share` (0 … 1) of `phase`, as a share of its lr.

    `warmup` is the share of the phase in which the rate rises: in a line from 0, or for one-cycle in half a cosine
    from lr/25. The schedule takes what is left.
    """
    share = min(share, 1.0)
    one_cycle = phase.schedule == "one-cycle"
    warmup = phase.rise
    if share < warmup:
        risen = share / warmup
        return FIRST + (1 - FIRST) * (1 - _fall(risen)) if one_cycle else risen
    share = (share - warmup) / (1 - warmup)
    if phase.schedule == "constant":
        return 1.0
    if phase.schedule == "step":
        return phase.gamma ** sum(share >= milestone for milestone in phase.milestones)
    return _fall(share)


def pull(phase: Penalized, share: float) -> float:
    """λ after `share` (0 … 1) of `phase`, as a share of its λ: 0 before `lam_start`, then constant, up or down."""
    if share < phase.lam_start:
        return 0.0
    share = (min(share, 1.0) - phase.lam_start) / (1 - phase.lam_start)
    return {"constant": 1.0, "up": share, "down": 1 - share}[phase.lam_schedule]


def dose(phase: Penalized, steps: int, start: int = 0) -> float:
    """Σ lr·pull/(1 − momentum) over the `steps` optimizer steps of `phase`, those from `start` on: what a λ of 1 pulls.

    The penalty alone shrinks W − αt by e^−(λ·dose), whatever the layer's size: Eq. 11 acts on each weight by itself.
    """
    shares = [step / max(steps, 1) for step in range(start, steps)]
    friction = 1 - phase.momentum if phase.optimizer == "sgd" else 1.0
    return sum(rate(phase, share) * pull(phase, share) for share in shares) * phase.lr / friction


def _fall(share: float) -> float:
    """Half a cosine, from 1 to 0."""
    return 0.5 * (1 + math.cos(math.pi * share))
