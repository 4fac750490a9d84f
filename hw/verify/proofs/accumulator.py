"""Accumulators wide enough and no wider: each layer's own function, on operands that drive its sums to their ends.

Inside a network few layers ever see such operands; here every layer that multiplies and adds is called alone.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crq.errors import ToolError
from crq.hw.hls.plan import Plan, Process
from crq.hw.hls.source import stream_type
from crq.hw.ir.layers import Conv, Dense, IntArray
from crq.hw.ir.vectors import driving, kinds_of_pixels
from crq.hw.verify.proofs.alone import Alone, sums_of
from crq.hw.verify.proofs.proof import Proof

CHANNELS = 8  # of each layer: those with the widest range


@dataclass(frozen=True, eq=False)
class Case:
    """A layer, images (N, C, H, W) for it, and the sums (N, C, H, W) it must make of them."""

    process: Process
    codes: IntArray
    expected: IntArray


def check(directory: Path, plan: Plan) -> Proof:
    """Runs every layer with ap types as it is, and with an accumulator one bit short, which must show."""
    cases = list(_cases(plan))
    if not cases:
        return Proof("accumulators", True, "no layer sums products", skipped=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        sound, short = pool.map(lambda bits: _run(directory, plan, cases, Path(folder) / str(bits), bits), (0, 1))
    wrong = [c.process.label for c, found in zip(cases, sound, strict=True) if not np.array_equal(found, c.expected)]
    if wrong:
        return Proof("accumulators", False, f"wrong sums at the ends of their range: {', '.join(wrong)}")
    caught = [not np.array_equal(found, c.expected) for c, found in zip(cases, short, strict=True)]
    rest = tuple(c.process.label for c, shows in zip(cases, caught, strict=True) if not shows)
    if not any(caught):
        return Proof("accumulators", False, "no layer needs its highest bit: nothing is proven", rest)
    facts = f"{len(cases)} layers are exact at both ends of their range; {sum(caught)} are wrong with one bit less"
    return Proof("accumulators", True, facts + spare(rest))


def spare(layers: Sequence[str]) -> str:
    """The layers whose sums would fit in fewer bits, for example because padding cuts every window, in words."""
    return f"; {', '.join(layers)} could do with one bit less" if layers else ""


def _cases(plan: Plan) -> Iterator[Case]:
    for process in plan.processes:
        if process.unit is not None and isinstance(process.unit.layer, (Conv, Dense)):
            codes = driven(plan, process)
            yield Case(process, codes, sums_of(plan, process, codes))


def driven(plan: Plan, process: Process) -> IntArray:
    """Operands (N, C, H, W) that drive some channels of a layer that sums products to their greatest and least sums."""
    assert process.unit is not None
    layer = process.unit.layer
    assert isinstance(layer, (Conv, Dense))
    operand, network = process.unit.sources[0], plan.network
    channels = np.argsort(-np.maximum(layer.output.hi, -layer.output.lo), kind="stable")[:CHANNELS]
    for pixels in (kinds_of_pixels(layer)[:1], kinds_of_pixels(layer)):  # the centre alone sees most kernels whole
        codes = np.stack([
            driving(network, operand, layer, int(c), sign, pixel)
            for c in channels for sign in (1, -1) for pixel in pixels
        ])  # fmt: skip
        sums = sums_of(plan, process, codes)[:, channels]
        reached = sums.max(axis=(0, 2, 3)), sums.min(axis=(0, 2, 3))
        if np.array_equal(reached, (layer.output.hi[channels], layer.output.lo[channels])):
            break
    return codes


def _run(directory: Path, plan: Plan, cases: list[Case], folder: Path, short: int) -> list[IntArray]:
    """The sums of each case; `short` bits are taken off every accumulator."""

    def edit(text: str, process: Process) -> str:
        text = _sums_only(text, process, plan.io_type)
        text = re.sub(r"(ap_u?int<)(\d+)(> accum_t)", lambda m: f"{m[1]}{int(m[2]) - short}{m[3]}", text)
        return re.sub(r"(accum_bits = )(\d+);", lambda m: f"{m[1]}{int(m[2]) - short};", text)

    processes = [case.process for case in cases]
    alone = Alone(directory, plan, processes, folder, "ap", edit, lambda process: f"{process.name}_sums")
    return [alone.run(case.process, case.codes) for case in cases]


def _sums_only(text: str, process: Process, io_type: str) -> str:
    """A layer's source without its thresholds, which hide the ends of sums: it gives the sums themselves.

    Raises `ToolError` for a source that is not written as a build writes it.
    """
    assert process.unit is not None
    name, layer = process.name, process.unit.layer
    result = stream_type(replace(process.output, tensor=layer.output), io_type)
    edits = [
        (rf"\b{process.output.type_name}\b", f"{name}_sums", 1),
        (r"(?=^inline void )", f"typedef {result} {name}_sums;\n\n", 1),
    ]
    if process.unit.threshold is not None:
        edits.append((r"^( *const )crq::[^;]*\bcodes\b[^;]*;$", r"\1crq::no_codes codes = crq::no_codes();", 1))
    for pattern, replacement, least in edits:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if count < least:
            raise ToolError(
                f"firmware/layers/{name}.h is not as a build writes it (no {pattern}): build the project again"
            )
    return text
