"""Eq. 3 and what uses it: solvers, penalties, methods, quantized layers."""

METHOD_NAMES = ("crq", "crq+", "twn", "ttq", "ste", "lsq")
"""The methods of `crq.quant.methods`, known without importing torch: reading a recipe needs no more."""

LARGEST_LAM = 1e6
"""Beyond it λ is a slip: the pull alone would throw the weights out of float32 within a few steps."""
