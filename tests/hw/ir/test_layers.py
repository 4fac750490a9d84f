"""Every stage has a rule for every kind of layer: a new kind that misses one fails here."""

from __future__ import annotations

import inspect
from collections.abc import Collection

import hls4ml  # noqa: F401  # before the backend's classes, which derive from its own
import pytest

from hw.cost import parallel
from hw.cost.units import COSTS
from hw.dataflow.windows import WINDOWS
from hw.forms.comments import TITLES
from hw.hls.emit import EMITTERS
from hw.hls.layers import CLASSES
from hw.ir import layers
from hw.ir.interpret import RULES
from hw.ir.layers import KINDS, Flatten, Layer, Mac
from hw.rtl import parallel as unrolled
from hw.rtl.generate import BODIES

HARDWARE = set(KINDS) - {Flatten}
"""A flatten renames a stream: no stage that builds hardware meets one."""

TABLES: dict[str, tuple[Collection[type[Layer]], set[type[Layer]]]] = {
    "hw.ir.interpret.RULES": (RULES, set(KINDS)),
    "hw.dataflow.windows.WINDOWS": (WINDOWS, HARDWARE),
    "hw.cost.units.COSTS": (COSTS, HARDWARE),
    "hw.cost.parallel.PARTS": (parallel.PARTS, HARDWARE),
    "hw.hls.layers.CLASSES": (CLASSES, HARDWARE),
    "hw.forms.comments.TITLES": (TITLES, HARDWARE),
    "hw.hls.emit.EMITTERS": (EMITTERS, HARDWARE),
    "hw.rtl.generate.BODIES": (BODIES, HARDWARE),
    "hw.rtl.parallel.BODIES": (unrolled.BODIES, HARDWARE),
}


def test_the_kinds_are_all_concrete_layers() -> None:
    defined = {c for _, c in inspect.getmembers(layers, inspect.isclass) if issubclass(c, Layer)}
    assert defined - {Layer, Mac} == set(KINDS)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_every_kind(name: str) -> None:
    table, kinds = TABLES[name]
    assert set(table) == kinds, f"{name} lacks or has too many kinds"
