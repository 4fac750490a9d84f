"""The module kinds a network may be made of."""

from __future__ import annotations

from torch import nn

MACS = (nn.Conv1d, nn.Conv2d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
RELUS = (nn.ReLU, nn.ReLU6)
MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d)
AVG_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
SUPPORTED = (*MACS, *NORMS, *RELUS, *MAX_POOLS, *AVG_POOLS, nn.Flatten)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
# Stochastic depth and its kin; by name, since every package has its own class.
_STOCHASTIC = ("DropPath", "DropBlock2d")


def is_dropout(module: nn.Module) -> bool:
    """Whether `module` acts in training only and is the identity in eval mode."""
    return isinstance(module, _DROPOUTS) or type(module).__name__ in _STOCHASTIC
