"""The log-mel front end against a plain float64 transcription of its definition, loop by loop."""

import math

import numpy as np
import pytest

from crq.train.sources.logmel import LogMel

SPEC = LogMel(rate=8000, window=160, hop=80, fft=256, mels=10, low=50.0, high=3900.0, floor=1e-5)


def transcribed(spec: LogMel, sound: np.ndarray) -> np.ndarray:
    def mel(hertz: float) -> float:
        return 2595 * math.log10(1 + hertz / 700)

    step = (mel(spec.high) - mel(spec.low)) / (spec.mels + 1)
    corners = [700 * (10 ** ((mel(spec.low) + k * step) / 2595) - 1) for k in range(spec.mels + 2)]
    columns = []
    for start in range(0, len(sound) - spec.window + 1, spec.hop):
        frame = [
            sound[start + n] * 0.5 * (1 - math.cos(2 * math.pi * n / spec.window)) for n in range(spec.window)
        ]  # fmt: skip
        power = []
        for k in range(spec.fft // 2 + 1):
            turns = [2 * math.pi * k * n / spec.fft for n in range(spec.window)]
            power.append(
                sum(x * math.cos(a) for x, a in zip(frame, turns, strict=True)) ** 2
                + sum(x * math.sin(a) for x, a in zip(frame, turns, strict=True)) ** 2
            )
        column = []
        for left, middle, right in zip(corners, corners[1:], corners[2:], strict=False):
            energy = 0.0
            for k, p in enumerate(power):
                hertz = k * spec.rate / spec.fft
                if left < hertz < right:
                    energy += p * min((hertz - left) / (middle - left), (right - hertz) / (right - middle))
            column.append(math.log(energy + spec.floor))
        columns.append(column)
    return np.array(columns).T


def test_it_is_what_it_says() -> None:
    sound = np.random.default_rng(0).normal(size=400)
    found = SPEC(sound)
    assert found.shape == (10, SPEC.frames(400)) == (10, 4)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, transcribed(SPEC, sound), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(("samples", "frames"), [(159, 0), (160, 1), (239, 1), (240, 2)])
def test_no_frame_is_padded(samples: int, frames: int) -> None:
    assert SPEC.frames(samples) == frames


def test_silence_is_the_floor() -> None:
    assert np.allclose(SPEC(np.zeros(160)), math.log(1e-5))


def test_a_tone_lights_its_band() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(400) / 8000)
    corners = 700 * (10 ** (np.linspace(2595 * np.log10(1 + 50 / 700), 2595 * np.log10(1 + 3900 / 700), 12) / 2595) - 1)
    assert (SPEC(tone).argmax(0) == np.abs(corners[1:-1] - 1000).argmin()).all()
