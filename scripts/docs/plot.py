"""A small chart as SVG: points of named series by the number of a measurement, the same bytes for the same numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, LEGEND = 720, 260, 60, 16, 40, 190
COLOURS = (
    "#3949ab", "#c62828", "#2e7d32", "#ef6c00", "#6a1b9a", "#00838f", "#5d4037", "#ad1457", "#9e9d24", "#546e7a",
    "#000000",
)  # fmt: skip


def ticks(low: float, high: float) -> list[float]:
    """About five round values from below `low` to above `high`."""
    rough = (high - low) / 4 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first = math.floor(low / step)
    return [step * i for i in range(first, math.ceil(high / step) + 1)]


def chart(series: Mapping[str, Sequence[tuple[int, float]]], unit: str) -> str:
    """series: by name, its (number, value) points in order. The vertical axis includes 0."""
    numbers = [number for points in series.values() for number, _ in points]
    values = [value for points in series.values() for _, value in points]
    marks = ticks(min(0.0, *values), max(0.0, *values))
    right, last = WIDTH - LEGEND, max(numbers)

    def x(number: int) -> float:
        return LEFT + (right - LEFT) * (number - 0.5) / last

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - marks[0]) / (marks[-1] - marks[0]))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT - 6}" y="{HEIGHT - 8}" text-anchor="end">{escape(unit)}</text>',
    ]
    for mark in marks:
        parts.append(f'<path d="M{LEFT} {y(mark):.1f}H{right}" stroke="{"#ddd" if mark else "#888"}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{mark:,.10g}</text>')
    for number in range(1, last + 1, math.ceil(last / 12)):
        parts.append(f'<text x="{x(number):.1f}" y="{HEIGHT - 22}" text-anchor="middle">#{number}</text>')
    for i, (name, points) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = "L".join(f"{x(number):.1f} {y(value):.1f}" for number, value in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="3.5" fill="{colour}"/>' for at, value in points]
        parts.append(f'<circle cx="{right + 16}" cy="{TOP + 8 + 18 * i}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{right + 26}" y="{TOP + 12 + 18 * i}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
