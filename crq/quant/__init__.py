"""Eq. 3 and what uses it: solvers, penalties, methods, quantized layers."""

METHOD_NAMES = ("crq", "crq+", "twn", "ttq", "ste")
"""The methods of `crq.quant.methods`, known without importing torch: reading a recipe needs no more."""
