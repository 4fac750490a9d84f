"""`load` takes the names that a recipe takes, and gives the same samples."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from crq.errors import CrqError
from crq.train import data, recipe
from crq.train.setup import Setup
from tests.support.recipes import values

RNG = np.random.default_rng(0)


def rows(found: data.ImageData | data.ValueData) -> set[tuple[float, ...]]:
    """Every sample with its label, whatever the order."""
    return {(*np.asarray(x, np.float32).ravel().tolist(), float(y)) for x, y in (found[i] for i in range(len(found)))}


def test_arrays_tables_and_functions_come_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = RNG.normal(size=(50, 3)).round(3).astype(np.float32), np.arange(50) % 3
    expected = {(*row.tolist(), float(label)) for row, label in zip(x, y, strict=True)}
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", X=x, y=y)
    np.save("x.npy", x)
    np.save("y.npy", y)
    lines = [",".join([*map(repr, row.tolist()), str(label)]) for row, label in zip(x, y, strict=True)]
    Path("own.csv").write_text("\n".join(["a,b,c,state", *lines]) + "\n")
    Path("own_function_of_this_test.py").write_text(
        "import numpy as np, torch\nfrom torch.utils.data import TensorDataset\n"
        "def load(file):\n    f = np.load(file)\n    return TensorDataset(torch.tensor(f['X']), torch.tensor(f['y']))\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    given: dict[str, dict] = {
        "own.npz": {}, "x.npy": {}, "own.csv": {"label_column": "state"},
        "own_function_of_this_test:load": {"options": {"file": "own.npz"}},
    }  # fmt: skip
    for name, keys in given.items():
        assert rows(data.load(f"{name}:all", **keys)) == expected
        train, test = (data.load(f"{name}:{split}", **keys) for split in ("train", "test"))
        assert (len(train), len(test)) == (40, 10)
        assert rows(train) | rows(test) == expected
        batch, labels = next(iter(DataLoader(train, batch_size=7)))
        assert (batch.shape, batch.dtype, labels.dtype) == ((7, 3), torch.float32, torch.int64)
    assert rows(data.load("own.npz:all", tmp_path)) == expected
    numbers = data.load("own.csv:all", kind="numbers", label_column=("b", "state"))
    assert torch.equal(numbers.labels, torch.tensor(np.stack([x[:, 1], y], 1), dtype=torch.float32))


def test_a_loop_trains_on_what_a_recipe_trains_on(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", x=RNG.integers(0, 256, (300, 1, 8, 8), dtype=np.uint8), y=np.arange(300) % 10)
    for name in (str(tmp_path / "own.npz"), "digits"):
        section = {"name": name, "validation": 0.1}
        setup = Setup(recipe.parse(values(data=section)))
        assert rows(data.load(f"{name}:fit")) == rows(setup.data)
        assert rows(data.load(f"{name}:test")) == rows(setup.test)


@given(st.text(max_size=12))
def test_a_name_without_a_split_is_refused(name: str) -> None:
    with pytest.raises(CrqError, match="must be name:split"):
        data.load(name.replace(":", ""))


def test_refusals_name_what_was_given(tmp_path: Path) -> None:
    for spec, keys, message in (
        ("textures.npz:train", {}, "textures.npz"),
        ("digit:train", {}, r"did you mean 'digits'.*an .npz, .npy, .csv or .parquet file, or module:function"),
        ("digits:train", {"label_colum": "x"}, "data digits:train: unknown key 'data.label_colum'.*label_column"),
    ):
        with pytest.raises(CrqError, match=message):
            data.load(spec, **keys)


def test_public_names_are_those_of_the_reference() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "python.md").read_text()
    section = text[text.index("\n## crq.train.data") :]
    assert all(f"\n### {name}\n" in section for name in data.__all__)
    assert isinstance(data.from_dataset(TensorDataset(torch.zeros(2, 1, 2, 2), torch.tensor([0, 1]))), data.ImageData)
