"""The price of lanes: crq_pe, whose weights are words, and crq_pe_fixed, whose weights are constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw.cost.primitives import inverters, tree_adders, tree_flip_flops
from hw.cost.resources import Resources
from hw.dataflow.bits import clog2
from hw.dataflow.schedule import lane_products, lane_registers, tree_registers
from hw.ir.layers import Format

# ECP5: LUTs of a bit of a product of two digits (crq_pe with DIGITS in circuits.csv). LUTs per bit that is added in a
# tree of shifted constants, whose signs are extended (the unrolled integer layer of layers_fit.csv).
PRODUCT_LUT4 = 3
SHIFTED_LUTS = {"xcup": 1.15, "ecp5": 1.85}
Span = tuple[int, int]  # lowest bit and highest + 1 of a term


def constant_lanes(digits: NDArray[np.int8], x: Format, family: str = "xcup") -> Resources:
    """Sums with weights (O, I, KH, KW, digit) as constants: zeros vanish, and a sign costs nothing inside an adder.

    ECP5's adders take their LUTs in pairs, one for the carry out too, and every complement has its own.
    """
    if digits.shape[-1] > 1:
        lanes = shifted_lanes(digits, x)
        return lanes._replace(logic=SHIFTED_LUTS["ecp5" if family == "ecp5" else "xcup"] * lanes.logic)
    total = Resources()
    width = x.bits + (not x.signed)
    terms = [own[own != 0] for own in digits.transpose(0, 2, 3, 1, 4)]
    depth = tree_registers(max(1, *(len(t) for t in terms)))
    for own in terms:
        n = max(1, len(own))
        ff = tree_flip_flops(n, width) + (depth - tree_registers(n)) * (width + clog2(n))
        if family == "ecp5":
            logic = paired_tree(n, width) + int((own < 0).sum()) * x.bits
        else:
            logic = tree_adders(n, width) + inverters((own < 0).tolist()) * width
        total = total.plus(Resources(logic=logic, ff=ff))
    return total


def paired_tree(terms: int, width: int) -> int:
    """4-input LUTs of the adders of crq_tree on ECP5."""
    total = 0
    while terms > 1:
        total += terms // 2 * paired(width + 1)
        terms, width = (terms + 1) // 2, width + 1
    return total


def even(bits: int) -> int:
    """LUTs of a carry chain of `bits` on ECP5."""
    return bits + bits % 2


def paired(bits: int) -> int:
    """LUTs of an adder with a sum of `bits` on ECP5; narrow ones become LUTs without a chain."""
    return {3: 3, 4: 10}.get(bits, even(bits))


def shifted_lanes(digits: NDArray[np.int8], x: Format) -> Resources:
    """Sums of shifted terms: an adder's lowest bits are one operand's alone where the other is shifted further and not
    complemented (ones below a complemented term carry), and sums are registered without the bits that are constant."""
    signed = x.bits + (not x.signed)
    own = [np.argwhere(channel.reshape(-1, channel.shape[-1])) for channel in digits.transpose(0, 2, 3, 1, 4)]
    depth = tree_registers(max(1, *map(len, own)))
    logic = flip_flops = 0
    for channel, found in zip(digits.transpose(0, 2, 3, 1, 4), own, strict=True):
        flat = channel.reshape(-1, channel.shape[-1])
        negative = [bool(flat[f, k] < 0) for f, k in found]
        logic += inverters(negative) * x.bits
        # (lowest bit that is not constant, highest bit + 1, whether the constant bits below are ones)
        terms = [(int(k), int(k) + signed, n) for (_, k), n in zip(found, negative, strict=True)]
        level = 0
        while len(terms) > 1:
            pairs = list(zip(terms[::2], terms[1::2], strict=False))
            lone = [terms[-1]] if len(terms) % 2 else []
            sums = []
            for a, b in pairs:
                low, high = sorted((a, b))
                first = low[0] if high[2] else high[0]
                logic += max(a[1], b[1]) - first
                sums.append((low[0], max(a[1], b[1]) + 1, low[2]))
            terms = sums + lone
            if level % 2 or len(terms) == 1:
                flip_flops += sum(top - bottom for bottom, top, _ in terms)
            level += 1
        bits = sum(top - bottom for bottom, top, _ in terms)
        waits = depth - tree_registers(max(1, len(found))) + (len(found) == 1)  # a single term is registered once
        flip_flops += waits * bits
    return Resources(logic=logic, ff=flip_flops)


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
