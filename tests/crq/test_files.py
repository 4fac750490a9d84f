"""Atomic files."""

import hashlib
import json
from pathlib import Path

import pytest

from crq import files
from crq.errors import CrqError


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path) -> None:
    target = tmp_path / "deep" / "a.json"
    files.write_json(target, {"x": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        files.write_json(target, {"x": float("nan")})

    def interrupted() -> None:
        with files.atomic_path(target) as path:
            path.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert json.loads(target.read_text()) == {"x": 1}
    assert [entry.name for entry in target.parent.iterdir()] == ["a.json"]


def test_target_is_untouched_until_the_end(tmp_path) -> None:
    target = tmp_path / "a.txt"
    with files.atomic_path(target) as path:
        path.write_text("new")
        assert not target.exists()
        assert path.parent == target.parent
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o400


def test_sha256(tmp_path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_empty_folder(tmp_path) -> None:
    assert files.empty_folder(tmp_path / "new" / "run").is_dir()
    assert files.empty_folder(tmp_path / "new" / "run").is_dir()
    with pytest.raises(CrqError, match="output folder .*new is not empty"):
        files.empty_folder(tmp_path / "new")
    (tmp_path / "file").write_text("")
    with pytest.raises(CrqError, match="is a file; expected a folder"):
        files.empty_folder(tmp_path / "file")
    for path in (tmp_path / "file" / "x", tmp_path / ("a" * 300), Path("/proc/x")):
        with pytest.raises(CrqError, match="output folder .* cannot be written: .*; choose another"):
            files.empty_folder(path)
