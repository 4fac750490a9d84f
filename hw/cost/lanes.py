"""The price of adder trees whose weights are constants: what unrolled layers are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw.cost.primitives import inverters, tree_adders, tree_flip_flops
from hw.cost.resources import Resources
from hw.dataflow.bits import clog2
from hw.dataflow.schedule import tree_registers
from hw.ir.layers import Format


def constant_lanes(digits: NDArray[np.int8], x: Format) -> Resources:
    """Sums with weights (O, I, KH, KW, digit) as constants: zeros vanish, and a sign costs nothing inside an adder."""
    if digits.shape[-1] > 1:
        return shifted_lanes(digits, x)
    total = Resources()
    width = x.bits + (not x.signed)
    terms = [own[own != 0] for own in digits.transpose(0, 2, 3, 1, 4)]
    depth = tree_registers(max(1, *(len(t) for t in terms)))
    for own in terms:
        n = max(1, len(own))
        ff = tree_flip_flops(n, width) + (depth - tree_registers(n)) * (width + clog2(n))
        total = total.plus(Resources(logic=tree_adders(n, width) + inverters((own < 0).tolist()) * width, ff=ff))
    return total


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
