"""Faults put into a copy of the project must be caught by its own vectors: a check that cannot fail proves nothing."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from crq.hw.graphs.graph import Adder, Term
from crq.hw.graphs.layer import HLS_OPERANDS, layer_graph, window_weights
from crq.hw.hls.built import Built
from crq.hw.hls.emit import emit, is_graph
from crq.hw.hls.emit_graph import adder_line
from crq.hw.hls.firmware import layer_h
from crq.hw.hls.plan import Plan, Process
from crq.hw.hls.tables import tables_h
from crq.hw.ir.interpret import apply, evaluate
from crq.hw.ir.layers import Conv, Dense, IntArray, Mac, Threshold
from crq.hw.ir.ports import apart
from crq.hw.ir.progression import Progression
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.proofs.accumulator import driven
from crq.hw.verify.proofs.alone import sums_of
from crq.hw.verify.proofs.boundaries import enumerable, operands
from crq.hw.verify.proofs.proof import Proof

RANDOM_IMAGES = 16
BOUNDING_IMAGES = 64
BATCH = 16  # images simulated at once


class Mutation(NamedTuple):
    """A fault, how to put it into the project in a folder, and the process it is in; `mutated`: the process with it."""

    name: str
    put: Callable[[Path], None]
    process: Process
    mutated: Process | None


def check(built: Built) -> Proof:
    """Simulates the project with each fault, every layer traced, on extreme, bounding and random images.

    Images that a network lets through may be too weak to show a fault deep inside. What they miss is looked for on
    operands that drive its layer alone: a fault found there says something of the images, nothing of the design.
    """
    codes = all_vectors(built.network, RANDOM_IMAGES, bounding_limit=BOUNDING_IMAGES)
    parts = zip(built.network.inputs, apart(built.network.inputs, codes), strict=True)
    values: dict[str, IntArray] = {tensor.name: part for tensor, part in parts}
    evaluate(built.network, codes, wanted=values.__setitem__)
    made = list(mutations(built.plan, values))
    if not made:
        return Proof("mutations", True, "there is no weight and no threshold to change", skipped=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each is a run of g++
        found = list(pool.map(lambda mutation: _catches(built, mutation, codes, values), made))
    caught = [m.name for m, shows in zip(made, found, strict=True) if shows]
    missed = [m for m, shows in zip(made, found, strict=True) if not shows]
    alone = [m.name for m in missed if _shows_alone(built.plan, m)]
    silent = tuple(m.name for m in missed if m.name not in alone)
    if not caught and not alone:
        return Proof("mutations", False, f"{len(codes)} images catch no fault, and no layer alone: nothing is proven")
    facts = f"{len(codes)} images catch {', '.join(caught) or 'none'}"
    if alone:
        facts += f"; no image, but operands of the layer alone catch {', '.join(alone)}"
    return Proof("mutations", True, facts, silent)


def _shows_alone(plan: Plan, mutation: Mutation) -> bool:
    """Whether operands of the layer alone tell it from the mutated one, by the NumPy reference, which has no widths."""
    process, mutated = mutation.process, mutation.mutated
    if mutated is None or process.unit is None or mutated.unit is None:
        return False  # a narrow accumulator: the proof of accumulators drives every layer to its ends
    if process.unit.quantizer is not None and enumerable(process):
        vectors: Iterable[IntArray] = operands(plan, process)
    else:
        vectors = [driven(plan, process)]
    return any(not np.array_equal(_result(plan, process, codes), _result(plan, mutated, codes)) for codes in vectors)


def _result(plan: Plan, process: Process, codes: IntArray) -> IntArray:
    """What the unit of `process` makes of operands, by the NumPy reference."""
    assert process.unit is not None
    fused = process.unit.threshold is not None or not isinstance(process.unit.layer, Threshold)
    sums = sums_of(plan, process, codes) if fused else codes
    return sums if process.unit.quantizer is None else apply(process.unit.quantizer, sums)


def _catches(built: Built, mutation: Mutation, codes: IntArray, values: dict[str, IntArray]) -> bool:
    """Whether any layer of the mutated project differs from `values`; a few images at a time, up to the first."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(built.directory, copy, ignore=shutil.ignore_patterns("build"))
        mutation.put(copy)
        mutant = Built(copy)
        for start in range(0, len(codes), BATCH):
            batch = slice(start, start + BATCH)
            traced = mutant.trace(codes[batch], layout="NCHW")
            if not all(np.array_equal(traced[name], values[name][batch]) for name in traced):
                return True
    return False


def mutations(plan: Plan, values: dict[str, IntArray]) -> Iterator[Mutation]:
    """One fault of each kind that the network has room for; `values`: integers of the inputs and every layer."""
    macs = [(p, p.unit.layer) for p in plan.processes if p.unit and isinstance(p.unit.layer, (Conv, Dense))]
    if macs:
        process, layer = macs[-1]
        yield flipped_weight(process, layer, plan)
    for process, layer in reversed(macs):
        if is_graph(process, plan.io_type) and layer_graph(layer, HLS_OPERANDS).adders:
            yield changed_adder(process, layer)
            break
    for process in plan.processes:
        threshold = process.unit and (process.unit.threshold or process.unit.layer)
        if isinstance(threshold, Threshold):
            yield from moved_threshold(process, threshold, values[_producer(plan, threshold)], plan)
            break
    for process, layer in macs:
        sums = values[layer.name]
        fmt = layer.output.format
        half = 1 << (fmt.bits - 1 - fmt.signed)
        if sums.max() >= half or sums.min() < -half:  # a sum that a narrower accumulator cannot hold
            yield narrow_accumulator(process, layer)
            break


