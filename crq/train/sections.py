"""The sections of a recipe: data, network, phases."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from crq.quant import LARGEST_LAM
from crq.train.augmentation import Augmentation


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, and so are infinite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _known_changes(value: str) -> str:
    Augmentation.parse(value)
    return value


Changes = Annotated[str, AfterValidator(_known_changes)]
"""Of images, as `Augmentation.parse` reads them."""


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
    share that becomes the test split of data in one piece. label_file: of an .npy file. label_column, columns,
    skip_columns: of a table, its label(s), its features, or what is neither. options: arguments of a
    `module:function`. shape: of one sample, whose values are read in their order. standardize: take off the training
    split's mean and divide by its deviation, per channel or feature; by default for everything but bytes. target: the
    labels, or the input again (an autoencoder).
    """

    name: str
    root: str | None = None
    download: bool = False
    size: int | None = Field(None, ge=8)
    validation: float = Field(0.1, ge=0, lt=1)
    augment: Changes = "none"
    test: float = Field(0.2, gt=0, lt=1)
    label_file: str | None = None
    label_column: str | tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    skip_columns: tuple[str, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    sound: Sound = Field(default_factory=lambda: Sound.model_validate({}))
    standardize: bool | None = None
    target: Literal["labels", "input"] = "labels"

    @field_validator("columns", "skip_columns", mode="before")
    @classmethod
    def _one_column(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Network(Section):
    """name: one of those that come with crq, or `module:name` of a class or function of yours. options: its arguments.

    A network that takes `shape` (of one sample, without the batch) or `outputs` (how many scores or numbers) is told
    those of the data, unless options give them.
    """

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
    result on the held-out images, after which it ends with the best epoch's weights. sizes: heights that training
    images are scaled to, each for an even part of the epochs, in order, their own last. augment: changes of the images
    in this phase, by default the data's.
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
    milestones: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    gamma: float = Field(0.1, gt=0, le=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    mixup: float = Field(0.0, ge=0, le=100)
    clip: float | None = Field(None, gt=0)
    average: float | None = Field(None, gt=0, lt=1)
    patience: int | None = Field(None, ge=1, le=10**6)
    sizes: tuple[Annotated[int, Field(ge=4, le=10**5)], ...] = ()
    augment: Changes | None = None
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
        if self.schedule == "step" and not self.milestones:
            raise ValueError("step cuts the rate at milestones, shares of the phase: milestones = [0.5, 0.75]")
        if self.schedule != "step" and (self.milestones or self.gamma != Phase.model_fields["gamma"].default):
            raise ValueError(f'milestones and gamma are for schedule = "step", not {self.schedule!r}: leave them out')
        if self.average is not None and self.patience is not None:
            raise ValueError("average and patience both say which weights the phase ends with: give one of them")
        if self.sizes and self.patience is not None:
            raise ValueError("patience compares epochs, which sizes makes unlike: give one of them")
        return self


class Regularizer(Section):
    """A penalty of a related paper, see `crq.quant.regularizers`. lam: its own λ. levels: for representatives."""

    name: Literal["l-infinity", "margin", "soft-min-max", "representatives"]
    lam: float = Field(gt=0, le=LARGEST_LAM)
    levels: int = Field(3, ge=2, le=256)

    @model_validator(mode="after")
    def _used(self) -> Regularizer:
        if self.name != "representatives" and self.levels != Regularizer.model_fields["levels"].default:
            raise ValueError(f"levels is for representatives, not for {self.name}: leave it out")
        return self


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
