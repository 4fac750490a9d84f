"""The data: two sets of (image, label) pairs, images [channels, height, width]."""

import torch
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset


def load() -> tuple[TensorDataset, TensorDataset]:
    """Training and test set. Stand-in: 1,797 handwritten digits of 8×8 pixels with 17 grey levels."""
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    y = torch.tensor(labels)
    return TensorDataset(x[:1437], y[:1437]), TensorDataset(x[1437:], y[1437:])
