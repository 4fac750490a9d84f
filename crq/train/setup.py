"""What a run works with: recipe, network and data; whatever cannot be trained is refused here, before any training."""

from __future__ import annotations

import contextlib
import copy
import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils.data import Dataset

from crq import models
from crq.convert.fits import Misfit
from crq.convert.inputs import find_preprocess
from crq.convert.points import takes_last
from crq.convert.prepare import prepare
from crq.convert.shapes import infer_shapes
from crq.errors import CrqError
from crq.quant import methods
from crq.quant.layers import TernaryLayer
from crq.train import distributed, images, progressive, tasks
from crq.train.fitting import change, misfit
from crq.train.grid import standardization, with_grid
from crq.train.images import ImageData
from crq.train.loader import BatchLoader
from crq.train.recipe import PHASES, Recipe, check_retrain
from crq.train.schedules import dose
from crq.train.sections import Network, Penalized, Phase
from crq.train.sources import datasets, functions
from crq.train.sources.values import ValueData
from crq.train.splits import AnyData, Source, from_raw

EVALUATION_BATCH = 500
_LARGE = 10.0
"""Mean size of labels from which on they are doubted: outputs of a network begin at about 1."""
_KEPT = 0.05
"""Where a moving average keeps more than this of the weights after a phase's first step, it is doubted."""


@contextlib.contextmanager
def _beside(data: Dataset[Any] | None, test: Dataset[Any] | None) -> Iterator[None]:
    """Says of an error about the recipe's data that the caller gave one split of two."""
    try:
        yield
    except CrqError as error:
        if (data is None) == (test is None):
            raise
        there, missing = ("data", "test") if test is None else ("test", "data")
        raise CrqError(f"{there} was given and {missing} was not, so it is the recipe's: {error}") from error


