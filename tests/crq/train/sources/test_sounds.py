"""WAV files of every kind against the standard library and struct; features by class."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from crq.errors import CrqError
from crq.train.sources.logmel import LogMel
from crq.train.sources.sounds import Front, by_class, folder_parts, is_folder, read

RNG = np.random.default_rng(3)


def pcm(path: Path, samples: np.ndarray, width: int, rate: int = 8000) -> Path:
    """Write integer samples [N, channels] of `width` bytes with the standard library; 8 bits count from 0 to 255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        shifted = samples + 128 * (width == 1)
        file.writeframes(b"".join(int(v).to_bytes(width, "little", signed=width > 1) for v in shifted.flatten()))
    return path


def floats(path: Path, samples: np.ndarray, code: str) -> Path:
    body = struct.pack(f"<{len(samples)}{code}", *samples)
    size = struct.calcsize(code)
    fmt = struct.pack("<HHIIHH", 3, 1, 8000, 8000 * size, size, 8 * size)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(body)) + body
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_pcm_of_every_width(tmp_path: Path, width: int, channels: int) -> None:
    top = 1 << 8 * width - 1
    samples = RNG.integers(-top, top, (300, channels))
    samples[:2, 0] = -top, top - 1
    found = read(pcm(tmp_path / "s.wav", samples, width), 8000)
    assert np.array_equal(found, (samples / top).mean(1))


@pytest.mark.parametrize("code", ["f", "d"])
def test_floats(tmp_path: Path, code: str) -> None:
    samples = RNG.normal(size=50).astype(code)
    assert np.array_equal(read(floats(tmp_path / "f.wav", samples, code), 8000), samples.astype(np.float64))


def test_what_cannot_be_heard_is_named(tmp_path: Path) -> None:
    path = pcm(tmp_path / "s.wav", np.ones((9, 1), int), 2, rate=44_100)
    with pytest.raises(CrqError, match=r"s\.wav has 44100 samples/s; expected 8000: set data\.sound\.rate = 44100"):
        read(path, 8000)
    for content in (b"", b"RIFF", b"no sound at all, but long enough to be read", path.read_bytes()[:30]):
        path.write_bytes(content)
        with pytest.raises(CrqError, match=r"s\.wav is no WAV file of PCM or floats, or is damaged"):
            read(path, 8000)
    pcm(path, np.ones((0, 1), int), 2)
    with pytest.raises(CrqError, match=r"s\.wav"):
        read(path, 8000)
    with pytest.raises(CrqError, match="holds no samples, or some that are not finite"):
        read(floats(path, np.array([1.0, np.nan]), "f"), 8000)


def test_clips_have_one_length(tmp_path: Path) -> None:
    front = Front(8000, 400, LogMel(8000, 200, 100, 256, 6, 20.0, 4000.0, 1e-6))
    samples = RNG.integers(-9999, 9999, (500, 1))
    whole, short = pcm(tmp_path / "a.wav", samples, 2), pcm(tmp_path / "b.wav", samples[:250], 2)
    padded = np.concatenate([samples[:250, 0], np.zeros(150)]) / 32768
    assert front(whole).shape == (1, 6, 3)
    assert np.array_equal(front(whole), front.features(samples[:400, 0] / 32768))
    assert np.array_equal(front(short), front.features(padded))
    wave_form = Front(8000, 400, None)
    assert np.array_equal(wave_form(short)[0], padded.astype(np.float32))


def test_folders_are_classes(tmp_path: Path) -> None:
    front = Front(8000, 20, None)
    for folder, names in (("one", ("b", "a")), ("two/train", ("b", "a")), ("two/test", ("b",))):
        for name in names:
            pcm(tmp_path / folder / name / "x.wav", np.full((20, 1), 100 * (name == "a")), 2)
    one, two = folder_parts(tmp_path / "one", front), folder_parts(tmp_path / "two", front)
    assert (list(one), list(two)) == (["all"], ["train", "test"])
    assert one["all"]().classes == two["test"]().classes == ("a", "b")
    assert two["test"]().labels.tolist() == [1]
    assert one["all"]().values[:, 0, 0].tolist() == [100 / 32768, 0.0]
    assert is_folder(tmp_path / "one")
    assert is_folder(tmp_path / "two")
    assert not is_folder(tmp_path)
    pcm(tmp_path / "two/test/c/x.wav", np.ones((20, 1), int), 2)
    with pytest.raises(CrqError, match="is a class that the training split lacks; its classes: a, b"):
        two["test"]()
    with pytest.raises(CrqError, match="has no WAV files; expected a folder of them for each class"):
        by_class(tmp_path, ("x",), front)
