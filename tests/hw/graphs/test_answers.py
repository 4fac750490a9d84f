"""Questions of the search: what makes two of them differ, and which are worth a file."""

from __future__ import annotations

import numpy as np

from crq.hw.graphs.answers import Question, answers
from tests.hw.graphs.test_search import ternary


def question(**changes) -> Question:
    matrix = ternary(0, 12, 48).astype(np.int8)
    return Question(matrix, [(0, 3)] * 48, 3, 0, 0, 500, 0.0)._replace(**changes)


def test_every_argument_is_part_of_the_question() -> None:
    other = question().matrix.copy()
    other[0, 0] = -other[0, 0] or 1
    changed = [{"matrix": other}, {"ranges": [(0, 7)] * 48}, {"operands": 2}, {"levels": 9}, {"seed": 1}, {"moves": 7}]
    files = {question().file, *(question(**c).file for c in changed)}
    assert None not in files
    assert len(files) == 1 + len(changed)
    assert question().file == question().file


def test_what_is_found_at_once_or_depends_on_time_is_not_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert question(seconds=0.01).file is None
    small = question(matrix=question().matrix[:2], ranges=[(0, 3)] * 48)
    assert small.file is None
    assert len(list(answers(small))) == 1
    assert not (tmp_path / "crq" / "graphs").exists()


def test_the_second_time_an_answer_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    [first] = answers(question())
    again = next(answers(question()))
    assert np.array_equal(first.adders, again.adders)
    assert question().file in (tmp_path / "crq" / "graphs").iterdir()
