"""Networks: plain modules that know nothing of quantization. `build(name, ...)` makes one by name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from crq.errors import CrqError, nearest
from crq.importing import find, is_function

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


def arguments(name: str) -> dict[str, Any]:
    """The named arguments that the network `name` takes, with their defaults (`inspect.Parameter.empty` where there is
    none); of one that does not tell, none. Raises `CrqError` as `build` does."""
    make = _maker(name)
    try:
        found = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):  # what is written in C need not tell
        return {}
    named = {p.name: p.default for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return named if is_function(name) else {**named, **_HOMES[name][2]}


def build(name: str, **options: Any) -> nn.Module:
    """The network called `name` with freshly initialised weights, or what the `module:name` of the user's gives.

    Raises `CrqError` for an unknown name or option, and for what is no `nn.Module`.
    """
    if is_function(name):
        return _own(name, options)
    make = _maker(name)
    try:
        return make(**{**_HOMES[name][2], **options})
    except TypeError as error:
        raise CrqError(f"network {name!r}: {error}") from error


def _maker(name: str) -> Callable[..., Any]:
    """What makes the network called `name`."""
    if is_function(name):
        return find(name)
    if name not in _HOMES:
        raise CrqError(
            f"unknown network {name!r}{nearest(name, _HOMES)}; expected module:name of a class or function of yours, "
            f"or one of {', '.join(names())}"
        )
    module, function, _ = _HOMES[name]
    made: Callable[..., Any] = getattr(importlib.import_module(f"crq.models.{module}"), function)
    return made


def _own(name: str, options: Mapping[str, Any]) -> nn.Module:
    try:
        network = find(name)(**options)
    except CrqError:
        raise
    except Exception as error:
        given = ", ".join(f"{key}={value!r}" for key, value in options.items())
        called = f"{name.rpartition(':')[2]}({given})"
        raise CrqError(f"network {name}: {called} failed: {type(error).__name__}: {error}") from error
    if not isinstance(network, nn.Module):
        raise CrqError(f"network {name} gave {type(network).__name__}; expected an nn.Module")
    return network
