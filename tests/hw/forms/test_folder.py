"""The folder a project goes to: what is free, what may be replaced, and what is nobody's to delete."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from crq import hw
from crq.hw.errors import HwError
from crq.hw.forms.folder import check_target, foreign, named, own, put, settle
from tests.support.random_graphs import GraphBuilder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    g = GraphBuilder((4,), "UINT4")
    return hw.build(g.finish(g.matmul("x", 2)), tmp_path_factory.mktemp("built") / "p").directory


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "p", symlinks=True))


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


def test_a_project_as_it_was_built_may_be_replaced_if_that_is_wished(project: Path) -> None:
    assert foreign(project) == []
    check_target(project, replace=True)
    with pytest.raises(HwError, match="not empty; choose another, or remove it first"):
        check_target(project, replace=False)


@pytest.mark.parametrize("name", ["notes.txt", ".git", "manifest.json.old"])
def test_other_peoples_folders_are_never_replaced(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(HwError, match="holds no crq project; choose another"):
        check_target(tmp_path, replace=True)


def test_a_folder_that_is_named_as_the_manifest_makes_no_project(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(HwError, match="holds no crq project"):
        check_target(tmp_path, replace=True)


def added(project: Path) -> str:
    (project / "solution1").mkdir()
    (project / "solution1" / "notes.txt").write_text("mine")
    return "solution1/notes.txt"


def edited(project: Path) -> str:
    path = next((project / "firmware").glob("*.cpp"))
    path.write_text(path.read_text() + "// mine\n")
    return str(path.relative_to(project))


def linked(project: Path) -> str:
    (project / "data").symlink_to(project.parent)
    return "data"


def edited_list(project: Path) -> str:
    """A manifest that cannot be read says nothing of what is the product's."""
    (project / "manifest.json").write_text("{}")
    return "firmware/"


@pytest.mark.parametrize("change", [added, edited, linked, edited_list])
def test_what_the_product_did_not_write_is_named_and_kept(change, project: Path, tmp_path: Path) -> None:
    name = change(project)
    assert any(name in path for path in foreign(project))
    with pytest.raises(HwError, match="holds what crq did not write, or what was changed since"):
        check_target(project, replace=True)
    before = {p.relative_to(project): p.read_bytes() for p in project.rglob("*") if p.is_file()}
    (tmp_path / "new").mkdir()
    kept = put(tmp_path / "new", project)
    assert kept == tmp_path / "p.old1"
    assert {p.relative_to(kept): p.read_bytes() for p in kept.rglob("*") if p.is_file()} == before
    assert list(project.iterdir()) == []
    (project / "mine").write_text("mine")
    (tmp_path / "newer").mkdir()
    assert put(tmp_path / "newer", project) == tmp_path / "p.old2"
    assert kept.is_dir()


def test_what_later_commands_record_is_the_products_own_until_it_changes(project: Path) -> None:
    first, second = project / "build" / "first.txt", project / "build" / "second.txt"
    first.parent.mkdir(exist_ok=True)
    for file in (first, second):
        file.write_text(file.name)
        own(project, file)
    assert foreign(project) == []
    check_target(project, replace=True)
    third = project / "build" / "third.txt"
    third.write_text("3")
    second.write_text("mine now")
    own(project, third, instead_of=[first, second])
    assert not first.exists()
    assert foreign(project) == ["build/second.txt"]


def test_a_project_of_the_products_own_gives_way(project: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert put(tmp_path / "new", project) is None
    assert list(tmp_path.iterdir()) == [project]
    assert list(project.iterdir()) == []


def test_a_new_folder_comes_with_its_parents(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert put(tmp_path / "new", tmp_path / "a" / "b") is None
    assert (tmp_path / "a" / "b").is_dir()


def test_an_interrupted_replacement_leaves_the_old_or_the_new_folder(project: Path, tmp_path: Path) -> None:
    """After the first of two renames the old one returns; after the second the rest is cleared."""
    aside = tmp_path / ".p.replaced"
    project.rename(aside)
    settle(project)
    assert (project / "manifest.json").is_file()
    assert not aside.exists()
    shutil.copytree(project, aside, symlinks=True)
    settle(project)
    assert not aside.exists()
    assert (project / "manifest.json").is_file()
    aside.mkdir()
    (aside / "mine").write_text("mine")
    assert settle(project) == tmp_path / "p.old1"
    assert (tmp_path / "p.old1" / "mine").is_file()
    assert not aside.exists()


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_rerun_goes_on_wherever_the_first_was_killed(
    at: int, changed: bool, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its first, second or third rename; nothing is cleared up, as by SIGKILL."""
    if changed:
        added(project)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "new.txt").write_text("new")
    done, rename = 0, os.rename

    class Killed(BaseException):
        pass

    def dying(source: Path, target: Path) -> None:
        nonlocal done
        done += 1
        if done >= at:
            raise Killed
        rename(source, target)

    with monkeypatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr("crq.hw.forms.folder.os.rename", dying)
        put(tmp_path / "new", project)
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "newer.txt").write_text("newer")
    put(tmp_path / "newer", project)
    assert [path.name for path in project.iterdir()] == ["newer.txt"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    notes = list(tmp_path.rglob("notes.txt"))
    assert len(notes) == changed
    assert all(path.read_text() == "mine" for path in notes)


def test_a_rename_that_fails_leaves_the_old_folder(project: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        put(tmp_path / "absent", project)
    assert foreign(project) == []


def test_a_few_names_stand_for_many() -> None:
    assert named(["a", "b"]) == "a, b"
    assert named([str(i) for i in range(1200)]) == "0, 1, 2 and 1,197 more"
