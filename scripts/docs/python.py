"""reference/python.md: the public names of crq, crq.export, crq.hw and crq.train.data, from their docstrings."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import crq
from crq import export, hw
from crq.options import BuildOptions
from crq.train import data
from scripts.docs.text import GENERATED, prose

HEAD = f"""\
# Python

{GENERATED}

Public are the names below: of `crq`, `crq.export`, `crq.hw` and `crq.train.data`, and `crq.options.BuildOptions`. Those
of the first three are loaded on first use. Errors are `crq.CrqError` (a `ValueError`) or derive from it; their text is
written for users.
"""


def page() -> str:
    parts = [HEAD]
    for module in (crq, export, hw, data):
        parts.append(f"\n## {module.__name__}\n\n{prose(module.__doc__ or '')}\n")
        parts += [_entry(module, name) for name in sorted(set(module.__all__) - {"__version__"}, key=str.lower)]
    parts.append("\n## crq.options\n" + _class("BuildOptions", BuildOptions))
    return "".join(parts)


def _entry(module: ModuleType, name: str) -> str:
    thing = getattr(module, name)
    if inspect.isclass(thing):
        return _class(name, thing)
    if callable(thing):
        return f"\n### {name}\n\n{_signature(name, thing)}\n\n{prose(inspect.getdoc(thing) or '')}\n"
    return f"\n### {name}\n\n`{name} = {thing}`\n"


def _class(name: str, cls: type) -> str:
    text = f"\n### {name}\n\n"
    if not issubclass(cls, Exception):
        text += f"{_signature(name, cls)}\n\n"
    text += prose(cls.__dict__.get("__doc__") or "") + "\n"
    for method, function in _methods(cls):
        words = " ".join(prose(inspect.getdoc(function) or "").split())
        shown = f"`.{method}`" if isinstance(function, property) else _signature(f".{method}", function)
        text += f"\n{shown}\n:   {words}\n"
    return text


def _methods(cls: type) -> list[tuple[str, Any]]:
    """Methods and properties of a class that are its own or of a base in crq, and that say what they do."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("crq"):
            continue
        for name, value in vars(base).items():
            value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if (
                not name.startswith("_")
                and (inspect.isfunction(value) or isinstance(value, property))
                and value.__doc__
            ):
                found[name] = value
    return sorted(found.items()) if not issubclass(cls, Exception) else []


def _signature(name: str, thing: Any) -> str:
    """The call with the names and defaults of its arguments."""
    shown: list[str] = []
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        star = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        default = "" if parameter.default is parameter.empty else f"={_default(parameter.default)}"
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in "".join(shown):
            shown.append("*")
        shown.append(f"{star}{parameter.name}{default}")
    return f"`{name}({', '.join(shown)})`"


def _default(value: Any) -> str:
    return "…" if " object at " in repr(value) or "<" in repr(value) else repr(value)
