"""Estimates of area and speed before any vendor tool is run."""

from __future__ import annotations

from hw.estimate.network import Estimate, UnitEstimate, area, estimate
from hw.estimate.resources import Resources

__all__ = ["Estimate", "Resources", "UnitEstimate", "area", "estimate"]
