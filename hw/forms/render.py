"""The texts of a project that are mostly fixed, from the templates of each form (folders `text`)."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def _texts(package: str) -> Environment:
    # No escaping: the templates give C++, Verilog, Python and Markdown, and every name in them is an identifier.
    return Environment(
        loader=PackageLoader(package, "text"), undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def render(package: str, template: str, **facts: Any) -> str:
    """The text of `template` (its file name without .j2) of `package`."""
    return _texts(package).get_template(f"{template}.j2").render(**facts)
