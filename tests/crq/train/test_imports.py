"""Objects by import path: what is found, and what is said where nothing is."""

import sys

import pytest

from crq.errors import CrqError
from crq.train.imports import named


def test_a_module_of_the_current_folder_is_found(tmp_path, monkeypatch) -> None:
    (tmp_path / "mine_of_a_test.py").write_text("ANSWER = 42\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert named("mine_of_a_test:ANSWER", "callbacks") == 42


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("json", "callbacks: 'json' must be module:name"),
        (":dumps", "must be module:name"),
        ("json:dumsp", "callbacks: module json has no 'dumsp'.*did you mean"),
        ("no_such_module_here:x", "needs the module no_such_module_here, which is not found. Install it"),
    ],
)
def test_what_is_not_there_is_named(path: str, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        named(path, "callbacks")
