"""The data: two sets of (signal, label) pairs, signals [channels, samples]."""

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

SAMPLES = 64


def load() -> tuple[TensorDataset, TensorDataset]:
    """Training and test set. Stand-in: noisy sines, squares and triangles, made by `waves`."""
    return TensorDataset(*waves(3000, seed=0)), TensorDataset(*waves(600, seed=1))


def waves(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Signals [count, 1, SAMPLES] of any frequency and phase, and their form: 0, 1 or 2."""
    random = torch.Generator().manual_seed(seed)
    frequency, phase = torch.rand(2, count, 1, generator=random)
    turns = (1 + 4 * frequency) * torch.linspace(0, 1, SAMPLES) + phase
    sine = torch.sin(2 * torch.pi * turns)
    forms = torch.stack([sine, sine.sign(), 4 * (turns % 1 - 0.5).abs() - 1])
    labels = torch.randint(3, (count,), generator=random)
    signals = forms[labels, torch.arange(count)] + 0.2 * torch.randn(count, SAMPLES, generator=random)
    return signals.unsqueeze(1), labels
