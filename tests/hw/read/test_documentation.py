"""docs/reading.md is written from the code."""

from __future__ import annotations

import re
from pathlib import Path

from crq.hw.read.constants import FOLDED
from crq.hw.read.documentation import reading_md
from crq.hw.read.reader import HANDLERS
from crq.hw.read.refusals import REFUSALS


def test_every_operator_and_every_refusal_is_in_it_once() -> None:
    text = reading_md()
    operators, folded = (text.split(f"\n## {title}\n")[1].split("\n## ")[0] for title in (
        "Operators on activations", "Operators folded when their inputs are constant"
    ))  # fmt: skip
    assert set(re.findall(r"`(\w+)`", operators.split("\n\n")[0])) == set(HANDLERS)
    assert re.findall(r"`(\w+)`", folded) == sorted(FOLDED)
    rows = re.findall(r"^\| `([\w-]+)` \| [^|]+ \| [^|]+ \|$", text.split("\n## Refusals\n")[1], re.MULTILINE)
    assert rows == list(REFUSALS)


def test_the_document_is_current() -> None:

    from crq.hw.read.documentation import reading_md

    assert (Path(__file__).parents[3] / "docs" / "reading.md").read_text() == reading_md()
