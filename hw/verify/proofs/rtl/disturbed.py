"""The design disturbed: results must stay exact, and undisturbed it takes the cycles of the model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from crq.errors import VerificationError
from crq.hw.dataflow.timing import every
from crq.hw.forms.built import processors
from crq.hw.forms.vectors import streamed
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import IntArray
from crq.hw.ir.vectors import random_codes
from crq.hw.rtl.built import Built
from crq.hw.rtl.drive import Stimulus
from crq.hw.verify.proofs.proof import Proof

IMAGES = 4
PRESSURES, RESETS, STATES = 4, 12, 6
FIRST = 0.05  # of the model's latency: how much later the first result may be than if no FIFO were ever full


def cycles(built: Built) -> Proof:
    """At full speed the network gives a result every interval of the model."""
    codes = random_codes(built.network, IMAGES, seed=1)
    found, run = built.run_beats(codes)
    wanted, ends = built.plan.pipeline, np.max([stream.cycles[:, -1] for stream in run.streams], axis=0)
    first, apart = int(ends[0]) + 1 - (0 if built.plan.streaming else 1), int(ends[-1] - ends[-2])
    facts = f"an image {every(apart)}, the model says {wanted.interval:,}; the first result is whole after "
    facts += f"{first:,}, the model says {wanted.latency:,}"
    ok = apart == wanted.interval and wanted.latency <= first <= wanted.latency * (1 + FIRST)
    if ok and not _equal(found, _expected(built, codes)):
        return Proof("cycles", False, f"wrong integers at full speed ({facts})")
    return Proof("cycles", ok, facts)


def pressure(built: Built) -> Proof:
    """Bursts of words and of pauses on both sides, some longer than an image takes."""
    words = max(port["per_image"] for port in (*built.manifest.inputs, *built.manifest.results))
    interval = max(built.plan.pipeline.interval, words)
    stimuli = [Stimulus(pauses=seed, longest=2 * interval + 50) for seed in range(1, PRESSURES + 1)]
    wrong, runs = _runs(built, random_codes(built.network, IMAGES, seed=2), stimuli)
    if wrong:
        return Proof("back-pressure", False, f"with the pauses of {_these(wrong)}")
    source, sink = (max(run[side] for run in runs) for side in (0, 1))
    if min(source, sink) <= interval:
        facts = f"no pause was longer than the interval of {interval:,} cycles ({source:,} and {sink:,}): nothing is "
        return Proof("back-pressure", False, f"{facts}proven")
    total = sum(run[2] for run in runs)
    facts = (
        f"{PRESSURES} runs of {IMAGES} images, {total:,} cycles, exact; the longest pauses {source:,} cycles of the "
    )
    return Proof("back-pressure", True, f"{facts}source and {sink:,} of the sink, an image takes {interval:,}")


def resets(built: Built) -> Proof:
    """A reset at any moment; the images behind it are exact."""
    pace, rng = built.plan.pipeline, np.random.default_rng(3)
    last = pace.latency + pace.interval + max(port["per_image"] for port in built.manifest.inputs)
    at = np.unique(np.concatenate([[1, 2], rng.integers(1, last, RESETS - 2)]))
    stimuli = [Stimulus(int(n), int(n) % 2 * 7, pace.interval + 20, (int(n),)) for n in at]
    stimuli.append(Stimulus(1, 0, 1, tuple(int(n) for n in at[:6])))
    wrong, runs = _runs(built, random_codes(built.network, 2, seed=4), stimuli)
    if wrong:
        return Proof("resets", False, f"of {len(runs)} runs, {len(wrong)} fail: {_these(wrong)}")
    facts = (
        f"{len(runs)} runs, reset after {at[0]:,} to {at[-1]:,} cycles, one of them {len(at[:6])} times: exact behind"
    )
    return Proof("resets", True, facts)


def initial(built: Built) -> Proof:
    """Registers and memories that begin with any value: what matters is reset or written before it is read."""
    stimuli = [Stimulus(state) for state in range(2, 2 + STATES)]
    wrong, _ = _runs(built, random_codes(built.network, IMAGES, seed=5), stimuli)
    if wrong:
        return Proof("initial state", False, f"the result depends on it: {_these(wrong)}")
    return Proof("initial state", True, f"{STATES} random states of all registers and memories, {IMAGES} images: exact")


def _runs(
    built: Built, codes: IntArray, stimuli: Sequence[Stimulus]
) -> tuple[list[str], list[tuple[int, int, int]]]:  # fmt: skip
    """What went wrong, in words; and of each run the longest pauses of both sides and its cycles."""
    expected = _expected(built, codes)
    built.core()  # compiled once, before the threads ask for it

    def one(stimulus: Stimulus) -> tuple[str, tuple[int, int, int]]:
        try:
            found, run = built.run_core(codes, stimulus, together=True)
        except VerificationError as error:
            return f"{_name(stimulus)}: {error}", (0, 0, 0)
        last = all(s.last[:, -1].all() and s.last.sum() == len(codes) for s in run.streams)
        good = _equal(found, expected) and last
        what = "integers differ" if last else "TLAST is not at the ends of results"
        return "" if good else f"{_name(stimulus)}: {what}", (*run.longest, run.total)

    with ThreadPoolExecutor(processors()) as pool:
        found = list(pool.map(one, stimuli))
    return [text for text, _ in found if text], [facts for _, facts in found]


def _name(stimulus: Stimulus) -> str:
    at = f", reset after {', '.join(map(str, stimulus.resets))} cycles" if stimulus.resets else ""
    return f"state {stimulus.state}, pauses {stimulus.pauses}{at}"


def _expected(built: Built, codes: IntArray) -> list[IntArray]:
    """What leaves the hardware by each output, in the shape in which it streams."""
    return streamed(built.network, evaluate(built.network, codes), [port.shape for port in built.plan.outputs])


def _equal(found: Sequence[IntArray], expected: Sequence[IntArray]) -> bool:
    return all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))


def _these(wrong: Sequence[str]) -> str:
    return "; ".join(wrong[:3])
