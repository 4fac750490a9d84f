"""The price of lanes whose weights are words (crq_pe)."""

from __future__ import annotations

from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.schedule import lane_products, lane_registers

# ECP5: LUTs of a bit of a product of two digits (crq_pe with DIGITS in circuits.csv).
PRODUCT_LUT4 = 3
Span = tuple[int, int]  # lowest bit and highest + 1 of a term


def even(bits: int) -> int:
    """LUTs of a carry chain of `bits` on ECP5."""
    return bits + bits % 2


def paired(bits: int) -> int:
    """LUTs of an adder with a sum of `bits` on ECP5; narrow ones become LUTs without a chain."""
    return {3: 3, 4: 10}.get(bits, even(bits))


def folded_lane(simd: int, digits: int, bits: int, accumulator: int, *, single: bool, zero: bool,
                family: str = "xcup") -> Resources:  # fmt: skip
    """crq_pe: `simd` weights of `digits` signed digits, codes of `bits`; `zero` where sums start from zero.

    Exact for ternary weights on xcup and xc7.
    """
    four = family == "ecp5"
    if digits == 1:
        pairs, odd = divmod(simd, 2)
        # A pair of products and its sum share their LUTs; on ECP5 its second product alone.
        logic = pairs * (bits + even(bits + 1)) + odd * bits if four else (pairs + odd) * bits
        terms, level, products = [(0, bits + (simd > 1))] * pairs + [(0, bits)] * odd, 1, 2
    else:
        places = lane_products(1, digits)
        of_two = PRODUCT_LUT4 if four else 1  # a product of two digits has six inputs
        logic = simd * sum(of_two * (bits + 1) if 2 * p + 1 < digits else bits for p in range(places))
        terms = [(2 * p, 2 * p + bits + (2 * p + 1 < digits)) for p in range(places) for _ in range(simd)]
        level, products = 0, 1
    radix = 3 if digits == 1 and not four else 2
    most = bits + clog2(simd) if digits == 1 else accumulator
    registers, flip_flops = lane_registers(simd, digits), 0
    while True:
        due = registers > 0 and level > 0 and level % 2 == 0
        last = radix == 3 or not registers or (due and registers == 1)
        stages = registers if len(terms) <= (2 if last else 1) else int(due)
        flip_flops += stages * sum(high - low for low, high in terms)
        if len(terms) <= (2 if last else 1):
            break
        products *= radix
        limit = bits + clog2(min(products, simd)) if digits == 1 else most
        luts, terms = _level(terms, radix, min(limit, accumulator), four)
        logic, level, registers = logic + luts, level + 1, registers - stages
    return Resources(logic + _accumulate(terms, accumulator, radix, single, zero, four), ff=flip_flops + accumulator)


def _level(terms: list[Span], radix: int, limit: int, four: bool) -> tuple[int, list[Span]]:
    """LUTs of one level of adders, and its sums; of three operands an adder has a LUT per bit of a padded word, of
    two one per bit in which both are."""
    groups = len(terms) // radix
    rest, logic, sums = terms[groups * radix :], 0, []
    for i in range(groups):
        own = terms[i * radix : (i + 1) * radix]
        low, high = min(a for a, _ in own), max(b for _, b in own)
        top = min(high + radix - 1, max(limit, high))
        added = max(a for a, _ in own)
        logic += max(b for _, b in terms) if radix == 3 else paired(top - added) if four else high - added
        sums.append((low, top))
    return logic, rest + sums if radix == 3 else sums + rest


def _accumulate(terms: list[Span], bits: int, radix: int, single: bool, zero: bool, four: bool) -> int:
    """LUTs of crq_acc. A start that is not zero is chosen in front of an adder of three, inside of one of two."""
    if four:
        low, high = max(a for a, _ in terms), max(b for _, b in terms)
        two = paired(min(high + 1, bits) - low) if len(terms) == 2 else 0
        return two + (0 if single and zero else even(bits)) + (0 if single or zero else bits)
    if single:
        two = max(b for _, b in terms) - max(a for a, _ in terms) if len(terms) == 2 else 0
        return two if zero else bits
    return bits if zero or len(terms) == 1 else 2 * bits
