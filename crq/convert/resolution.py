"""How many bits of codes a layer's sums have room for, known before any training.

A sum becomes a code by float32 on one machine and by float64 on another. Float32 rounds large sums, so the more codes
there are for such sums, the likelier some sum has two codes; `freeze` moves the bias until none has, where it can.
"""

from __future__ import annotations

import math

from torch import nn

from crq.convert.activations import Activation
from crq.convert.supported import TRANSPOSED
from crq.quant.layers import IntegerLayer, QuantLayer

LIMITS = {8: 21.5, 7: 23.0, 6: 24.6, 5: 25.16}
"""log2 of the largest sums on which all layers of 256 channels, of random weights on bytes, froze at so many bits:
the first command of benchmarks/calibration/resolution.py."""
INNER_LIMITS = {8: 22.5, 7: 23.99, 6: 23.99, 5: 24.6}
"""The same of layers that read codes behind a ReLU: the second command."""
FEWEST = 4
_FLAT = ("Sigmoid", "HardSigmoid", "Softsign")
_ROOM, _FLAT_ROOM = 19.0, 17.0
"""log2 of the largest sum on which codes of 4 bits freeze behind a function that machines round differently; a quarter
of it for each bit more. By the same benchmark. Functions with a valley have the usual room, but a quantizer before them
saves LUTs: one table of few values takes the place of two of all sums."""


def largest_sum(layer: QuantLayer, code: int) -> int:
    """The largest sum that `layer` can give of input codes up to `code`, whatever its weights will be."""
    assert isinstance(layer.weight, nn.Parameter)
    shape = layer.weight.shape
    groups = getattr(layer, "groups", 1)
    products = shape[0] // groups * math.prod(shape[2:]) if isinstance(layer, TRANSPOSED) else math.prod(shape[1:])
    return products * code * (2 ** (layer.weight_bits - 1) - 1 if isinstance(layer, IntegerLayer) else 1)


def code_bits(largest: int, inner: bool = False) -> int:
    """Most bits of codes for sums up to `largest` of a layer that reads the network's input, or of an `inner` one."""
    limits = INNER_LIMITS if inner else LIMITS
    return next((bits for bits, limit in limits.items() if largest <= 2**limit), FEWEST)


def doubt(
    name: str, layer: nn.Module | None, largest: int, bits: int, inner: bool, key: str | None = None
) -> str | None:
    """What to warn of where `bits` of codes are wanted behind integer `layer`, with sums up to `largest`.

    inner: as in `code_bits`. key: of the configuration, where those bits are set; None: beneath a function, which then
    reads fewer.
    """
    most = code_bits(largest, inner)
    if not isinstance(layer, IntegerLayer) or bits <= most:
        return None
    remedies = [] if key is None else [f"set {key} = {most}"]
    if (fewer := narrowed(layer.weight_bits, largest, bits, inner)) > 1:
        remedies = [f"add {name!r}: {{'integer': {fewer}}} at the end of layers", *remedies]
    then = "freeze then fails after training" if key else f"the function behind it reads codes of {most} bits"
    what = f"layer {name!r} has sums up to {largest:,}, on which codes of {bits} bits may lie too close for float32"
    told = f"{what}; {then}"
    return f"{told}. To be safe, {', or '.join(remedies)}" if remedies else told


def too_dense(activation: Activation, largest: int, bits: int) -> bool:
    """Whether some sum of those up to `largest` may have two codes of `bits` behind `activation`."""
    if activation.function.exact:
        return False
    flat = activation.kind in _FLAT or activation.function.valley is not None
    room = (_FLAT_ROOM if flat else _ROOM) - 2 * max(0, bits - FEWEST)
    return largest > 2**room


def narrowed(weight_bits: int, largest: int, bits: int, inner: bool = False) -> int:
    """To how many bits weights must shrink from `weight_bits`, with which sums reach `largest`, for codes of `bits`."""
    limits = INNER_LIMITS if inner else LIMITS
    return weight_bits - math.ceil(math.log2(largest) - limits[bits])
