"""Networks: plain modules that know nothing of quantization. `build(name, ...)` makes one by name."""

from __future__ import annotations

import importlib
from typing import Any

from torch import nn

from crq.errors import CrqError, nearest

_HOMES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "digits-cnn": ("digits", "DigitsCNN", {}),
    "lenet": ("lenet", "LeNet", {}),
    "convnet": ("lenet", "ConvNet", {}),
    "vgg7": ("vgg", "VGG7", {}),
    "vgg7-unrolled": ("vgg", "VGG7", {"width": 64, "dense": 128}),
    "resnet8": ("resnet", "CifarResNet", {"depth": 8}),
    "resnet20": ("resnet", "CifarResNet", {"depth": 20}),
    "resnet32": ("resnet", "CifarResNet", {"depth": 32}),
    "resnet44": ("resnet", "CifarResNet", {"depth": 44}),
    "resnet56": ("resnet", "CifarResNet", {"depth": 56}),
    "resnet18": ("resnet", "ResNet18", {}),
    "alexnet": ("alexnet", "AlexNet", {}),
    "separable": ("separable", "SeparableNet", {}),
    "mlp": ("mlp", "MLP", {}),
    "unsw-mlp": ("mlp", "MLP", {"inputs": 593, "hidden": (64, 64, 64), "classes": 2}),
    "toycar-autoencoder": ("mlp", "MLP", {"inputs": 640, "hidden": (*[128] * 4, 8, *[128] * 4), "classes": 640}),
    "ds-cnn": ("dscnn", "DSCNN", {}),
    "mobilenet": ("separable", "MobileNet", {}),
    "jet-mlp": ("mlp", "MLP", {"inputs": 16, "hidden": (64, 32, 32), "classes": 5}),
    "signal": ("conv1d", "SignalNet", {}),
}


def names() -> list[str]:
    """The networks `build` knows."""
    return sorted(_HOMES)


def build(name: str, **options: Any) -> nn.Module:
    """The network called `name` with freshly initialised weights; an unknown name or option raises `CrqError`."""
    if name not in _HOMES:
        raise CrqError(f"unknown network {name!r}{nearest(name, _HOMES)}; known networks are {', '.join(names())}")
    module, function, defaults = _HOMES[name]
    try:
        return getattr(importlib.import_module(f"crq.models.{module}"), function)(**{**defaults, **options})
    except TypeError as error:
        raise CrqError(f"network {name!r}: {error}") from error
