"""Batches pass a bar as they are; it is shown where somebody wants it, and on the error stream."""

import pytest

from crq.progress import counted


@pytest.mark.parametrize("show", [False, True])
def test_batches_pass_and_the_bar_is_no_output(show: bool, capsys: pytest.CaptureFixture[str]) -> None:
    given = [(2, "ab"), (1, "c")]
    assert list(counted(given, "reading", 3, show)) == ["ab", "c"]
    found = capsys.readouterr()
    assert found.out == ""
    assert ("reading" in found.err and "100%" in found.err) is show
