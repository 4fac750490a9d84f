"""Atomic files."""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
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


def test_arrays_come_back_under_their_names(tmp_path) -> None:
    arrays = {"conv1": np.arange(6).reshape(2, 3), "fc.out": np.array([0.5], np.float32)}
    target = tmp_path / "new" / "a.npz"
    assert files.write_arrays(target, arrays) == target
    with np.load(target) as found:
        assert set(found) == set(arrays)
        for name, values in arrays.items():
            assert found[name].dtype == values.dtype
            assert np.array_equal(found[name], values)
    assert files.write_arrays(tmp_path / "odd.name", arrays).exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["new", "odd.name"]


def test_text_gives_back_its_path_and_the_usual_mode(tmp_path) -> None:
    assert files.write_text(tmp_path / "a", "ä") == tmp_path / "a"
    assert (tmp_path / "a").read_bytes() == "ä".encode()
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_many_threads_write_one_file_whole(tmp_path) -> None:
    texts = [str(number) * 100_000 for number in range(8)]
    umask = os.umask(0o027)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda text: files.write_text(tmp_path / "a", text), texts * 10))
    finally:
        assert os.umask(umask) == 0o027  # untouched by the threads
    assert (tmp_path / "a").read_text() in texts
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path) -> None:
    """A process that is still there keeps its own."""
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left, mine = (
        tmp_path / f".a.json.crq-{dead.stdout.strip()}-01234567.json",
        tmp_path / f".a.json.crq-{os.getpid()}-1.json",
    )
    other = tmp_path / f".b.json.crq-{dead.stdout.strip()}-01234567.json"
    for path in (left, mine, other):
        path.write_text("half")
    files.write_json(tmp_path / "a.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([mine.name, other.name, "a.json"])


def test_half_a_folder_goes_as_well(tmp_path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = tmp_path / f".p.crq-{dead.stdout.strip()}-01234567"
    (left / "firmware").mkdir(parents=True)
    assert not files.temporary_beside(tmp_path / "p").exists()
    assert not left.exists()


def test_a_temporary_path_is_told_by_its_target(tmp_path: Path) -> None:
    for name in ("a.npz", "folder", "a.b"):
        assert files.target_of(str(files.temporary_beside(tmp_path / name))) == str(tmp_path / name)
    assert files.target_of("/x/.hidden") == "/x/.hidden"


def test_what_cannot_be_written_is_told_of_the_target(tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for path, reason in (
        (tmp_path / "file" / "a.txt", f"{tmp_path / 'file'} is a file"),
        (tmp_path / "file" / "b" / "a.txt", f"{tmp_path / 'file'} is a file"),
        (tmp_path / "folder", "it is a folder"),
        (tmp_path / ("a" * 300), "File name too long"),
        (tmp_path / ("a" * 300) / "b", "File name too long"),
        (Path("/proc/x.txt"), "No such file or directory"),
        (Path("/proc/y/x.txt"), "No such file or directory"),
    ):
        with pytest.raises(CrqError) as refused:
            files.write_text(path, "new")
        assert str(refused.value) == f"{path} cannot be written: {reason}; choose another path"
        assert isinstance(refused.value, OSError)  # whoever writes a cache goes on without
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


def test_errors_of_other_files_pass(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="other"), files.atomic_path(tmp_path / "a"):
        (tmp_path / "other").read_text()
    assert not any(tmp_path.iterdir())
