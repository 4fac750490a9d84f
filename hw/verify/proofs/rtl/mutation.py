"""Faults in a copy of the project's memories and modules must be seen: a check that cannot fail proves nothing."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crq.errors import VerificationError
from crq.hw.dataflow.units import Unit
from crq.hw.dataflow.words import unpack, whole_beats
from crq.hw.forms.built import processors
from crq.hw.hls.plan import Plan, Process
from crq.hw.ir.interpret import apply, evaluate
from crq.hw.ir.layers import Add, Conv, Dense, IntArray
from crq.hw.ir.vectors import all_vectors
from crq.hw.rtl.bench import compile_bench
from crq.hw.rtl.built import Built
from crq.hw.rtl.cores import axi_bench, axi_words, traced_ports
from crq.hw.rtl.drive import PLAIN, Program, run
from crq.hw.verify.proofs.accumulator import driven
from crq.hw.verify.proofs.alone import sums_of
from crq.hw.verify.proofs.boundaries import enumerable, operands
from crq.hw.verify.proofs.proof import Proof
from crq.hw.verify.proofs.rtl.alone import Alone
from crq.hw.verify.proofs.rtl.layers import plan_of

RANDOM_IMAGES, BOUNDING_IMAGES, BATCH = 16, 64, 16
CYCLES = 20_000_000
"""That the images of one fault may take, at most."""
BITS = 3  # of each memory image, one at a time
TEXTS = 2  # modules that are changed: each is compiled

Edit = Callable[[str], str]


class Fault(NamedTuple):
    """A file of `rtl`, and what it holds instead."""

    name: str
    file: str
    text: str


def check(built: Built) -> Proof:
    """One bit of a memory image, an adder that subtracts, a constant threshold moved: every layer traced, on extreme,
    bounding and random images. What these miss in a memory is looked for on operands of its layer alone."""
    watch = _Watch(built)
    in_memories = list(_memory_faults(built))
    in_texts = list(_text_faults(built))
    if not in_memories and not in_texts:
        return Proof("mutations", True, "there is no weight and no threshold to change", skipped=True)
    with ThreadPoolExecutor(processors()) as pool:
        seen = list(pool.map(watch.sees_memory, in_memories))
        changed = list(pool.map(watch.sees_text, in_texts))
    missed = [fault for fault, shows in zip(in_memories, seen, strict=True) if not shows]
    alone = {fault.name for fault in missed if watch.shows_alone(fault)}
    silent = [fault for fault in missed if fault.name not in alone]
    files = {fault.file for fault in in_memories}
    counts = Counter(fault.file for fault in silent)
    dumb = [f"{count} of {BITS} in {file}" for file, count in sorted(counts.items())]
    dumb += [fault.name for fault, shows in zip(in_texts, changed, strict=True) if not shows]
    faults = len(in_memories) + len(in_texts)
    caught = faults - len(silent) - changed.count(False)
    if not caught:
        return Proof("mutations", False, f"none of {faults} faults shows: nothing is proven")
    facts = f"{caught} of {faults} faults show, in {len(files)} memories and {len(in_texts)} modules, on "
    facts += f"{len(watch.codes)} images" + (
        f" or, {len(alone)} of them, on operands of the layer alone" if alone else ""
    )
    return Proof("mutations", True, facts, tuple(dumb))


def _memory_faults(built: Built) -> Iterator[Fault]:
    """A few bits of every memory image; of weights, whether a product is there."""
    rng = np.random.default_rng(7)
    for path in sorted((built.directory / "rtl").glob("*.mem")):
        lines = path.read_text().split()
        for word, bit in _places(built, path.name, lines, rng):
            changed = [*lines[:word], f"{int(lines[word], 16) ^ (1 << bit):x}", *lines[word + 1 :]]
            yield Fault(f"{path.name} word {word} bit {bit}", path.name, "\n".join(changed) + "\n")


def _places(built: Built, name: str, lines: list[str], rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    fold = next((f for n, f in built.plan.hardware_folds.items() if name == f"{n}_w.mem"), None)
    bits = fold.simd if fold else max(1, max(int(line, 16) for line in lines).bit_length())
    for _ in range(BITS):
        yield int(rng.integers(len(lines))), int(rng.integers(bits))


def _text_faults(built: Built) -> Iterator[Fault]:
    """Modules with built-in weights, and those with thresholds as constants."""
    count = 0
    for file, text in built.sources().items():
        if file.startswith("crq_") or count == TEXTS:
            continue
        for name, edit in (("an adder", _other_sign), ("a threshold", _moved)):
            changed = edit(text)
            if changed != text:
                count += 1
                yield Fault(f"{name} of {file}", file, changed)
                break


def _other_sign(text: str) -> str:
    """The last sum of an adder graph with a minus for its plus, or the other way round."""
    found = list(re.finditer(r"(\(\* keep \*\) wire \[\d+:0\] v\d+ = \S+ )([+-])( \S+;)", text))
    if not found:
        return text
    last = found[-1]
    return text[: last.start(2)] + ("+" if last[2] == "-" else "-") + text[last.end(2) :]


def _moved(text: str) -> str:
    """The lowest bit of the first constant table inverted."""
    return re.sub(
        r"(\.FIXED_T\(\{?(?:\d+'h[0-9a-f]+, )*\d+'h[0-9a-f]*)([0-9a-f])(\}?\))",
        lambda m: f"{m[1]}{int(m[2], 16) ^ 1:x}{m[3]}", text, count=1,
    )  # fmt: skip


class _Watch:
    """What shows a fault of a project."""

    def __init__(self, built: Built) -> None:
        self.built, plan = built, built.plan
        count = max(2, min(10_000, CYCLES // max(1, plan.pipeline.interval)))
        self.codes = all_vectors(built.network, RANDOM_IMAGES, bounding_limit=BOUNDING_IMAGES)[:count]
        values: dict[str, IntArray] = {}
        evaluate(built.network, self.codes, wanted=values.__setitem__)
        self.expected = [values[name] for name in built.traced]
        self.program = built.core(traced=True)

    def sees_memory(self, fault: Fault) -> bool:
        with tempfile.TemporaryDirectory() as name:
            return self._differs(self.program._replace(folder=self._memories(Path(name), fault)))

    def sees_text(self, fault: Fault) -> bool:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "mutant"
            sources = {**self.built.sources(), fault.file: fault.text}
            compile_bench(axi_bench(self.built.plan, traced=True), sources, path)
            return self._differs(self.program._replace(path=path))

    def _memories(self, folder: Path, fault: Fault) -> Path:
        for path in (self.built.directory / "rtl").glob("*.mem"):
            shutil.copyfile(path, folder / path.name)
        (folder / fault.file).write_text(fault.text)
        return folder

    def _differs(self, program: Program) -> bool:
        """Whether any layer of the mutant differs; a few images at a time, up to the first."""
        plan = self.built.plan
        words, _ = axi_words(plan)
        for start in range(0, len(self.codes), BATCH):
            some = slice(start, start + BATCH)
            try:
                found = run(program, self.built.packed(self.codes[some], words), PLAIN, traced=True)
            except VerificationError:
                return True  # it no longer gives results
            for port, seen, want in zip(traced_ports(plan), found.probes, self.expected, strict=True):
                if not np.array_equal(unpack(seen, port, whole_beats(port)), want[some]):
                    return True
        return False

    @cached_property
    def _alone(self) -> tuple[Alone, tempfile.TemporaryDirectory[str]]:
        folder = tempfile.TemporaryDirectory()
        having = [
            unit for unit, _ in self.built.plan.units() if isinstance(unit.layer, (Conv, Dense)) or unit.quantizer
        ]
        return Alone(self.built, having, Path(folder.name)), folder

    def shows_alone(self, fault: Fault) -> bool:
        """Whether operands of the layer that the memory belongs to tell it from the right one."""
        pairs = self.built.plan.units()
        owners = [unit for unit, made in pairs if fault.file.startswith(f"{made.name}_")]
        if not owners:
            return False
        unit, alone = max(owners, key=lambda u: len(u.name)), self._alone[0]
        if unit not in alone.units:
            return False
        plan = plan_of(self.built)
        process = next(p for p in plan.processes if p.unit is unit)
        vectors = operands(plan, process) if unit.quantizer and enumerable(process) else iter([driven(plan, process)])
        with tempfile.TemporaryDirectory() as name:
            folder = self._memories(Path(name), fault)
            return any(
                not np.array_equal(alone.run(unit, x, folder)[0], _right(plan, process, unit, x)) for x in vectors
            )


def _right(plan: Plan, process: Process, unit: Unit, x: IntArray) -> IntArray:
    fused = unit.threshold is not None or isinstance(unit.layer, (Conv, Dense, Add))
    sums = sums_of(plan, process, x) if fused else x
    return sums if unit.quantizer is None else apply(unit.quantizer, sums)
