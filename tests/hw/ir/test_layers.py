"""Every stage has a rule for every kind of layer: a new kind that misses one fails here."""

from __future__ import annotations

import inspect
from collections.abc import Collection

import hls4ml  # noqa: F401  # before the backend's classes, which derive from its own
import pytest

from crq.hw.cost import parallel
from crq.hw.cost.units import COSTS
from crq.hw.dataflow.windows import WINDOWS
from crq.hw.forms.comments import TITLES
from crq.hw.hls.emit import EMITTERS
from crq.hw.hls.layers import CLASSES
from crq.hw.ir import layers
from crq.hw.ir.interpret import RULES
from crq.hw.ir.layers import KINDS, Flatten, Layer, Mac
from crq.hw.rtl import parallel as unrolled
from crq.hw.rtl.generate import BODIES

HARDWARE = set(KINDS) - {Flatten}
"""A flatten renames a stream: no stage that builds hardware meets one."""

TABLES: dict[str, tuple[Collection[type[Layer]], set[type[Layer]]]] = {
    "crq.hw.ir.interpret.RULES": (RULES, set(KINDS)),
    "crq.hw.dataflow.windows.WINDOWS": (WINDOWS, HARDWARE),
    "crq.hw.cost.units.COSTS": (COSTS, HARDWARE),
    "crq.hw.cost.parallel.PARTS": (parallel.PARTS, HARDWARE),
    "crq.hw.hls.layers.CLASSES": (CLASSES, HARDWARE),
    "crq.hw.forms.comments.TITLES": (TITLES, HARDWARE),
    "crq.hw.hls.emit.EMITTERS": (EMITTERS, HARDWARE),
    "crq.hw.rtl.generate.BODIES": (BODIES, HARDWARE),
    "crq.hw.rtl.parallel.BODIES": (unrolled.BODIES, HARDWARE),
}


def test_the_kinds_are_all_concrete_layers() -> None:
    defined = {c for _, c in inspect.getmembers(layers, inspect.isclass) if issubclass(c, Layer)}
    assert defined - {Layer, Mac} == set(KINDS)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_every_kind(name: str) -> None:
    table, kinds = TABLES[name]
    assert set(table) == kinds, f"{name} lacks or has too many kinds"
