"""Links of pages that do not lie in docs/, and pipes in code."""

from __future__ import annotations

import pytest

pytest.importorskip("material", reason="mkdocs-material is not installed")

from scripts.docs.hooks import elsewhere, moved, piped

PAGES = {"CHANGELOG.md": "project/changes.md", "examples/unet/README.md": "examples/unet.md"}


@pytest.mark.parametrize(
    ("source", "page", "link", "becomes"),
    [
        ("CHANGELOG.md", "project/changes.md", "[d](docs/data.md)", "[d](../data.md)"),
        ("CHANGELOG.md", "project/changes.md", "[d](docs/data.md#sound)", "[d](../data.md#sound)"),
        ("docs/data.md", "data.md", "[u](../examples/unet)", "[u](examples/unet.md)"),
        ("examples/unet/README.md", "examples/unet.md", "[c](../../CHANGELOG.md)", "[c](../project/changes.md)"),
        ("docs/data.md", "data.md", "[code](../scripts/docs/plot.py)", "`code`"),
        ("docs/data.md", "data.md", "[x](no-such-page.md)", "[x](no-such-page.md)"),
        ("docs/data.md", "data.md", "[x](../no/such/file)", "[x](../no/such/file)"),
        ("docs/data.md", "data.md", "[x](https://a.b/c)", "[x](https://a.b/c)"),
        ("docs/data.md", "data.md", "[x](#here)", "[x](#here)"),
    ],
)
def test_links(source: str, page: str, link: str, becomes: str) -> None:
    assert moved(link, source, page, PAGES) == becomes


def test_every_example_has_a_page() -> None:
    assert len([page for page in elsewhere().values() if page.startswith("examples/")]) >= 10


def test_pipes_in_tables_alone() -> None:
    row = r"| `a\|b<c` | x |"
    assert piped(row) == "| <code>a&#124;b&lt;c</code> | x |"
    assert piped("`a\\|b`") == "`a\\|b`"
