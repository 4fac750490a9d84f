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
    BaseModel,
    ConfigDict,
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
from crq.quant import LARGEST_LAM, RETRAINED
from crq.train.problems import worded

GRID = ("input_signed", "input_scale")
"""Keys of `ternary` that are chosen from the training split where a recipe does not give them."""
BUILT_IN = Path(__file__).parent.parent / "recipes"


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, and so are infinite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Sound(Section):
    """How WAV files are heard. rate: samples per second, of every file. seconds: a clip's length; shorter ones are
    filled up with zeros, longer ones cut. features: log-mel (docs/data.md), or the waveform itself.

    window, hop: seconds. fft: points; by default the power of two that holds a window. mels: bands from `low` to `high`
    Hz, by default half the rate. floor: energy added before the logarithm.
    """

    rate: int = Field(16_000, ge=1, le=10**6)
    seconds: float = Field(1.0, gt=0, le=3600)
    features: Literal["log-mel", "waveform"] = "log-mel"
    window: float = Field(0.03, gt=0, le=10)
    hop: float = Field(0.02, gt=0, le=10)
    fft: int | None = Field(None, ge=2, le=1 << 20)
    mels: int = Field(40, ge=1, le=1024)
    low: float = Field(20.0, ge=0)
    high: float | None = Field(None, gt=0)
    floor: float = Field(1e-6, gt=0)


class Data(Section):
    """name: what to train on, see docs/data.md. root: folder with the files, for names that are no path.

    download: fetch a public data set into that folder if it lacks files. size: leave a folder of images by class on
    disk and scale each to this side when it is read (ImageNet). validation: share held out of the training split. test:
    share that becomes the test split of data in one piece. label_file: of an .npy file. label_column, columns: of a
    table, its label(s) and features. options: arguments of a `module:function`. shape: of one sample, whose values
    are read in their order. standardize: take off the training split's mean and divide by its deviation, per channel
    or feature; by default for everything but bytes. target: the labels, or the input again (an autoencoder).
    """

    name: str
    root: str | None = None
    download: bool = False
    size: int | None = Field(None, ge=8)
    validation: float = Field(0.1, ge=0, lt=1)
    augment: Literal["none", "flip", "crop", "crop-flip"] = "none"
    test: float = Field(0.2, gt=0, lt=1)
    label_file: str | None = None
    label_column: str | tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    sound: Sound = Field(default_factory=lambda: Sound.model_validate({}))
    standardize: bool | None = None
    target: Literal["labels", "input"] = "labels"


class Network(Section):
    """name: see `crq.models.names()`, or `module:name` of a class or function of yours, in the current folder or
    installed. options: the network's own arguments."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class Distillation(Section):
    """Learning from the float network of the same run, see `crq.train.objective.Teacher`.

    weight: its share of the loss. layers: weight of the distance between the outputs of the batch norms.
    """

    temperature: float = Field(4.0, gt=0, le=100)
    weight: float = Field(0.5, gt=0, le=1)
    layers: float = Field(0.0, ge=0, le=1000)


class Phase(Section):
    """One stretch of training. schedule: the learning rate's course; `milestones` (shares of the phase) is for step.

    warmup: share of the phase in which the rate rises first; by default 0.3 for one-cycle and none otherwise. clip:
    largest norm of a step's gradients, λ·J's among them. average: decay per step of a moving average of the
    weights, which takes their place at the end. mixup: α of its Beta distribution. patience: epochs without a better
    result on the held-out images, after which it ends with the best epoch's weights.
    """

    epochs: int = Field(ge=0, le=10**6)
    batch_size: int = Field(64, ge=2, le=10**6)
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = Field(0.05, gt=0, le=1000)
    momentum: float = Field(0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(0.0, ge=0, le=1000)
    schedule: Literal["constant", "cosine", "step", "one-cycle"] = "cosine"
    warmup: float | None = Field(None, ge=0, lt=1)
    milestones: tuple[float, ...] = ()
    gamma: float = Field(0.1, gt=0, le=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    mixup: float = Field(0.0, ge=0, le=100)
    clip: float | None = Field(None, gt=0)
    average: float | None = Field(None, gt=0, lt=1)
    patience: int | None = Field(None, ge=1, le=10**6)
    distill: Distillation | None = None

    @property
    def rise(self) -> float:
        """The share of the phase in which the rate rises."""
        if self.warmup is not None:
            return self.warmup
        return 0.3 if self.schedule == "one-cycle" else 0.0

    @model_validator(mode="after")
    def _together(self) -> Phase:
        if self.nesterov and (self.optimizer != "sgd" or not self.momentum):
            raise ValueError('nesterov is for sgd with momentum: set optimizer = "sgd" and momentum above 0')
        if self.average is not None and self.patience is not None:
            raise ValueError("average and patience both say which weights the phase ends with: give one of them")
        return self


class Regularizer(Section):
    """A penalty of a related paper, see `crq.quant.regularizers`. lam: its own λ. levels: for representatives."""

    name: Literal["l-infinity", "margin", "soft-min-max", "representatives"]
    lam: float = Field(gt=0, le=LARGEST_LAM)
    levels: int = Field(3, ge=2, le=256)


class Gradual(Section):
    """See `crq.train.gradual`. until: the share of the phase after which all weights are codes."""

    by: Literal["layers", "share"]
    until: float = Field(0.5, gt=0, le=0.95)


class Penalized(Phase):
    """A phase with λ·J. lam: λ, by default the method's. warm: start from the last α.

    dose: instead of λ, how far the penalty alone pulls: W − αt shrinks by e^−dose over the phase, so that it means the
    same for every schedule, batch size and number of epochs. target: instead of both, the mean J/‖W‖² to end with.
    lam_schedule: λ constant, up from 0, or down to 0; lam_start: the share of the phase before which λ is 0.
    regularizer: a further penalty; with one, methods that have no retrain of their own get it too.
    """

    lam: float | None = Field(None, ge=0, le=LARGEST_LAM)
    dose: float | None = Field(None, ge=0, le=LARGEST_LAM)
    target: float | None = Field(None, gt=0, lt=1)
    gradual: Gradual | None = None
    lam_schedule: Literal["constant", "up", "down"] = "constant"
    lam_start: float = Field(0.0, ge=0, lt=1)
    warm: bool = False
    regularizer: Regularizer | None = None

    @model_validator(mode="after")
    def _one_strength(self) -> Penalized:
        given = [key for key in ("lam", "dose", "target") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} both say how strong the penalty is: give one of them")
        if self.gradual is not None and self.patience is not None:
            raise ValueError("the best epoch of patience may be one that gradual has not quantized: give one of them")
        return self


class Recipe(Section):
    """A run: data, network, how it is made ternary, the phases, the FPGA project. `steps` stops each phase early.

    loss: cross_entropy, mse, l1, bce (several labels at once, each 0 or 1), or `module:function` of (outputs, targets).
    """

    name: str
    seed: int = Field(0, ge=0, lt=2**63)
    data: Data
    network: Network
    ternary: TernaryConfig = Field(default_factory=TernaryConfig)
    pretrain: Phase
    retrain: Penalized
    finetune: Penalized
    loss: str = "cross_entropy"
    calibration: int = Field(2048, ge=2, description="training images for activation scales and batch norms")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
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
            if phase.mixup and self.data.target == "input":
                raise ValueError(f'{name}.mixup mixes labels, which data.target = "input" has none of')
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
        named: dict[str, Phase] = {"pretrain": self.pretrain, "retrain": self.retrain, "finetune": self.finetune}
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
