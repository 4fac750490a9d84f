"""Writes machines.csv: eight sensors of a machine, of very different units, and the state that it is in."""

import csv

import numpy as np

STATES = ("idle", "running", "worn", "failing")
UNITS = np.array([1, 40, 900, 0.01, 5, 1, 230, 0.5])
rng = np.random.default_rng(7)
centres = rng.normal(size=(len(STATES), 8)) * 1.6

with open("machines.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow([*(f"sensor{i}" for i in range(8)), "state"])
    for state in rng.integers(0, len(STATES), 900):
        reading = (centres[state] + rng.normal(size=8)) * UNITS + UNITS
        writer.writerow([*(f"{value:.6g}" for value in reading), STATES[state]])
