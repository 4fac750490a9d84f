"""Eq. 3 and what uses it: solvers, penalties, methods, quantized layers."""
