"""What the pages share: one trained network of digits, small, made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.blocks import Block, Reader


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `runs/digits`: a short training and its file, as `crq run digits` lays them out."""
    folder = tmp_path_factory.mktemp("digits")
    before = Path.cwd()
    os.chdir(folder)
    try:
        text = (
            "crq train digits --epochs 4 -o runs/digits/train\n"
            "crq export runs/digits/train -o runs/digits/digits.onnx\n"
        )
        Reader().run(Block("sh", "", text, 0, "", ""), "tests/docs/conftest.py")
    finally:
        os.chdir(before)
    return folder
