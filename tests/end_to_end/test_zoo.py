"""The trained networks in examples/zoo still read, build and simulate to the integers stored with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.zoo import ZOO, cards, readme
from crq import hw
from crq.hw.ir.interpret import evaluate, from_stream
from crq.train.recipe import built_in, load

FILES = sorted(ZOO.glob("*.onnx"))
LARGE = 60_000  # bytes


def test_every_network_has_a_card_and_the_page_shows_it() -> None:
    assert {file.stem for file in FILES} == {row["name"] for row in cards()}
    assert (ZOO / "README.md").read_text(encoding="utf-8") == readme()
    assert sum(path.stat().st_size for path in ZOO.iterdir()) < 1_000_000


@pytest.mark.parametrize("row", cards(), ids=lambda row: row["name"])
def test_a_card_is_of_an_exact_run_and_its_command_exists(row: dict[str, str]) -> None:
    assert row["differing"] == "0"
    assert int(row["images"]) > 0
    assert float(row["frozen"]) == float(row["simulated"])
    recipe = row["command"].removeprefix("crq run ")
    assert load(recipe if recipe in built_in() else ZOO.parents[1] / recipe).name == row["name"]


def timed(file: Path) -> object:
    return pytest.param(file, marks=pytest.mark.slow) if file.stat().st_size > LARGE else file


@pytest.mark.parametrize("file", [timed(file) for file in FILES], ids=lambda f: f.stem)
def test_it_still_gives_its_integers(file: Path, tmp_path: Path) -> None:
    stored = np.load(file.with_suffix(".npz"))
    codes, integers = stored["codes"], stored["integers"].reshape(len(stored["codes"]), -1)
    assert integers.std() > 0
    project = hw.build(file, tmp_path / "p")
    in_numpy = from_stream(project.network, evaluate(project.network, codes))
    assert np.array_equal(in_numpy.reshape(integers.shape), integers)
    assert np.array_equal(project.integers(codes, layout="NCHW").reshape(integers.shape), integers)
