"""The report of a network or project: terminal, JSON, HTML."""

from __future__ import annotations

from hw.report.model import Report, build_report

__all__ = ["Report", "build_report"]
