"""A function of the user's by name: found in the current folder, or an error that says what is in the way."""

import sys
from pathlib import Path

import pytest

from crq.errors import CrqError
from crq.importing import find, is_function


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:f", r"there is no module 'nowhere'; expected nowhere\.py in "),
        ("torch:nothing", "module 'torch' has no 'nothing'"),
        ("torch:sigmoidd", r"module 'torch' has no 'sigmoidd' \(did you mean 'sigmoid'\?\)"),
        ("torch:pi", "is float; expected a function"),
    ],
)
def test_what_is_not_there_is_named(name: str, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        find(name)


def test_the_current_folder_is_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_of_this_test.py").write_text("def load():\n    return []\n")
    (tmp_path / "broken_of_this_test.py").write_text("import nothing_like_it\n")
    (tmp_path / "wrong_of_this_test.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", sys.path[:])
    assert find("mine_of_this_test:load")() == []
    with pytest.raises(CrqError, match="module broken_of_this_test needs nothing_like_it, which is not installed"):
        find("broken_of_this_test:load")
    with pytest.raises(CrqError, match="importing 'wrong_of_this_test' failed: ZeroDivisionError"):
        find("wrong_of_this_test:load")


def test_names() -> None:
    assert is_function("a.b:c")
    for other in ("digits", "C:/data", "a:b:c", "data/x.csv", "a:"):
        assert not is_function(other)
