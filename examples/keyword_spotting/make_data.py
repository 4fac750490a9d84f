"""Writes words/CLASS/*.wav: quarters of a second at 8 kHz, "words" of gliding tones, 8, 16 and 24 bits."""

import wave
from pathlib import Path

import numpy as np

RATE, COUNT = 8000, 40
GLIDES = {"rising": (300, 1500), "falling": (1500, 300), "level": (700, 700)}
rng = np.random.default_rng(3)


def write(path: Path, sound: np.ndarray, width: int) -> None:
    codes = np.rint(sound * (1 << 8 * width - 1)).astype(np.int64) + 128 * (width == 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, width, RATE, 0, "NONE", ""))
        file.writeframes(codes.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes())


for word, (first, last) in GLIDES.items():
    for number in range(COUNT):
        samples = int(rng.uniform(0.18, 0.26) * RATE)
        pitch = np.linspace(first, last, samples) * rng.uniform(0.85, 1.2)
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / RATE + rng.uniform(0, 6)) * rng.uniform(0.2, 0.7)
        write(Path("words", word, f"{number:02}.wav"), tone + rng.normal(size=samples) * 0.02, 1 + number % 3)
