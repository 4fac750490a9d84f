"""Losses that are no numbers are noticed without making a device wait for the host."""

from __future__ import annotations

import torch
from torch import Tensor

EVERY = 50
"""Steps between two questions to a device, each of which makes the host wait for it. A CPU is asked in every step."""


class FiniteLosses:
    """Watches the losses of an epoch. every: steps between looking; by default by the device of the losses."""

    def __init__(self, every: int | None = None) -> None:
        self.every = every
        self._steps = 0
        self._first: Tensor | None = None
        """The first batch whose loss was not finite, or -1; on the device."""

    def add(self, loss: Tensor, batch: int, last: bool = False) -> int | None:
        """Take in the loss [] of a batch; the first batch that had a loss which is not finite, where it is known, as it
        is at the `last` one of an epoch."""
        if self._first is None:
            self._first = torch.full((), -1, dtype=torch.int64, device=loss.device)
        wrong = ~torch.isfinite(loss.detach()) & (self._first < 0)
        self._first = torch.where(wrong, batch, self._first)
        self._steps += 1
        every = self.every or (1 if loss.device.type == "cpu" else EVERY)
        if not last and self._steps % every:
            return None
        first = int(self._first)
        return None if first < 0 else first
