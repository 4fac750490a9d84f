"""docs/training.md is what the code says."""

from pathlib import Path

from crq.convert.documentation import training_md

DOCUMENT = Path(__file__).parents[3] / "docs" / "training.md"


def test_the_document_is_current() -> None:
    assert training_md() == DOCUMENT.read_text(encoding="utf-8"), (
        "python -m crq.convert.documentation > docs/training.md"
    )
