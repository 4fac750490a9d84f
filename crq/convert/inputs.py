"""What enters a prepared network: its input quantizer, and images on the way there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, fx

from crq.convert.batches import images_of
from crq.errors import CrqError
from crq.quant.quantizers import ActQuant


def input_quantizer(model: fx.GraphModule) -> ActQuant:
    """The quantizer that `crq.prepare` put behind the network's input."""
    found = find_input_quantizer(model)
    if found is None:
        raise CrqError("the network's input is not quantized: freeze takes the result of crq.prepare")
    return found


def find_input_quantizer(model: fx.GraphModule) -> ActQuant | None:
    """As `input_quantizer`; None in a network of float activations, which has none."""
    placeholder = next(n for n in model.graph.nodes if n.op == "placeholder")
    users = list(placeholder.users)
    module = model.get_submodule(str(users[0].target)) if len(users) == 1 and users[0].op == "call_module" else None
    return module if isinstance(module, ActQuant) else None


def values_of(model: fx.GraphModule, batches: Iterable[Any]) -> Iterator[Tensor]:
    """The images of `batches` as a prepared model takes them: floats as they are, integers as codes of its input."""
    quantizer = find_input_quantizer(model)
    for batch in batches:
        images = images_of(batch)
        if not images.is_floating_point() and quantizer is not None:
            images = images.to(torch.float32) * quantizer.scale
        yield images
