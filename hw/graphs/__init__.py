"""Adder graphs: matrix-vector products with constant weights as shared additions of two and three operands."""

from __future__ import annotations

from crq.hw.graphs.graph import Adder, Graph, Tap, Term
from crq.hw.graphs.search import solve

__all__ = ["Adder", "Graph", "Tap", "Term", "solve"]
