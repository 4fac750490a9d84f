"""reference/recipe.md: every key of a recipe, from the pydantic models and dataclasses that check it."""

from __future__ import annotations

import typing
from dataclasses import MISSING, fields
from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from crq.convert.config import TernaryConfig
from crq.options import BuildOptions
from crq.train import recipe, sections
from scripts.docs.text import GENERATED, before, keys, prose, table

HEAD = f"""\
# Recipes

{GENERATED}

A recipe is one TOML file with all that a training run depends on. `crq recipes` lists those that come with crq; `crq
train RECIPE` takes a name or a file. An unknown key, a wrong type and a value out of range are refused by name before
training. What phases do is told in [From a module to a trained network](../training.md), what `name` of the data may be
in [Data](../data.md).
"""

SECTIONS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("The recipe itself", recipe.Recipe, ""),
    ("[data]", sections.Data, ""),
    ("[data.sound]", sections.Sound, ""),
    ("[network]", sections.Network, ""),
    ("[pretrain], [retrain], [finetune]", sections.Phase, ""),
    ("[retrain] and [finetune] only", sections.Penalized, "Phase"),
    ("[retrain.regularizer]", sections.Regularizer, ""),
    ("[finetune.distill]", sections.Distillation, ""),
)

TOLD = {
    "name": "of the run", "seed": "of everything random", "data": "[data]", "network": "[network]",
    "ternary": "[ternary]", "pretrain": "[pretrain]: the float network", "hardware": "[hardware]: the FPGA project",
    "retrain": "[retrain]: weights are pulled together by λ·J; methods without it fine-tune for its epochs",
    "finetune": "[finetune]: training through the codes",
    "precision": "of Lightning; told of where it is slower than 32-true on this machine",
    "steps": "stop each phase after so many",
    "augment": "mirror half of the images, shift them by up to an eighth of the side, or both",
    "options": "arguments of the network",
    "sound": "[data.sound]", "low": "lowest frequency, Hz", "high": "highest frequency, Hz; by default half the rate",
    "epochs": "0 leaves the phase out", "batch_size": "samples per step", "optimizer": "", "lr": "learning rate",
    "momentum": "of sgd", "nesterov": "of sgd", "weight_decay": "spares biases, batch norms and scales",
    "gamma": "what step multiplies the rate by", "milestones": "shares of the phase at which step cuts the rate",
    "label_smoothing": "share of a label spread over all classes", "distill": "[finetune.distill]",
    "temperature": "softens both networks' scores", "layers": "options of single layers by pattern",
    "per_channel": "one α per output channel", "schedule": "the learning rate's course",
}  # fmt: skip
"""What the docstrings leave to a key's name."""


def page() -> str:
    parts = [HEAD]
    for title, model, base in SECTIONS:
        inherited = getattr(sections, base).model_fields if base else {}
        said = keys(model.__doc__ or "", model.model_fields)
        rows = [
            (f"`{name}`", _type(field.annotation, field.metadata), _default(field),
             said.get(name) or field.description or TOLD.get(name, ""))
            for name, field in model.model_fields.items() if name not in inherited
        ]  # fmt: skip
        intro = prose(before(model.__doc__ or "", model.model_fields))
        parts.append(f"\n## {title}\n\n{intro + chr(10) * 2 if intro else ''}{_table(rows)}\n")
    rows = _dataclass_rows(TernaryConfig, keys(TernaryConfig.__doc__ or "", _names(TernaryConfig)))
    parts.append(f"\n## [ternary]\n\nThe fields of `crq.TernaryConfig`.\n\n{_table(rows)}\n")
    rows = _dataclass_rows(BuildOptions, {f.name: f.metadata["help"] for f in fields(BuildOptions)})
    parts.append(f"\n## [hardware]\n\nThe fields of `crq.options.BuildOptions`.\n\n{_table(rows)}\n")
    return "".join(parts)


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    return table(("key", "type", "default", "meaning"), rows)


def _names(cls: type) -> list[str]:
    return [f.name for f in fields(cls)]


def _dataclass_rows(cls: type, said: dict[str, str]) -> list[tuple[str, str, str, str]]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return [
        (f"`{f.name}`", _type(hints[f.name], ()), f"`{_toml(f.default)}`" if f.default is not MISSING else "empty",
         said.get(f.name) or TOLD.get(f.name, ""))
        for f in fields(cls)
    ]  # fmt: skip


def _type(annotation: Any, metadata: Any) -> str:
    """A type as a reader of TOML knows it, with its bounds."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *metadata = typing.get_args(annotation)
    bounds = [_bound(m) for m in metadata if isinstance(m, Ge | Gt | Le | Lt)]
    return ", ".join([_name(annotation), *bounds])


def _name(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(annotation, ())
    if origin is typing.Literal:
        return " or ".join(f'`"{value}"`' if isinstance(value, str) else f"`{value}`" for value in inner)
    if annotation is type(None):
        return ""
    if origin is tuple or annotation is tuple:
        return "list"
    if origin is not None and (origin is dict or "Mapping" in str(origin)):
        return "table"
    if inner:  # a union
        return " or ".join(name for t in inner if (name := _name(t)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) or annotation is TernaryConfig:
        return "section"
    if annotation is BuildOptions:
        return "section"
    return {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}[annotation.__name__]


def _bound(m: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    sign, value = next((sign, getattr(m, name)) for name, sign in signs.items() if hasattr(m, name))
    return f"{sign} {value:,}" if isinstance(value, int) and value < 10**9 else f"{sign} {value:.3g}"


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or isinstance(field.default, BaseModel):
        return "empty"
    return f"`{_toml(field.default)}`" if field.default is not None else "not given"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if value is None:
        return "not given"
    return str(list(value)) if isinstance(value, tuple) else str(value)
