"""Units of every kind with every shape of window, for tests of the RTL forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crq.hw.dataflow.units import Unit, units
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder

SAME = (1, 1, 1, 1)
Make = Callable[[GraphBuilder], str]

# Shape and type of the input; the last layer is the unit.
WINDOWS: dict[str, tuple[tuple[int, ...], str, Make]] = {
    "plain": ((4, 5, 6), "UINT4", lambda g: g.conv("x", 6)),
    "stride 2": ((4, 7, 6), "UINT4", lambda g: g.threshold(g.conv("x", 6, strides=(2, 2), pads=SAME), 3)),
    "5x5": ((2, 6, 5), "INT3", lambda g: g.threshold(g.conv("x", 4, (5, 5), pads=(2, 2, 2, 2)), 4)),
    "uneven pads": ((2, 4, 5), "UINT2", lambda g: g.conv("x", 4, (3, 2), pads=(0, 1, 2, 0))),
    "dilation": ((4, 6, 7), "UINT2", lambda g: g.conv("x", 4, pads=(2, 2, 2, 2), dilations=(2, 2))),
    "uneven dilation": ((2, 7, 6), "INT4", lambda g: g.conv("x", 2, (2, 3), (2, 1), (1, 0, 0, 2), (3, 2))),
    "groups": ((4, 5, 4), "UINT4", lambda g: g.threshold(g.conv("x", 8, pads=SAME, group=2), 4, signed=True)),
    "depthwise": ((6, 5, 4), "UINT4", lambda g: g.threshold(g.conv("x", 6, pads=SAME, group=6), 4)),
    "1x1": ((6, 4, 3), "UINT4", lambda g: g.threshold(g.conv("x", 8, (1, 1)), 4)),
    "1x1, stride 2": ((4, 5, 6), "UINT4", lambda g: g.threshold(g.conv("x", 6, (1, 1), (2, 2)), 5, signed=True)),
    "1x1, stride 2 and 3": ((2, 6, 8), "INT2", lambda g: g.conv("x", 4, (1, 1), (2, 3))),
    "1-D": ((3, 14), "INT6", lambda g: g.threshold(g.conv("x", 4, (5,), strides=(2,), pads=(1, 3)), 4)),
    "1-D, dilated": ((4, 11), "UINT3", lambda g: g.conv("x", 6, (3,), dilations=(2,), pads=(2, 2), group=2)),
    "dense": ((4, 3, 2), "UINT4", lambda g: g.threshold(g.matmul(g.flatten("x"), 6), 4)),
    "dense, bare": ((12,), "INT5", lambda g: g.matmul("x", 4)),
    "INT8": ((4, 4, 4), "INT4", lambda g: g.conv("x", 4, (2, 2), weight_type="INT8")),
    "INT4": ((4, 4, 4), "UINT4", lambda g: g.threshold(g.conv("x", 4, (2, 2), weight_type="INT4"), 4)),
    "BIPOLAR": ((4, 4, 4), "UINT1", lambda g: g.bipolar(g.conv("x", 4, (2, 2), weight_type="BIPOLAR"))),
    "bit": ((4, 4, 4), "UINT4", lambda g: g.threshold(g.conv("x", 4, (2, 2)), 1)),
    "six bits": ((4, 4, 4), "UINT4", lambda g: g.threshold(g.conv("x", 8, (2, 2)), 6, signed=True)),
    "sum pool": ((4, 4, 6), "UINT4", lambda g: g.threshold(g.sum_pool("x", (2, 2)), 3)),
    "one row": ((4, 1, 7), "UINT4", lambda g: g.conv("x", 4, (1, 3), pads=(0, 1, 0, 1))),
    "one row, 3x3": ((2, 1, 6), "UINT4", lambda g: g.conv("x", 4, pads=SAME)),
    "one column": ((2, 6, 1), "UINT4", lambda g: g.conv("x", 4, (3, 1), pads=(1, 0, 1, 0))),
    "stride above the kernel": ((2, 8, 8), "UINT4", lambda g: g.conv("x", 2, (2, 2), (3, 3))),
    "windows in padding": ((2, 3, 3), "UINT4", lambda g: g.conv("x", 2, (1, 2), pads=(2, 2, 3, 2))),
    "max pool": ((6, 6, 4), "UINT4", lambda g: g.max_pool("x")),
    "max pool, signed": ((4, 5, 4), "INT4", lambda g: g.max_pool("x", (3, 2), (1, 1), (1, 1, 1, 0))),
    "max pool, overlapping": ((4, 7, 7), "UINT3", lambda g: g.max_pool("x", (3, 3), (2, 2), SAME)),
    "max pool, 1-D": ((4, 9), "INT3", lambda g: g.max_pool("x", (2,))),
}  # fmt: skip

UNEVEN = np.sort(np.random.default_rng(5).integers(-128, 128, (4, 7)), axis=1)
ROUNDED = np.tile(np.array([9, 24, 41, 56, 73, 88, 105]), (4, 1))  # x / 16, half to even
STREAMS: dict[str, tuple[tuple[int, ...], str, Make]] = {
    "concat": ((4, 3, 3), "UINT4", lambda g: g.concat("x", g.conv("x", 6, (1, 1)), "x")),
    "add": ((4, 3, 3), "UINT4", lambda g: g.add("x", g.conv("x", 4, (1, 1)))),
    "add, thresholds": ((4, 3, 3), "UINT4", lambda g: g.threshold(g.add("x", g.bias("x")), 4)),
    "add, rounding": ((4, 3, 3), "UINT6", lambda g: g.threshold(g.add("x", "x"), 3, table=ROUNDED)),
    "add, six bits": ((4, 3, 3), "INT6", lambda g: g.threshold(g.add("x", g.negate("x")), 6, signed=True)),
    "threshold": ((4, 3, 3), "INT8", lambda g: g.threshold("x", 3, signed=True, table=UNEVEN)),
    "rounding": ((4, 3, 3), "UINT7", lambda g: g.threshold("x", 3, table=ROUNDED)),
    "bias": ((4, 3, 3), "INT4", lambda g: g.bias("x")),
    "negate": ((4, 3, 3), "INT4", lambda g: g.negate("x", np.array([-1, 1, 1, -1]))),
    "shift": ((4, 3, 3), "INT4", lambda g: g.shift("x", 3)),
    "global sum": ((6, 3, 4), "INT5", lambda g: g.global_sum("x")),
    "global sum of one pixel": ((6, 1, 1), "UINT5", lambda g: g.global_sum("x")),
}  # fmt: skip


def network_of(name: str, number: int) -> Network:
    """The network of a case, whose last unit it is about; `number` gives its modules names of their own."""
    shape, dtype, make = (WINDOWS | STREAMS)[name]
    g = GraphBuilder(shape, dtype, seed=3)
    g.count = 100 * number
    return Network(g.finish(make(g)))


def built(name: str, number: int) -> Unit:
    """The unit of a case."""
    return units(network_of(name, number))[-1]
