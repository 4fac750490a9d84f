"""What is wrong with the keys of a recipe, in words."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from crq.errors import nearest


def worded(error: ValidationError, root: type[BaseModel], *section: str) -> str:
    """Every problem of `error` by its key. section: where in `root` the values that were validated belong."""
    return "; ".join(_problem(root, {**detail, "loc": (*section, *detail["loc"])}) for detail in error.errors())


def _problem(root: type[BaseModel], detail: Any) -> str:
    location = [part for part in detail["loc"] if isinstance(part, str)]
    key = ".".join(location)
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = _keys(root, location[:-1])
        return f"unknown key {key!r}{nearest(location[-1], known)}; known keys are {', '.join(known)}"
    if detail["type"] == "missing":
        return f"key {key!r} is missing"
    if detail["type"] == "value_error" and isinstance(detail["input"], dict):  # of a section, whose keys it names
        return f"{key + ': ' if key else ''}{detail['ctx']['error']}"
    if detail["type"] == "value_error":
        return f"key {key!r}: {detail['ctx']['error']}, got {detail['input']!r}"
    if detail["type"] in ("model_type", "model_attributes_type", "dataclass_type"):
        return (
            f"key {key!r}: expected a table, {location[-1]} = {{ {_shown(root, location)} }}, got {detail['input']!r}"
        )
    if detail["type"] == "dict_type":
        return f"key {key!r}: expected a table, {location[-1]} = {{ NAME = … }}, got {detail['input']!r}"
    hint = (
        nearest(str(detail["input"]), _choices(detail["ctx"]["expected"])) if detail["type"] == "literal_error" else ""
    )
    return f"key {key!r}: {detail['msg']}, got {detail['input']!r}{hint}"


def _no_table(key: str, inside: str, given: Any) -> str:
    return f"key {key!r}: expected a table, {key.rpartition('.')[2]} = {{ {inside} }}, got {given!r}"


def _shown(root: type[BaseModel], location: list[str]) -> str:
    """The first few keys of the section at `location`, as they are written."""
    names = _keys(root, location)
    return ", ".join([f"{name} = …" for name in names[:3]] + ["…"] * (len(names) > 3))


def _choices(expected: str) -> list[str]:
    """The words in pydantic's "'a', 'b' or 'c'"."""
    return expected.split("'")[1::2]


def _keys(root: type[BaseModel], location: list[str]) -> list[str]:
    """Field names of the section at `location`."""
    section: Any = root
    for part in location:
        annotation = section.model_fields[part].annotation
        section = next((kind for kind in get_args(annotation) if kind is not type(None)), annotation)
    return [field.name for field in fields(section)] if is_dataclass(section) else list(section.model_fields)
