"""A recipe: everything a training run depends on, in one TOML file."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from crq.convert.config import TernaryConfig
from crq.errors import CrqError, nearest
from crq.files import write_text
from crq.options import BuildOptions
from crq.quant import FINETUNED, RETRAINED
from crq.train.problems import worded
from crq.train.sections import Data, Network, Penalized, Phase, Section

PHASES = ("pretrain", "retrain", "finetune")
"""Of a run, in order."""
GRID = ("input_signed", "input_scale")
"""Keys of `ternary` that are chosen from the training split where a recipe does not give them."""
BUILT_IN = Path(__file__).parent.parent / "recipes"


class Recipe(Section):
    """A run: data, network, how it is made ternary, the phases, the FPGA project. `steps` stops each phase early.

    loss: cross_entropy, mse, l1, bce (several labels at once, each 0 or 1), or `module:function` of (outputs, targets).
    metric: the figure that a run is judged by, accuracy, top5_accuracy, label_accuracy, mse or mae, by default what
    suits the loss; or `module:function` of (outputs, targets), a number per sample.
    """

    name: str
    seed: int = Field(0, ge=0, lt=2**63)
    data: Data
    network: Network
    ternary: TernaryConfig = Field(default_factory=TernaryConfig)
    pretrain: Phase
    retrain: Penalized = Field(default_factory=lambda: Penalized.model_validate({"epochs": 0}))
    finetune: Penalized
    loss: str = "cross_entropy"
    metric: str | None = None
    calibration: int = Field(2048, ge=2, description="training samples for activation scales and batch norms")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    fused: bool = Field(False, description="train through torch.compile: slow first steps, then up to twice as fast")
    threads: int | None = Field(None, ge=1, le=1024, description="CPU threads; by default torch's choice")
    steps: int | None = Field(None, ge=1)
    callbacks: tuple[str, ...] = Field((), description="module:name of Lightning callbacks, for every phase")
    loggers: tuple[str, ...] = Field((), description="module:name of Lightning loggers, for every phase")
    hardware: BuildOptions = Field(default_factory=BuildOptions)
    _grid: frozenset[str] = PrivateAttr(default=frozenset())

    @model_validator(mode="wrap")
    @classmethod
    def _grid_given(cls, values: Any, handler: ModelWrapValidatorHandler[Recipe]) -> Recipe:
        """Notes which keys of `GRID` are given, their defaults too: a `TernaryConfig` cannot tell."""
        made = handler(values)
        if made is values:
            return made
        ternary = values.get("ternary", {})
        if isinstance(ternary, TernaryConfig):
            made._grid = frozenset(key for key in GRID if getattr(ternary, key) != getattr(TernaryConfig(), key))
        else:
            made._grid = frozenset(key for key in GRID if key in ternary)
        return made

    @field_serializer("ternary")
    def _without_chosen_grid(self, ternary: TernaryConfig) -> dict[str, Any]:
        return {key: value for key, value in asdict(ternary).items() if key not in GRID or key in self._grid}

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*", value) or len(value) > 100:
            raise ValueError(
                "files are named after it: expected at most 100 letters, digits and _ . + - or blanks, the first a "
                "letter, digit or _"
            )
        return value

    @model_validator(mode="after")
    def _possible(self) -> Recipe:
        if self.pretrain.distill is not None:
            raise ValueError("pretrain.distill: the float network is the teacher; retrain and finetune can distil")
        if self.retrain.gradual is not None:
            raise ValueError("retrain.gradual: the retrain has float weights; finetune quantizes gradually")
        for name in ("pretrain", "retrain", "finetune"):
            phase: Phase = getattr(self, name)
            if phase.patience is not None and not self.data.validation:
                raise ValueError(f"{name}.patience needs held-out samples: set data.validation above 0")
            if self.loss != "cross_entropy" and (phase.label_smoothing or phase.distill):
                key = "distill" if phase.distill else "label_smoothing"
                raise ValueError(f'{name}.{key} is for loss = "cross_entropy", not for {self.loss!r}')
            if self.fused and phase.distill is not None and phase.distill.layers:
                raise ValueError(f"{name}.distill.layers looks inside the network, which fused = true takes apart")
            if self.fused and isinstance(phase, Penalized) and phase.gradual and phase.gradual.by == "share":
                raise ValueError(
                    f'{name}.gradual by "share" is another network in every step, which fused = true builds anew'
                )
            if phase.mixup and self.data.target == "input":
                raise ValueError(f'{name}.mixup mixes labels, which data.target = "input" has none of')
            if phase.sizes and self.data.target == "input":
                raise ValueError(
                    f'{name}.sizes: smaller images are other targets of data.target = "input"; leave it out'
                )
        return self

    @property
    def gives_grid(self) -> bool:
        """Whether the recipe says where its input grid lies, instead of leaving it to the training split."""
        return bool(self._grid)

    @property
    def retrains(self) -> bool:
        """Whether there is a retrain phase: the method has one, or a regularizer asks for it."""
        return self.ternary.method in RETRAINED or self.retrain.regularizer is not None

    @property
    def phases(self) -> dict[str, Phase]:
        """The phases that train at all, by name, in order."""
        named: dict[str, Phase] = {name: getattr(self, name) for name in PHASES}
        return {n: phase for n, phase in named.items() if phase.epochs and (n != "retrain" or self.retrains)}

    @property
    def training(self) -> dict[str, Any]:
        """What the trained network depends on: everything but the hardware made of it."""
        return self.model_dump(exclude={"hardware"})

    def to_toml(self) -> str:
        """The recipe as TOML, defaults written out, so that it means the same under later defaults.

        Those of `GRID` are left out: written, they would be given.
        """
        values = self.model_dump(mode="python")
        values["hardware"] = asdict(self.hardware)
        if self.ternary.act_bits is None:  # TOML has no null, and an absent key means the default
            values["ternary"]["act_bits"] = "float"
        return tomli_w.dumps(_without_none(values))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recipe, atomically."""
        write_text(path, self.to_toml())


