"""What the library is told of the fabric."""

from __future__ import annotations

from crq.hw.rtl.fabric import DEFINES
from crq.hw.rtl.synth import FAMILIES
from crq.hw.rtl.verilog import library


def test_every_family_has_its_define_and_the_library_reads_it() -> None:
    text = "".join(library().values())
    assert set(DEFINES) == set(FAMILIES)
    for define in set(DEFINES.values()) - {"CRQ_GOWIN"}:  # which takes the plain form
        assert f"`ifdef {define.partition('=')[0]}" in text or f"`elsif {define.partition('=')[0]}" in text
