"""The reader of pages itself: what it finds, what it compares, how it fails."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from tests.support.blocks import Block, Reader, blocks, commands, matches

PAGE = """\
Text.

<!-- fails: 2 -->
```sh
crq build nothing.onnx \\
    -o x   # a comment
```

```toml title="a.toml"
x = 1
```
"""


def test_what_a_page_holds() -> None:
    first, second = blocks(PAGE)
    assert first == Block("sh", "", "crq build nothing.onnx \\\n    -o x   # a comment\n", 4, "fails", "2")
    assert (second.language, second.title, second.runs, first.runs) == ("toml", "a.toml", False, True)
    assert commands(first.text) == [["crq", "build", "nothing.onnx", "-o", "x"]]


@pytest.mark.parametrize(
    ("expected", "found", "vary", "equal"),
    [
        ("b\nc", "a\nb\nc\nd", False, True),
        ("b\nc", "b\nx\nc", False, False),
        ("b\n…\nc", "b\nx\nc", False, True),
        ("acc", "accuracy", False, False),
        ("97.77% of 1,234", "97.78% of 1,234", False, False),
        ("97.77% of 1,234", "8% of    12", True, True),
        ("97.77% of 1,234", "many of 12", True, False),
        ("no sign", "-3", True, False),
    ],
)
def test_comparison(expected: str, found: str, vary: bool, equal: bool) -> None:
    assert matches(expected, found, vary) is equal


def test_names_stay_and_exit_codes_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reader = Reader()
    reader.run(Block("python", "", "x = 20 + 3\n", 1, "", ""), "page.md")
    reader.run(Block("python", "", "print(x)\n", 3, "", ""), "page.md")
    assert (reader.printed, reader.code) == ("23\n", 0)
    reader.run(Block("sh", "", "crq inspect nothing.onnx\n", 5, "", ""), "page.md")
    assert reader.code == 2
    assert "nothing.onnx" in reader.printed
    reader.run(Block("sh", "", "exit 7\n", 7, "", ""), "page.md")
    assert reader.code == 7
    with pytest.raises(AssertionError, match=r"page\.md:9"):
        reader.run(Block("sh", "", "false\necho never\n", 9, "", ""), "page.md")


def test_an_error_in_a_block_names_page_and_line() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        Reader().run(Block("python", "", "a = 1\nb = a / 0\n", 40, "", ""), "docs/page.md")
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno) == ("docs/page.md", 42)
