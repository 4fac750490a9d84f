"""Learned scalars that weight decay leaves alone, and modes that travel with the state of a module."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from crq.errors import users_line

_EXTRA = "_extra_state"


def learn(module: nn.Module, name: str, start: Tensor) -> None:
    """Give `module` a learned scalar: the buffer `name` and the parameter `name_step`, its change since the last step.

    Optimizers see the change alone, which is 0 whenever they step: decay, which pulls parameters to 0, has nothing to
    pull at, whoever groups the parameters.
    """
    module.register_buffer(name, start.detach().clone())
    module.register_parameter(f"{name}_step", nn.Parameter(torch.zeros_like(start)))


def current(module: nn.Module, name: str) -> Tensor:
    """The scalar called `name`, differentiable in its parameter; a plain buffer where there is no parameter."""
    value: Tensor = getattr(module, name)
    step: nn.Parameter | None = getattr(module, f"{name}_step", None)
    if step is None:
        return value
    if torch.is_grad_enabled() and step.requires_grad:
        with torch.no_grad():
            value.add_(step)
            step.zero_()
    return value + step


@torch.no_grad()
def assign(module: nn.Module, name: str, value: float | Tensor) -> None:
    """Set the scalar called `name`."""
    getattr(module, name).fill_(value)
    getattr(module, f"{name}_step").zero_()


def ask(module: nn.Module, wanted: bool, *names: str) -> None:
    """Whether these scalars ask for a gradient: distributed training waits for every one that does."""
    for name in names:
        step = getattr(module, f"{name}_step", None)
        if step is not None:
            step.requires_grad_(wanted)


def check_state(module: nn.Module, state: Mapping[str, Any], prefix: str, *names: str) -> None:
    """Before a state is loaded: warn if it does not say the module's mode; scalars it has without a change have none.

    Strict loading then fails at the key; any other leaves the mode as it is, which may be the wrong one in silence.
    """
    if f"{prefix}{_EXTRA}" not in state:
        warnings.warn(
            "the state to load does not say whether the network is quantized: it is of a float network, or an older "
            "crq wrote it. Load it with strict=False, then call crq.set_mode(model, 'float') or 'quantized'",
            stacklevel=users_line(),
        )
    for name in names:
        if f"{prefix}{name}" in state and hasattr(module, f"{name}_step"):
            with torch.no_grad():
                getattr(module, f"{name}_step").zero_()
