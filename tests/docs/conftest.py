"""What the pages share: one trained network of digits, small in the fast tests, whole in the slow ones, made once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.support.blocks import Block, Reader

SHORT = """\
crq train digits --epochs 4 -o runs/digits/train
crq export runs/digits/train -o runs/digits/digits.onnx
"""


def made(folder: Path, commands: str) -> Path:
    """The folder in which the commands ran."""
    reader = Reader()
    with contextlib.chdir(folder):
        reader.run(Block("sh", "", commands, 0, "", ""), "tests/docs/conftest.py")
    assert reader.code == 0, reader.printed
    return folder


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `runs/digits`: a short training and its file, as `crq run digits` lays them out."""
    return made(tmp_path_factory.mktemp("digits"), SHORT)


@pytest.fixture(scope="session")
def whole_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `runs/digits` as `crq run digits` leaves it; a page that runs it again takes it up."""
    return made(tmp_path_factory.mktemp("whole"), "crq run digits\n")
