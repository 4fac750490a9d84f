"""Arithmetic with one constant in the middle of a network: part of the chain between a sum and its quantizer."""

from __future__ import annotations

from torch import Tensor, nn


class Scaled(nn.Module):
    """x + c, x − c, c − x, x · c or x / c, by `kind` Add, Sub, RSub, Mul or Div."""

    def __init__(self, kind: str, constant: float) -> None:
        super().__init__()
        self.kind, self.constant = kind, constant

    def forward(self, x: Tensor) -> Tensor:
        c = self.constant
        if self.kind == "Mul":
            return x * c
        if self.kind == "Div":
            return x / c
        return x + c if self.kind == "Add" else x - c if self.kind == "Sub" else c - x

    def affine(self) -> tuple[float, float]:
        """(gain, bias): what it does is x · gain + bias, in real numbers."""
        c = self.constant
        return {"Mul": (c, 0.0), "Add": (1.0, c), "Sub": (1.0, -c), "RSub": (-1.0, c)}.get(self.kind) or (1 / c, 0.0)

    def extra_repr(self) -> str:
        return f"{self.kind} {self.constant:g}"