class Setup:
    """A recipe with its network, its training, held-out and test samples, and the batches made of them.

    network, data, test: used in place of what the recipe names. `steps`: what the host does to values before they are
    codes; `ternary`: the recipe's, with the input grid. Raises `CrqError` for what would fail later.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: nn.Module | None = None,
        data: Dataset[Any] | None = None,
        test: Dataset[Any] | None = None,
    ) -> None:
        self.recipe = recipe
        self.task = tasks.of_recipe(recipe)
        with _beside(data, test):
            missing = [name for name, given in (("train", data), ("test", test)) if given is None]
            source = Source(recipe.data, self.task.kind) if missing else None
            named = {name: source.split(name) for name in missing} if source is not None else {}
        self.data = self._given(data, "data") if data is not None else named["train"]
        if isinstance(self.data, ValueData):  # images are bytes in either form
            datasets.check_alike(data, test)
        self.test = self._given(test, "test", self.data) if test is not None else named["test"]
        self.held_out: AnyData | None = None
        if data is None and source is not None and source.has_validation:
            self.held_out = source.split("val")
        elif recipe.data.validation:
            self.data, self.held_out = images.holdout(self.data, recipe.data.validation, seed=0)
        wanted = recipe.data.standardize
        values = isinstance(self.data, ValueData) if wanted is None else wanted
        self.steps = standardization(self.data) if values else ()
        self.ternary = with_grid(recipe.ternary, self.data, self.steps, recipe.gives_grid)
        self.method = methods.get(recipe.ternary.method)
        if recipe.finetune.epochs:
            check_retrain(recipe, self.method.name)
        self._check_data()
        self.network: nn.Module = self._made() if network is None else network
        self._check_network(recipe.network if network is None else None)
        self._check_batches()

    def _made(self) -> nn.Module:
        """The recipe's network; `shape` and `outputs`, where it takes them, are the data's unless its options say."""
        name, options = self.recipe.network.name, self.recipe.network.options
        of_data = {"shape": self.data.shape, "outputs": self._outputs()[0]}
        asked = {key: value for key, value in of_data.items() if key in models.arguments(name)}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            return models.build(name, **{**asked, **options})

    def _outputs(self) -> tuple[int, str]:
        """How many numbers the network must give for a sample, and what they are."""
        if self.task.reconstructs:
            whole = f", or its shape {self.data.shape}" if len(self.data.shape) > 1 else ""
            return math.prod(self.data.shape), f"values, the input again{whole}"
        if self.task.kind == "classes":
            return len(self.data.classes), f"logits, one for each class of {self.data.name}"
        return self.data.labels.shape[1], f"numbers, as the labels of {self.data.name} have"

    def _given(self, given: Dataset[Any] | None, name: str, like: AnyData | None = None) -> AnyData:
        """A dataset of the caller's in memory; the test split is `like` the training split."""
        assert given is not None
        if isinstance(given, ImageData | ValueData):
            return given
        if self.task.kind == "classes":
            images_too = None if like is None else not isinstance(like, ValueData)
            return datasets.samples(given, None if like is None else like.classes, name, images_too)
        raw = functions.read(given, name)
        return from_raw(replace(raw, labels=None) if self.task.reconstructs else raw, name, self.task.kind)

    def _check_data(self) -> None:
        """Refuse training samples of one class, a class without any, and a test split of other samples or classes."""
        if self.test.shape != self.data.shape:
            raise CrqError(
                f"samples of {self.data.name} have shape {self.data.shape} in the training split and {self.test.shape} "
                "in the test split; bring all to one size and as many channels"
            )
        if self.task.kind == "classes":
            self._check_classes()

    def _check_classes(self) -> None:
        classes = self.data.classes
        for split, data in (("training", self.data), ("validation", self.held_out), ("test", self.test)):
            if data is not None and not data.classes:
                raise CrqError(
                    f"the {split} split of {data.name} has no labels; this loss compares with classes: add them, or "
                    'set loss = "mse" and data.target = "input" for an autoencoder'
                )
        counts = torch.bincount(self.data.labels, minlength=len(classes))
        if len(classes) < 2:
            raise CrqError(f"{self.data.name} has one class, {', '.join(classes)}: there is nothing to tell apart")
        if empty := [classes[index] for index in (counts == 0).nonzero().flatten().tolist()]:
            out = " but those held out (data.validation)" if self.held_out is not None else ""
            raise CrqError(
                f"{self.data.name} has no training sample{out} of {len(empty)} of its {len(classes)} classes: "
                f"{', '.join(empty[:5])}{', …' if len(empty) > 5 else ''}. Add samples, or number classes without gaps"
            )
        if self.test.classes != self.data.classes[: len(self.test.classes)]:
            extra = [name for name in self.test.classes if name not in self.data.classes]
            raise CrqError(
                f"the test split's classes {', '.join(self.test.classes)} are not the training split's "
                f"{', '.join(self.data.classes)}{': ' + ', '.join(extra) + ' is not among them' if extra else ''}"
            )

    def _check_network(self, section: Network | None) -> None:
        """Refuse a network that `prepare` refuses, or whose output is not what the loss compares. section: of the
        recipe, where it made the network."""
        example = self._example()
        try:
            with self.chosen_grid():
                prepared = prepare(self.network, self.ternary, example).eval()
            with torch.no_grad():
                logits = prepared(example)
        except Misfit as error:
            raise misfit(error, section, self.data.name, self.data.shape) from error
        except (RuntimeError, IndexError) as error:
            raise CrqError(
                f"the network does not accept samples of shape {tuple(example.shape[1:])}: {error}"
            ) from error
        if find_preprocess(prepared) is not None:
            raise CrqError(
                "the network normalizes its input, which a recipe leaves to its data section: leave that out and set "
                "data.standardize = true, or use crq.prepare and a loop of your own"
            )
        self._check_steps(prepared, example)
        pulled = [name for name in ("retrain", "finetune") if name in self.recipe.phases and self.lam(name) is not None]
        if pulled and not any(isinstance(module, TernaryLayer) for module in prepared.modules()):
            raise CrqError(
                f"method {self.method.name} pulls the weights of ternary layers together in [{pulled[0]}], and "
                "ternary.integer leaves none: leave a layer out of it, or choose method ste"
            )
        for name, phase in self.recipe.phases.items():
            if phase.sizes:
                trained = copy.deepcopy(self.network).eval() if name == "pretrain" else prepared
                progressive.check(f"{name}.sizes", phase.sizes, trained, example)
        count, what = self._outputs()
        if self.task.reconstructs and logits.shape[1:] == example.shape[1:]:
            return
        enough = logits.dim() == 2 and (logits.shape[1] >= count if what[0] == "l" else logits.shape[1] == count)
        if not enough:
            flat = logits.dim() == 2
            asked = change(section, logits.shape[1], count) if flat else "return them as [N, outputs]"
            raise CrqError(
                f"the network's output for one sample has shape {tuple(logits.shape[1:])}; expected {count} {what}: "
                f"{asked}"
            )

    def _check_steps(self, prepared: nn.Module, example: Tensor) -> None:
        """Refuse standardization along the points of (N, points, features): files have constants of features alone."""
        of_channels = any(isinstance(constant, tuple) for _, constant in self.steps)
        if not of_channels or not isinstance(prepared, fx.GraphModule):
            return
        infer_shapes(prepared, example)
        if takes_last(prepared):
            raise CrqError(
                f"data.standardize: the network takes {tuple(example.shape[1:])} as (points, features), and every "
                "point would be standardized instead of every feature: give standardize = false in [data] and scale "
                "the features in the data function; or let it give (N, features, points), and begin the network with "
                "x.transpose(1, 2)"
            )

    def _example(self) -> Tensor:
        few = self.data.subset(torch.arange(min(2, len(self.data))))
        example: Tensor = next(iter(self._loader(few, 2)))[0]
        return example

    def prepared(self) -> nn.Module:
        """The network as it is now, prepared; what `prepare` warns of was said at the start."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return prepare(self.network, self.ternary, self._example())

    @contextlib.contextmanager
    def chosen_grid(self) -> Iterator[None]:
        """Inside, nobody warns that another input grid would suit a batch better, where the training split chose it."""
        with warnings.catch_warnings():
            if isinstance(self.data, ValueData) or self.steps:
                warnings.filterwarnings("ignore", ".*the network's input grid, .* changes .* of the values")
            yield

    def _check_batches(self) -> None:
        """Refuse a phase whose batch is larger than the data, and images that cannot be augmented."""
        world = distributed.world()
        for name, phase in self.recipe.phases.items():
            self.batches(name)  # a loader names what its data cannot do
            if len(self.data) < phase.batch_size * world:
                raise CrqError(
                    f"{len(self.data)} training samples do not fill one batch of {name}.batch_size = "
                    f"{phase.batch_size} on {world} process(es)"
                )

    def doubts(self) -> list[str]:
        """What trains, but hardly as it was meant."""
        found = []
        for name, phase in self.recipe.phases.items():
            steps = self.optimizer_steps(name)
            if phase.average and steps > 1 and (kept := phase.average ** (steps - 1)) > _KEPT:
                found.append(
                    f"{name}.average = {phase.average} ends {steps:,} steps with {kept:.0%} of the weights after the "
                    f"first: take {math.floor(1000 * _KEPT ** (1 / (steps - 1))) / 1000} or less, or more epochs"
                )
            if phase.distill and not self.recipe.pretrain.epochs:
                found.append(
                    f"{name}.distill learns from the network as it was given, for pretrain.epochs = 0; it teaches "
                    "something only if it was trained before"
                )
        if self.task.kind == "numbers" and (size := float(self.data.labels.abs().mean())) > _LARGE:
            found.append(
                f"labels of {self.data.name} are {size:.3g} in the mean, and are learned as they are: bring them to "
                "about -1 to 1 in the data if the loss does not fall, and multiply the outputs back"
            )
        return found

    def phase(self, name: str) -> Phase:
        """The recipe's section of that phase."""
        phase: Phase = getattr(self.recipe, name)
        return phase

    def optimizer_steps(self, name: str) -> int:
        """Optimizer steps of the whole phase called `name`."""
        return self.phase(name).epochs * len(self.batches(name))

    def lam(self, name: str) -> float | None:
        """λ of λ·J in the phase called `name`; None where the method has no penalty there."""
        acts = {"retrain": self.method.penalize_retrain, "finetune": self.method.penalize_finetune}
        phase = self.phase(name)
        if not isinstance(phase, Penalized) or not acts[name]:
            return None
        if phase.dose is not None:
            whole = dose(phase, self.optimizer_steps(name))
            return phase.dose / whole if whole else 0.0
        return self.method.lam if phase.lam is None else phase.lam

    def seed(self, name: str) -> int:
        """Keys the random choices of the phase called `name`."""
        return self.recipe.seed * 8 + PHASES.index(name)

    def _loader(self, data: AnyData, size: int, **more: Any) -> BatchLoader:
        return BatchLoader(data, size, steps=self.steps, **more)

    def batches(self, name: str) -> BatchLoader:
        """Training batches of the phase called `name`: this process's share, shuffled and augmented."""
        rank, world = distributed.rank(), distributed.world()
        augment, size = self._augment(name), self.phase(name).batch_size
        seed = self.seed(name)
        return self._loader(self.data, size, shuffle=True, augment=augment, seed=seed, rank=rank, world=world)

    def _augment(self, name: str) -> str:
        """How the phase called `name` changes images."""
        own = self.phase(name).augment
        return self.recipe.data.augment if own is None else own

    def held_out_batches(self) -> BatchLoader | None:
        """The samples held out of the training split, if any."""
        return self._loader(self.held_out, EVALUATION_BATCH) if self.held_out is not None else None

    def test_batches(self) -> BatchLoader:
        """The test split."""
        return self._loader(self.test, EVALUATION_BATCH)

    def calibration(self) -> BatchLoader:
        """The first images of the shuffled training set, in batches.

        Augmented as in the last phase: the weights learned under those statistics. On CIFAR-10 with crop-flip, batch
        norms from plain images cost a ternary ResNet-20 two points (docs/results.md).
        """
        count = min(self.recipe.calibration, len(self.data))
        order = torch.randperm(len(self.data), generator=torch.Generator().manual_seed(self.recipe.seed))[:count]
        last = [*self.recipe.phases][-1:] or PHASES[-1:]
        augment, seed = self._augment(last[0]), self.recipe.seed
        return self._loader(self.data.subset(order), min(count, 128), augment=augment, seed=seed)
