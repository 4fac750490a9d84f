"""README.md of an RTL project."""

from __future__ import annotations

import pytest

from crq.hw.rtl.readme import readme_md
from tests.support.rtl_projects import project


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_it_says_what_goes_in_and_comes_out(io_type: str) -> None:
    found = project(io_type)
    text = readme_md(found.plan, found.manifest)
    assert text == (found.directory / "README.md").read_text()
    words = {
        "io_stream": "50 words of 8 bits per image, 1 value",
        "io_parallel": "1 word of 256 bits per image, 50 values",
    }
    assert f"{words[io_type]} in each" in text
    assert "`s_axis_tlast` is ignored" in text
    assert ("4 of the 8 bits of such a word are used: more lanes" in text) == (io_type == "io_stream")
    assert "| `conv1` (module `unit_conv1`) | Conv | 5×5×3 | 54 TERNARY |" in text
    assert (
        f"An image every {'cycle:' if io_type == 'io_parallel' else f'{found.plan.pipeline.interval:,} cycles:'}"
        in text
    )
    assert "CRQ_XILINX=4" in text
    assert "{" not in text
    assert all(len(line) <= 140 for line in text.splitlines() if not line.startswith(("|", "Folded", "- ", "Syst")))


def test_integer_layers_are_shifts_and_additions() -> None:
    found = project()
    assert "No layer multiplies.\n" in readme_md(found.plan, found.manifest)
