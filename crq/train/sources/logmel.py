"""The log-mel front end: what the host makes of sound, in float64 NumPy, the same in training and in `--data`.

Frames of `window` samples, one every `hop`, none padded; a periodic Hann window; |FFT|²; triangles evenly spaced on the
mel scale 2595·log10(1 + f/700), each of height 1; the natural logarithm of each band's energy plus `floor`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LogMel:
    """window, hop: samples. fft: points, at least `window`. mels: bands from `low` to `high` Hz at `rate` samples/s."""

    rate: int
    window: int
    hop: int
    fft: int
    mels: int
    low: float
    high: float
    floor: float

    def frames(self, samples: int) -> int:
        """How many frames so many samples give."""
        return max(0, 1 + (samples - self.window) // self.hop)

    def __call__(self, sound: NDArray[np.float64]) -> NDArray[np.float32]:
        """float32 [mels, frames] of the samples [N], N ≥ window, full scale being 1."""
        starts = self.hop * np.arange(self.frames(len(sound)))
        framed = sound[starts[:, None] + np.arange(self.window)] * _hann(self.window)
        power = np.abs(np.fft.rfft(framed, self.fft)) ** 2
        energy = power @ _triangles(self).T
        return np.log(energy + self.floor).T.astype(np.float32)


@functools.cache
def _hann(count: int) -> NDArray[np.float64]:
    result: NDArray[np.float64] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(count) / count)
    return result


@functools.cache
def _triangles(spec: LogMel) -> NDArray[np.float64]:
    """[mels, fft // 2 + 1]: the share of each bin in each band."""
    mel = np.linspace(_mel(spec.low), _mel(spec.high), spec.mels + 2)
    corners = 700 * (10 ** (mel / 2595) - 1)
    bins = np.arange(spec.fft // 2 + 1) * spec.rate / spec.fft
    left, middle, right = (corners[k : k + spec.mels, None] for k in range(3))
    rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)
    return np.clip(np.minimum(rising, falling), 0, None)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))
