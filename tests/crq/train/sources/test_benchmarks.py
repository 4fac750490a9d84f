"""The benchmarks' loaders on miniatures in the real formats."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import crq
from crq import models
from crq.errors import CrqError
from crq.train import recipe
from crq.train.sections import Data, Sound
from crq.train.sources.benchmarks import BENCHMARKS, KEYWORDS, WORDS
from crq.train.splits import Source, front, load_split
from tests.crq.train.sources.test_sounds import pcm

SOUND = Sound(rate=8000, seconds=0.1, window=0.02, hop=0.01, mels=4)
RNG = np.random.default_rng(1)


def test_jets(tmp_path: Path) -> None:
    names = [f"j{i}" for i in range(16)]
    head = (
        "@RELATION jets\n"
        + "".join(f"@ATTRIBUTE {n} REAL\n" for n in names)
        + "@ATTRIBUTE jet_type {g,q,t,w,z}\n@DATA\n"
    )
    rows = [[*RNG.normal(size=16), "gqtwz"[i % 5]] for i in range(50)]
    (tmp_path / "hls4ml_jets_42468.arff").write_text(head + "\n".join(",".join(map(str, row)) for row in rows))
    train, test = (load_split(Data(name="jets", root=str(tmp_path)), split) for split in ("train", "test"))
    assert (len(train), len(test), train.shape, train.classes) == (40, 10, (16,), ("g", "q", "t", "w", "z"))
    found = {tuple(v): int(y) for data in (train, test) for v, y in zip(data.values.tolist(), data.labels, strict=True)}
    assert found == {tuple(np.float32(row[:16]).tolist()): "gqtwz".index(row[16]) for row in rows}


def test_unsw(tmp_path: Path) -> None:
    rows = RNG.integers(0, 2, (20, 594)).astype(np.uint8)
    np.savez(tmp_path / "unsw_nb15_binarized.npz", train=rows, test=rows[:5])
    data = load_split(Data(name="unsw-nb15", root=str(tmp_path)), "test")
    assert (data.values.tolist(), data.labels.tolist()) == (rows[:5, :-1].tolist(), rows[:5, -1].tolist())
    assert data.classes == ("normal", "attack")
    np.savez(tmp_path / "unsw_nb15_binarized.npz", train=rows)
    with pytest.raises(CrqError, match="its array test cannot be read"):
        load_split(Data(name="unsw-nb15", root=str(tmp_path)), "test")


def test_a_wrong_unsw_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "unsw_nb15_binarized.npz"
    rows = RNG.integers(0, 2, (20, 594)).astype(np.float64)
    np.savez(path, train=rows, test=rows)
    good = path.read_bytes()

    def refused(message: str) -> None:
        with pytest.raises(CrqError, match=message):
            load_split(Data(name="unsw-nb15", root=str(tmp_path)), "train")

    for content in (b"no archive at all", good[: len(good) // 2], good[:2000] + bytes(50) + good[2050:]):
        path.write_bytes(content)
        refused(r"unsw_nb15_binarized\.npz: its array train cannot be read: .*; fetch the file again")
    with path.open("wb") as file:
        np.save(file, rows)
    refused("its array train cannot be read: it holds one array without a name")
    np.savez(path, train=rows.astype(str), test=rows)
    refused("its array train has shape .20, 594. and type <U.*; expected rows of bits and a label, numbers")
    rows[3, -1] = np.nan
    np.savez(path, train=rows, test=rows)
    refused("row 3: its label is nan; expected a class")


def clip(path: Path, seed: int) -> Path:
    return pcm(path, np.random.default_rng(seed).integers(-3000, 3000, (700, 1)), 2)


def test_speech_commands(tmp_path: Path) -> None:
    lists: dict[str, list[str]] = {"validation_list.txt": [], "testing_list.txt": []}
    for w, word in enumerate([*WORDS, "cat", "dog"]):
        for n in range(6):
            clip(tmp_path / word / f"{n}_nohash_0.wav", 100 * w + n)
            if n > 3:
                lists["testing_list.txt" if n == 4 else "validation_list.txt"].append(f"{word}/{n}_nohash_0.wav")
    pcm(tmp_path / "_background_noise_" / "hum.wav", RNG.integers(-99, 99, (4000, 1)), 2)
    for name, lines in lists.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    section = Data(name="speech-commands", root=str(tmp_path), sound=SOUND)
    source = Source(section)
    assert source.has_validation
    for split, clips in (("train", 4), ("val", 1), ("test", 1)):
        data = source.split(split)
        counts = np.bincount(data.labels.numpy(), minlength=12)
        assert data.classes == KEYWORDS
        assert counts.tolist() == [clips] * 12
        assert data.shape == (1, 4, front(SOUND).logmel.frames(800))
    made = front(SOUND)(tmp_path / "go" / "4_nohash_0.wav")
    data = source.split("test")
    assert np.array_equal(data.values[data.labels == KEYWORDS.index("go")][0].numpy(), made)
    assert np.array_equal(data.values.numpy(), Source(section).split("test").values.numpy())
    (tmp_path / "testing_list.txt").unlink()
    with pytest.raises(
        CrqError, match=r"lacks a folder for each word, validation_list\.txt and testing_list\.txt: set"
    ):
        load_split(section, "train")


def test_wake_words(tmp_path: Path) -> None:
    for name in ("person", "non_person"):
        (tmp_path / "vw_coco2014_96" / name).mkdir(parents=True)
        for n in range(5):
            picture = Image.fromarray(RNG.integers(0, 256, (96, 96, 3)).astype(np.uint8))
            picture.save(tmp_path / "vw_coco2014_96" / name / f"{n}.jpg")
    data = load_split(Data(name="vww", root=str(tmp_path)), "all")
    assert (len(data), data.shape, data.classes) == (10, (3, 96, 96), ("non_person", "person"))
    with Image.open(tmp_path / "vw_coco2014_96" / "person" / "0.jpg") as picture:
        assert np.array_equal(data.images[5].numpy(), np.asarray(picture).transpose(2, 0, 1))


def test_toycar(tmp_path: Path) -> None:
    for n in range(2):
        clip(tmp_path / "ToyCar" / "train" / f"normal_id_01_0000000{n}.wav", n)
        clip(tmp_path / "ToyCar" / "test" / f"normal_id_01_0000000{n}.wav", n)
    clip(tmp_path / "ToyCar" / "test" / "anomaly_id_01_00000000.wav", 9)
    section = Data(name="toycar", root=str(tmp_path), sound=SOUND, target="input", options={"frames": 3, "step": 2})
    train, test = (load_split(section, split) for split in ("train", "test"))
    picture = front(SOUND)(tmp_path / "ToyCar" / "train" / "normal_id_01_00000001.wav")[0].T
    windows = [picture[s : s + 3].reshape(12) for s in range(0, len(picture) - 2, 2)]
    assert np.array_equal(train.values[len(windows) :].numpy(), np.stack(windows))
    assert test.classes == ("normal", "anomaly")
    assert test.labels.tolist() == [0] * 2 * len(windows) + [1] * len(windows)
    with pytest.raises(CrqError, match="toycar has no option 'frame'"):
        load_split(section.model_copy(update={"options": {"frame": 3}}), "train")
    with pytest.raises(CrqError, match="clips of 800 samples give fewer than 50 frames"):
        load_split(section.model_copy(update={"options": {"frames": 50}}), "train")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_what_is_not_there_says_how_to_get_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRQ_DATA", str(tmp_path))
    with pytest.raises(CrqError, match=rf"{tmp_path}/{name} lacks .*: set CRQ_DATA .*--download"):
        load_split(Data(name=name), "train")


def test_every_benchmark_has_a_recipe() -> None:
    names = {recipe.load(name).data.name for name in recipe.built_in()}
    assert set(BENCHMARKS) <= names


@pytest.mark.parametrize(
    ("name", "shape", "outputs"),
    [
        ("jets-mlp", (16,), 5), ("unsw-mlp", (593,), 2), ("kws-dscnn", (1, 40, 49), 12),
        ("cifar10-resnet8", (3, 32, 32), 10), ("vww-mobilenet", (3, 96, 96), 2), ("toycar-autoencoder", (640,), 640),
    ],
)  # fmt: skip
def test_the_recipes_networks_take_what_their_data_give(name: str, shape: tuple[int, ...], outputs: int) -> None:
    made = recipe.load(name)
    heard = front(made.data.sound).logmel
    if name == "kws-dscnn":
        assert (1, heard.mels, heard.frames(16_000)) == shape
    if name == "toycar-autoencoder":
        assert (5 * heard.mels,) == shape
    example = torch.rand(2, *shape)
    network = crq.prepare(models.build(made.network.name, **made.network.options), made.ternary, example).eval()
    assert network(example).shape == (2, outputs)
