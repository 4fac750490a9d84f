"""The reference of recipes: every key, from the pydantic models and dataclasses that check it."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from crq import models
from crq.convert.config import TernaryConfig
from crq.options import BuildOptions
from crq.quant import METHOD_NAMES, methods
from crq.train import recipe, sections
from crq.train.docstrings import before, keys


class Key(NamedTuple):
    """A key of a section, in words."""

    name: str
    type: str
    default: str
    meaning: str


class Part(NamedTuple):
    """A section as it stands in a file, what is said of it as a whole, and its keys."""

    title: str
    intro: str
    keys: list[Key]


SECTIONS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("The recipe itself", recipe.Recipe, ""),
    ("[data]", sections.Data, ""),
    ("[data.sound]", sections.Sound, ""),
    ("[network]", sections.Network, ""),
    ("[pretrain], [retrain], [finetune]", sections.Phase, ""),
    ("[retrain] and [finetune] only", sections.Penalized, "Phase"),
    ("[retrain.regularizer]", sections.Regularizer, ""),
    ("[finetune.gradual]", sections.Gradual, ""),
    ("[finetune.distill]", sections.Distillation, ""),
)

TOLD = {
    "name": "of the run", "seed": "of everything random", "data": "[data]", "network": "[network]",
    "ternary": "[ternary]", "pretrain": "[pretrain]: the float network", "hardware": "[hardware]: the FPGA project",
    "retrain": "[retrain]: weights are pulled together by λ·J; methods without it fine-tune for its epochs",
    "finetune": "[finetune]: training through the codes",
    "precision": "of Lightning; told of where it is slower than 32-true on this machine",
    "steps": "stop each phase after so many: a trial",
    "augment": "of images, words joined by hyphens, as `crop-flip-cutout`: `crop` shifts by up to an eighth of the "
    "height, `resized` shows a random part at the image's size, `flip` mirrors half, `cutout` blackens a square",
    "sound": "[data.sound]", "low": "lowest frequency, Hz", "high": "highest frequency, Hz; by default half the rate",
    "epochs": "0 leaves the phase out", "batch_size": "samples per step", "lr": "learning rate",
    "optimizer": "of torch.optim; λ·J is applied beside adam's and adamw's step, not inside it",
    "momentum": "of sgd", "nesterov": "of sgd", "weight_decay": "spares biases, batch norms and scales",
    "gamma": "what step multiplies the rate by", "milestones": "shares of the phase at which step cuts the rate",
    "label_smoothing": "share of a label spread over all classes", "distill": "[finetune.distill]",
    "temperature": "softens both networks' scores",
    "gradual": "[finetune.gradual]: codes take the place of float weights little by little",
    "by": "whole layers, one after the other, or the largest weights of every layer first",
}  # fmt: skip
"""What the docstrings leave to a key's name."""

INSTEAD = {
    ("[data]", "label_column"): "of a table: its label, or a list; by default label, labels, class, target or y",
    ("[data]", "columns"): "of a table, its features; by default all others",
    ("[data]", "skip_columns"): "of a table, what is no feature: an id, a date",
    ("[data.sound]", "mels"): "bands between `low` and `high`",
    ("[retrain.regularizer]", "name"): "which penalty",
    ("[pretrain], [retrain], [finetune]", "augment"): "in place of the data's in this phase",
    ("[ternary]", "act_bits"): "bits of activation codes after a ReLU (1–8 unsigned) and between layers without one "
    '(2–8 signed, so 2 where 1 is asked for); "float" keeps float activations, as in the paper\'s tables (train only)',
    ("[ternary]", "input_bits"): "of an input code",
    ("[ternary]", "input_signed"): "whether input codes are signed; by default, of real values, if any are negative",
    ("[ternary]", "input_scale"): "value of an input code 1, a power of two; a byte's is 1/256, that of real values by "
    "default chosen from the training split",
    ("[ternary]", "integer"): "layers kept as integer codes, pattern → bits (2–8): `integer = { first = 8, last = 8 }`",
    ("[ternary]", "layers"): "options of single layers by name, prefix or wildcard, the last that matches counts: "
    "`method`, `per_channel`, `penalty` (a factor of λ; 0: none), `skip`, `integer` (bits): "
    '`layers = { "features.*" = { method = "twn" }, head = { skip = true } }`',
    ("[hardware]", "folding"): "PE and SIMD of single layers, perhaps with their form: "
    '`folding = { conv1 = [4, 9], fc = [1, 8, "folded"] }`',
    ("[hardware]", "weight_rom"): 'where single layers have their weights: `weight_rom = { fc = "bram" }`',
    ("[hardware]", "fit_check"): "refuse weights that exceed the part's memory",
}  # fmt: skip
"""What a file needs to be told otherwise than Python or a command line, by section and key."""


def reference() -> Iterator[Part]:
    """Every section of a recipe, in the order of a file."""
    lam = ", ".join(f"{name} {methods.get(name).lam:g}" for name in METHOD_NAMES if methods.get(name).lam)
    own = {
        ("[network]", "name"): f"one of {', '.join(models.names())}; or `module:name` of a class or function of yours",
        ("[retrain] and [finetune] only", "lam"): f"λ, by default the method's: {lam}",
    }
    for title, model, base in SECTIONS:
        inherited = getattr(sections, base).model_fields if base else {}
        said = {**TOLD, **keys(model.__doc__ or "", model.model_fields)}
        found = [
            Key(name, _type(field.annotation, field.metadata), _default(field),
                _meaning(title, name, own, said, field.description or ""))
            for name, field in model.model_fields.items() if name not in inherited
        ]  # fmt: skip
        yield Part(title, before(model.__doc__ or "", model.model_fields).strip(), found)
    said = {**TOLD, **keys(TernaryConfig.__doc__ or "", [f.name for f in fields(TernaryConfig)])}
    yield Part("[ternary]", "The fields of `crq.TernaryConfig`.", list(_of_dataclass("[ternary]", TernaryConfig, said)))
    said = {f.name: f.metadata["help"].rstrip(".") for f in fields(BuildOptions)}
    yield Part("[hardware]", "The options of `crq build`.", list(_of_dataclass("[hardware]", BuildOptions, said)))


def _meaning(title: str, name: str, own: Mapping[tuple[str, str], str], said: Mapping[str, str], described: str) -> str:
    place = (title, name)
    return own.get(place) or INSTEAD.get(place) or described or said.get(name, "")


def _of_dataclass(title: str, cls: type, said: Mapping[str, str]) -> Iterator[Key]:
    hints = typing.get_type_hints(cls, include_extras=True)
    for f in fields(cls):
        default = "not given" if f.default is None else "empty" if f.default is MISSING else f"`{_toml(f.default)}`"
        yield Key(f.name, _type(hints[f.name], ()), default, _meaning(title, f.name, {}, said, ""))


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
    return str(list(value)) if isinstance(value, tuple) else str(value)
