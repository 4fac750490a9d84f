"""The price of what lies between units: FIFOs, converters of beats and forks."""

from __future__ import annotations

from crq.hw.cost.constants import weighted
from crq.hw.cost.primitives import memory
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.beats import beats_in, conversion
from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.memory import BRAM_BITS
from crq.hw.dataflow.streams import Depths
from crq.hw.dataflow.units import Fold, Unit


def fifo(depth: int, width: int, family: str = "xcup", flags: int = 0) -> Resources:
    """crq_fifo: memory, two pointers, a count, with `flags` one for full and one for empty; one in block RAM also keeps
    the word written last. None if depth 0."""
    if not depth:
        return Resources()
    block, pointer = depth * width >= BRAM_BITS, max(1, clog2(depth))
    kept = width if family == "ecp5" else 0  # its block RAM is made transparent by registers
    control = Resources(
        logic=weighted("fifo_block" if block else "fifo", fifo_features(depth, width), family),
        ff=2 * flags + (3 if block else 4) * pointer + 1 + block * (width + 1 + (kept and kept + pointer + 2)),
    )
    return memory(depth, width, family).plus(control)


def fifo_features(depth: int, width: int) -> tuple[float, ...]:
    """What the LUTs of a FIFO's control grow with: its pointers, whether they wrap early; in block RAM its width."""
    pointer = max(1, clog2(depth))
    common = 1, pointer, pointer * (depth != 1 << pointer)
    return (*common, width) if depth * width >= BRAM_BITS else common


def converter(given: int, wanted: int, bits: int, family: str = "xcup") -> Resources:
    """crq_narrow and crq_widen between streams of `given` and `wanted` channels of `bits` per beat."""
    parts, joined = conversion(given, wanted)
    part, total = given // parts * bits, Resources()
    if parts > 1:
        logic = weighted("narrow", ((parts - 1) * part, parts, 1), family)
        total = total.plus(Resources(logic=logic, ff=parts * part + parts))
    if joined > 1:
        total = total.plus(Resources(logic=weighted("widen", (1,), family), ff=joined * part + joined + 1))
    return total


def fork(readers: int, family: str = "xcup") -> Resources:
    """crq_fork, of a stream with several readers."""
    if readers < 2:
        return Resources()
    return Resources(logic=weighted("fork", (1, readers), family), ff=readers)


def stream_parts(
    unit: Unit, fold: Fold, given: tuple[int, ...], depths: Depths, family: str = "xcup"
) -> dict[str, Resources]:
    """FIFOs and converters of `unit`, whose producers give `given` channels per beat of each input."""
    fifos = converters = Resources()
    wanted = beats_in(unit, fold)
    for i, tensor in enumerate(unit.inputs):
        bits = tensor.format.bits
        fifos = fifos.plus(fifo(depths[unit.name, i], given[i] * bits, family, fold.quick))
        converters = converters.plus(converter(given[i], wanted[i], bits, family))
    return {"fifo": fifos, "converter": converters}
