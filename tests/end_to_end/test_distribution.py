"""What `pip install crq` brings: every file, under the one name crq, from the sources' archive and from a wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import setuptools.build_meta as b, sys; print(getattr(b, sys.argv[1])(sys.argv[2]))"


def tracked() -> list[str]:
    """The product's files in the repository, by the names they have when installed."""
    listed = subprocess.run(
        ["git", "ls-files", "crq", "export", "hw"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    links = {"crq/export", "crq/hw"}
    return sorted(name if name.startswith("crq/") else f"crq/{name}" for name in set(listed.stdout.split()) - links)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Made from the archive of sources, which was made from what git tracks."""
    folder = tmp_path_factory.mktemp("distribution")
    sources = folder / "sources"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if (ROOT / name).exists():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, sources / name, follow_symlinks=False)
    run([sys.executable, "-c", BUILD, "build_sdist", str(folder)], sources)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    run([sys.executable, "-c", BUILD, "build_wheel", str(folder)], unpacked)
    (made,) = folder.glob("*.whl")
    return made


def run(command: list[str], folder: Path, **environment: str) -> str:
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=known | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_it_holds_every_file_and_one_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = [name for name in file.namelist() if ".dist-info/" not in name]
    assert sorted(names) == tracked()
    assert {name.split("/")[0] for name in names} == {"crq"}


def test_modules_of_the_users_with_short_names_are_safe(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "installed")
    for name in ("export.py", "hw.py"):
        (tmp_path / name).write_text("MINE = True\n")
    code = (
        "import export, hw, crq.export, crq.hw, crq.hw.hls.plugin\n"
        "from crq.cli import main\n"
        "print(export.MINE, hw.MINE, crq.hw.__file__)\n"
        "main(['recipes'], standalone_mode=False)"
    )
    said = run([sys.executable, "-c", code], tmp_path, PYTHONPATH=f"{tmp_path / 'installed'}{os.pathsep}{tmp_path}")
    assert said.startswith(f"True True {tmp_path / 'installed' / 'crq' / 'hw' / '__init__.py'}")
    assert "digits" in said


@pytest.mark.slow
def test_it_runs_the_main_job_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    pins = str(ROOT / "scripts" / "constraints.txt")
    run([python, "-m", "pip", "install", "-q", "-c", pins, str(wheel)], tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    crq = str(tmp_path / "venv" / "bin" / "crq")
    run([crq, "run", "digits", "--epochs", "6"], outside)
    verdicts = json.loads((outside / "runs" / "digits" / "digits_hls" / "verdicts.json").read_text())["found"]
    found = verdicts["run against the live PyTorch model"]
    assert found["equal"]
    assert found["differing"] == 0 < found["images"]
