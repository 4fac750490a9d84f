"""The texts of a project that are mostly fixed, from the templates in hw/hls/text."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

# No escaping: the templates give C++, Python and Markdown, and every name in them is an identifier.
_TEXTS = Environment(
    loader=PackageLoader("hw.hls", "text"), undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def render(template: str, **facts: Any) -> str:
    """The text of `template` (its file name without .j2)."""
    return _TEXTS.get_template(f"{template}.j2").render(**facts)