def _producer(plan: Plan, threshold: Threshold) -> str:
    """The layer whose values it reads, or the network's input that it reads."""
    producer = plan.network.producer(threshold.input)
    return producer.name if producer else threshold.input.name


def flipped_weight(process: Process, layer: Mac, plan: Plan) -> Mutation:
    """The first zero weight becomes +1, or, in a layer without zeros, the first weight changes its sign."""
    weights = layer.weights.copy()
    zeros = np.argwhere(weights == 0)
    at = tuple(zeros[0]) if len(zeros) else (0,) * weights.ndim
    weights[at] = 1 if len(zeros) else min(-int(weights[at]), 127)  # -128 has no opposite of 8 bits
    assert process.unit is not None
    changed = replace(process, unit=replace(process.unit, layer=replace(layer, weights=weights)))
    put = partial(_rewrite, process=changed, io_type=plan.io_type)
    return Mutation(f"a flipped weight of {layer.name}", put, process, changed)


def changed_adder(process: Process, layer: Mac, at: int | None = None) -> Mutation:
    """Adder `at` of a graph, the last by default, subtracts a term that it adds, or adds one that it subtracts."""
    graph = layer_graph(layer, HLS_OPERANDS)
    at = len(graph.adders) - 1 if at is None else at
    number, adder = len(graph.taps) + at, graph.adders[at]
    term = adder.terms[-1]
    other = Adder((*adder.terms[:-1], Term(term.value, not term.negative)))
    weights = window_weights(
        layer, replace(graph, adders=(*graph.adders[:at], other, *graph.adders[at + 1 :])).matrix()
    )
    assert process.unit is not None
    layer = replace(layer, weights=cast(Any, weights))  # for NumPy alone, which has no widths
    changed = replace(process, unit=replace(process.unit, layer=layer))

    def put(folder: Path) -> None:
        path = folder / "firmware" / "layers" / f"{process.name}.h"
        text, line = path.read_text(), adder_line(graph, number, adder)
        assert text.count(line) == 1, "the layer's source names each adder once"
        path.write_text(text.replace(line, adder_line(graph, number, other)))

    return Mutation(f"a changed adder of {layer.name}", put, process, changed)


def moved_threshold(process: Process, layer: Threshold, sums: IntArray, plan: Plan) -> Iterator[Mutation]:
    """The threshold that most sums meet exactly moves up by one; the one that most miss by one moves down. Those of a
    progression move together."""
    assert process.unit is not None
    by_channel = sums.swapaxes(0, 1).reshape(sums.shape[1], -1)
    for step, near, text in ((1, 0, "up"), (-1, -1, "down")):
        hits = []  # (how often, channel, threshold)
        for channel, values in enumerate(by_channel):
            met, times = np.unique(values[np.isin(values, layer.row(channel) + near)], return_counts=True)
            hits += [(int(times.max()), channel, int(met[times.argmax()]) - near)] if len(met) else []
        if not hits:
            continue
        _, channel, threshold = max(hits)
        moved = _moved(layer, channel, threshold, step)
        if process.unit.threshold is not None:
            unit = replace(process.unit, threshold=replace(layer, thresholds=moved))
        else:
            unit = replace(process.unit, layer=replace(layer, thresholds=moved))
        changed = replace(process, unit=unit)
        put = partial(_rewrite, process=changed, io_type=plan.io_type)
        yield Mutation(f"a threshold of {layer.name} one {text}", put, process, changed)


def _moved(layer: Threshold, channel: int, threshold: int, step: int) -> IntArray | Progression:
    if isinstance(layer.thresholds, Progression):
        start = layer.thresholds.b.copy()
        start[channel] += step << layer.thresholds.f
        return replace(layer.thresholds, b=start)
    moved = layer.thresholds.copy()
    moved[channel, int(np.searchsorted(moved[channel], threshold))] += step
    moved.sort(axis=1)
    return moved


def narrow_accumulator(process: Process, layer: Mac) -> Mutation:
    """The accumulator loses its highest bit."""
    fmt = layer.output.format

    def put(folder: Path) -> None:
        path = folder / "firmware" / "layers" / f"{process.name}.h"
        text, n = re.subn(rf"(ap_u?int<){fmt.bits}(> accum_t)", rf"\g<1>{fmt.bits - 1}\g<2>", path.read_text())
        text, m = re.subn(rf"(accum_bits = ){fmt.bits};", rf"\g<1>{fmt.bits - 1};", text)
        assert n == m == 1, "the layer's source names its accumulator once"
        path.write_text(text)

    return Mutation(f"an accumulator of {layer.name} one bit short", put, process, None)


def _rewrite(folder: Path, process: Process, io_type: str) -> None:
    """Writes the changed layer; its widths stay those of the unchanged one, as in a real fault.

    With its tables the way may change in which codes are found: thresholds in progression are in none any more.
    """
    made, firmware = emit(process, io_type), folder / "firmware"
    if made.tables:
        (firmware / "weights" / f"{process.name}.h").write_text(tables_h(made.tables, process.name, "Mutated."))
    layer = firmware / "layers" / f"{process.name}.h"
    before = layer.read_text()
    if made.function not in before or made.config not in before:
        layer.write_text(layer_h(process, made))
