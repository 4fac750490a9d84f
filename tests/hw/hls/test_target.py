"""The folder a project goes to: free, or a project that may be replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw.errors import HwError
from hw.hls.target import check_target


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_that_is_absent_or_empty_is_free(replace: bool, tmp_path: Path) -> None:
    check_target(tmp_path / "absent" / "deeper", replace)
    check_target(tmp_path, replace)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_is_no_folder(replace: bool, tmp_path: Path) -> None:
    file = tmp_path / "p"
    file.write_text("mine")
    with pytest.raises(HwError, match="p: is a file; expected a folder"):
        check_target(file, replace)
    assert file.read_text() == "mine"


def test_another_projects_folder_may_be_replaced_if_that_is_wished(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    check_target(tmp_path, replace=True)
    with pytest.raises(HwError, match="not empty; choose another, or remove it first"):
        check_target(tmp_path, replace=False)


@pytest.mark.parametrize("name", ["notes.txt", ".git", "manifest.json.old"])
def test_other_peoples_folders_are_never_replaced(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(HwError, match="holds no crq project; choose another"):
        check_target(tmp_path, replace=True)


def test_a_folder_that_is_named_as_the_manifest_makes_no_project(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(HwError, match="holds no crq project"):
        check_target(tmp_path, replace=True)
