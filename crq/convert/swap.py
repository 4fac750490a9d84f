"""Layers with coded weights in place of convolutions and linear layers, as the patterns of a `TernaryConfig` say."""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Sequence
from typing import Any

from torch import nn

from crq.convert.config import TernaryConfig, check_together
from crq.convert.supported import MACS
from crq.errors import CrqError, few, nearest, users_line
from crq.quant.layers import INTEGER, TERNARY, TernaryLayer


def swap(model: nn.Module, names: Sequence[str], config: TernaryConfig) -> None:
    """Replace the layers called `names`, in the order of the network, in `model` itself; parameters are shared.

    Raises `CrqError` for no layers, patterns that match none, a layer that is to be float and integer at once, and
    where all are to be float.
    """
    if not names:
        raise CrqError("the model has no convolution or linear layer to make ternary")
    asked = layer_options(names, config)
    if all(options.get("skip") for options in asked.values()):
        raise CrqError(f"skip matches every layer of the network, {few(names)}: keep one that has codes")
    for name, options in asked.items():
        layer, bits = model.get_submodule(name), options.get("integer")
        if options.get("skip"):
            if bits is not None:
                raise CrqError(f"layer {name!r} is matched by both skip and integer; it is either float or integer")
            continue
        new = (
            _ternary(layer, name, options, config)
            if bits is None
            else INTEGER[type(layer)].from_float(layer, name, bits=bits)
        )
        for parent in list(model.modules()):  # a module may stand in several places
            for child, module in list(parent._modules.items()):
                if module is layer:
                    setattr(parent, child, new)


def swap_in_place(model: nn.Module, config: TernaryConfig) -> None:
    """`swap` of every convolution and linear layer of a model of any kind, in the order of its modules."""
    names = []
    for name, module in model.named_modules():
        if type(module) in TERNARY and name:
            names.append(name)
        elif isinstance(module, MACS):
            warnings.warn(
                f"layer {name!r} ({type(module).__name__}) computes in a way of its own and keeps its float weights",
                stacklevel=users_line(),
            )
        # Their fused kernels take the float weights past the layers.
        if isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0
        elif isinstance(module, nn.TransformerEncoder):
            module.enable_nested_tensor = module.use_nested_tensor = False
    swap(model, names, config)


def layer_options(names: Sequence[str], config: TernaryConfig) -> dict[str, dict[str, Any]]:
    """What is asked of each layer, by name: where several patterns give the same option, the last one counts."""
    asked: list[tuple[str, str, dict[str, Any]]] = [("skip", pattern, {"skip": True}) for pattern in config.skip]
    asked += [("integer", pattern, {"integer": bits}) for pattern, bits in config.integer.items()]
    asked += [("layers", pattern, dict(options)) for pattern, options in config.layers.items()]
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for option, pattern, options in asked:
        for name in matching(pattern, names, option):
            found[name].update(options)
    for name, options in found.items():
        check_together(f"layer {name!r}", options, config)
    return found


def _ternary(layer: nn.Module, name: str, options: dict[str, Any], config: TernaryConfig) -> nn.Module:
    method, per_channel = (options.get(key, getattr(config, key)) for key in ("method", "per_channel"))
    new = TERNARY[type(layer)].from_float(layer, name, method=method, per_channel=per_channel and method != "ttq")
    if isinstance(new, TernaryLayer):
        new.penalty = options.get("penalty", 1.0)
    return new


def matching(pattern: str, names: Sequence[str], option: str) -> list[str]:
    """Layers whose name, or a module around them, matches; `first` and `last` are positions unless names match."""
    found = [n for n in names if fnmatch.fnmatchcase(n, pattern) or fnmatch.fnmatchcase(n, f"{pattern}.*")]
    if not found and pattern in ("first", "last"):
        found = [names[0 if pattern == "first" else -1]]
    if not found:
        known = nearest(pattern, names)
        raise CrqError(f"{option} pattern {pattern!r} matches no layer{known}; layers are {few(names)}")
    return found
