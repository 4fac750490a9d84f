"""The data: two sets of (row, label) pairs, rows [features]."""

import torch
from sklearn.datasets import load_breast_cancer
from torch.utils.data import TensorDataset


def load() -> tuple[TensorDataset, TensorDataset]:
    """Training and test set. Stand-in: 569 tumours with 30 measured features, malignant or benign.

    Features are standardized by the training set before the network's input; the host does it on the device too.
    """
    rows, labels = load_breast_cancer(return_X_y=True)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    x, y = torch.tensor(rows, dtype=torch.float32)[order], torch.tensor(labels)[order]
    return TensorDataset(x[:455], y[:455]), TensorDataset(x[455:], y[455:])