def built_in() -> list[str]:
    """Names of the recipes that come with crq."""
    return sorted(path.stem for path in BUILT_IN.glob("*.toml"))


def load(source: str | os.PathLike[str]) -> Recipe:
    """The recipe in a file, or the built-in one of that name; raises `CrqError` naming the file and the key."""
    path = Path(source)
    if not path.suffix and not path.is_file():
        path = BUILT_IN / f"{source}.toml"
        if not path.exists():
            known = built_in()
            raise CrqError(
                f"no recipe {str(source)!r}{nearest(str(source), known)}: give a .toml file or one of {known}"
            )
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CrqError(f"recipe {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CrqError(f"recipe {path} is not UTF-8 text: {error}") from error
    try:
        return parse(tomllib.loads(text), str(path))
    except tomllib.TOMLDecodeError as error:
        raise CrqError(f"recipe {path} is not valid TOML: {error}") from error


def parse(values: dict[str, Any], origin: str = "recipe") -> Recipe:
    """A recipe from plain values; every wrong key or value is named in one `CrqError`."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise CrqError(f"{origin}: {worded(error, Recipe)}") from error


def check_retrain(recipe: Recipe, method: str) -> None:
    """Raises `CrqError` for a method that acts in the retrain alone where `recipe` has none."""
    if method in RETRAINED and method not in FINETUNED and not recipe.retrain.epochs:
        raise CrqError(
            f"method {method} pulls the weights together in [retrain], and the recipe has none: give retrain.epochs, "
            "which other methods spend on fine-tuning, or choose another method"
        )


def _idle(recipe: Recipe) -> list[tuple[str, str]]:
    """What `recipe` says of λ·J, phase and key, in a phase where its method has none."""
    acts = {"retrain": recipe.ternary.method in RETRAINED, "finetune": recipe.ternary.method in FINETUNED}
    keys = ("lam", "dose", "target", "lam_schedule", "lam_start", "warm")
    usual = Penalized.model_fields
    return [
        (name, key)
        for name in acts
        if not acts[name] and (name == "finetune" or recipe.retrains)
        for key in keys
        if getattr(getattr(recipe, name), key) != usual[key].default
    ]


def check_penalties(recipe: Recipe, origin: str = "recipe") -> None:
    """Raises `CrqError` for what a recipe says of a penalty that its method does not have in that phase.

    No part of `parse`: methods that are compared share the sections of one recipe (`without_idle_penalties`).
    """
    for name, key in _idle(recipe):
        raise CrqError(
            f"{origin}: {name}.{key} is of a penalty that method {recipe.ternary.method} does not have there: leave it "
            'out, or take method = "crq+"'
        )


def without_idle_penalties(recipe: Recipe) -> Recipe:
    """`recipe` with the defaults in place of what `check_penalties` would refuse."""
    changes: dict[str, dict[str, Any]] = {}
    for name, key in _idle(recipe):
        changes.setdefault(name, {})[key] = Penalized.model_fields[key].default
    sections = {name: getattr(recipe, name).model_copy(update=update) for name, update in changes.items()}
    return recipe.model_copy(update=sections)


def parse_data(values: dict[str, Any], origin: str) -> Data:
    """A data section alone, from plain values; errors as those of `parse`."""
    try:
        return Data.model_validate(values)
    except ValidationError as error:
        raise CrqError(f"{origin}: {worded(error, Recipe, 'data')}") from error


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null: an absent key means the default."""
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }
