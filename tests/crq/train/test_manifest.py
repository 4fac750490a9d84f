"""The manifest: hashes of what went in and came out."""

import dataclasses
import hashlib
import importlib.metadata

import torch
from PIL import Image

from crq.train import images as data
from crq.train import recipe
from crq.train.manifest import data_hash, manifest, versions
from tests.support.recipes import digits, values


def test_versions_are_those_that_are_installed() -> None:
    found = versions()
    assert found["torch"] == importlib.metadata.version("torch")
    assert found["python"].count(".") == 2


def test_the_hash_sees_every_pixel_and_label() -> None:
    part = digits(5)
    expected = hashlib.sha256(part.images.numpy().tobytes() + part.labels.numpy().tobytes()).hexdigest()
    assert data_hash(part) == expected
    pixels, labels = part.images.clone(), part.labels.clone()
    pixels[3, 0, 2, 2] ^= 1
    labels[4] = (labels[4] + 1) % 10
    others = [dataclasses.replace(part, images=pixels), dataclasses.replace(part, labels=labels)]
    assert len({expected, *map(data_hash, others)}) == 3


def test_the_hash_of_files_on_disk_sees_names_and_sizes(tmp_path) -> None:
    (tmp_path / "train" / "a").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "train" / "a" / "1.png")
    before = data_hash(data.open_files("x:train", tmp_path, 8))
    with (tmp_path / "train" / "a" / "1.png").open("ab") as file:
        file.write(b"\0")
    assert data_hash(data.open_files("x:train", tmp_path, 8)) != before


def test_contents(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("x")
    plan = recipe.parse(values(seed=3))
    found = manifest(plan, {"train": digits(7)}, tmp_path, ["a.txt"])
    assert found["files"] == {"a.txt": hashlib.sha256(b"x").hexdigest()}
    assert found["data"]["train"]["images"] == 7
    assert (found["seed"], found["machine"]["threads"]) == (3, torch.get_num_threads())
    assert recipe.parse(found["recipe"]) == plan
