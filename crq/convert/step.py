"""What every operation of a frozen network is."""

from __future__ import annotations

from torch import Tensor, nn


class Step(nn.Module):
    """Base of all steps: `params` (JSON values) and buffers are its whole state and its constructor's arguments."""

    def __init__(self, **params: object) -> None:
        super().__init__()
        self.params = params

    def hold(self, **tensors: Tensor) -> None:
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor.detach().clone().contiguous())
