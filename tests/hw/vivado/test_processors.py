"""The processors of block designs."""

from __future__ import annotations

from crq.hw.devices import catalog
from crq.hw.vivado.processors import PROCESSORS


def test_every_family_is_one_of_the_catalog() -> None:
    families = {catalog.find(die).family for die in catalog.dies()}
    assert set(PROCESSORS) <= families
