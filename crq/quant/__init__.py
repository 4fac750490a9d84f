"""Eq. 3 and what uses it: solvers, penalties, methods, quantized layers."""

METHOD_NAMES = ("crq", "crq+", "twn", "ttq", "ste", "lsq")
"""The methods of `crq.quant.methods`, known without importing torch: reading a recipe needs no more."""

RETRAINED = ("crq", "crq+")
"""Those of them whose float weights are penalized before they are quantized."""

FINETUNED = ("crq+",)
"""Those whose weights are penalized while they are quantized."""

LARGEST_LAM = 1e6
"""Beyond it λ is a slip: the pull alone would throw the weights out of float32 within a few steps."""
