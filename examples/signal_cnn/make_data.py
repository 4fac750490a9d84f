"""Writes beats.npz: two channels of 32 samples each, with one of three pulses in noise."""

import numpy as np

rng = np.random.default_rng(11)
count = 700
y = rng.integers(0, 3, count)
time = np.arange(32)
places = rng.uniform(8, 24, (count, 1))
widths = np.array([1.5, 4.0, 1.5])[y][:, None]
pulse = np.exp(-(((time - places) / widths) ** 2)) * np.where(y == 2, -1, 1)[:, None]
x = np.stack([pulse * 3, np.roll(pulse, 2, 1) * 0.02], 1) + rng.normal(size=(count, 2, 32)) * [[0.4], [0.003]]
np.savez("beats.npz", x_train=x[:500], y_train=y[:500], x_test=x[500:], y_test=y[500:])
