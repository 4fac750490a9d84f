"""A small chart as SVG: points of named series over numbered steps, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 260, 60, 16, 46
COLOURS = ("#3949ab", "#c62828", "#2e7d32", "#ef6c00", "#6a1b9a", "#00838f")


def chart(series: Mapping[str, Sequence[tuple[str, float]]], unit: str) -> str:
    """series: by name, its (label, value) points in order; all share the x axis, labels in order of first use."""
    labels = list(dict.fromkeys(label for points in series.values() for label, _ in points))
    values = [value for points in series.values() for _, value in points]
    low, high = min([0.0, *values]), max(values) * 1.1 or 1.0
    right = WIDTH - 190

    def x(label: str) -> float:
        return LEFT + (right - LEFT) * (labels.index(label) + 0.5) / len(labels)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for i in range(5):
        value = low + (high - low) * i / 4
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{right}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,.{0 if high >= 20 else 1}f}</text>'
        )
    parts.append(f'<text x="{LEFT - 6}" y="{HEIGHT - 6}" text-anchor="end">{escape(unit)}</text>')
    for i, label in enumerate(labels):
        if len(labels) <= 12 or i % (len(labels) // 8) == 0:
            parts.append(f'<text x="{x(label):.1f}" y="{HEIGHT - 26}" text-anchor="middle">{escape(label)}</text>')
    for i, (name, points) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = "L".join(f"{x(label):.1f} {y(value):.1f}" for label, value in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(label):.1f}" cy="{y(value):.1f}" r="3.5" fill="{colour}"/>' for label, value in points
        ]
        parts.append(f'<circle cx="{right + 16}" cy="{TOP + 8 + 18 * i}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{right + 26}" y="{TOP + 12 + 18 * i}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
