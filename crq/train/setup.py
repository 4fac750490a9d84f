"""What a run works with: recipe, network and data; whatever cannot be trained is refused here, before any training."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset

from crq import models
from crq.convert.inputs import find_preprocess
from crq.convert.prepare import prepare
from crq.errors import CrqError
from crq.quant import methods
from crq.train import data as datasets
from crq.train import distributed
from crq.train.data import ImageData
from crq.train.image_files import ImageFiles
from crq.train.loader import BatchLoader
from crq.train.recipe import Data, Penalized, Phase, Recipe
from crq.train.schedules import dose

PHASES = ("pretrain", "retrain", "finetune")
EVALUATION_BATCH = 500


class Setup:
    """A recipe with its network, its training, held-out and test images, and the batches made of them.

    network, data, test: used in place of what the recipe names. Raises `CrqError` for what would fail later.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: nn.Module | None = None,
        data: Dataset[Any] | None = None,
        test: Dataset[Any] | None = None,
    ) -> None:
        self.recipe = recipe
        self.data = load_split(recipe.data, "train") if data is None else _in_memory(data, "data")
        self.test = load_split(recipe.data, "test") if test is None else _in_memory(test, "test", self.data.classes)
        self.held_out: ImageData | ImageFiles | None = None
        if recipe.data.validation:
            self.data, self.held_out = datasets.holdout(self.data, recipe.data.validation, seed=0)
        self.method = methods.get(recipe.ternary.method)
        if network is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(recipe.seed)
                network = models.build(recipe.network.name, **recipe.network.options)
        self.network: nn.Module = network
        self._check_data()
        self._check_network()
        self._check_batches()

    def _check_data(self) -> None:
        """Refuse training images of one class, a class without any, and a test split of other images or classes."""
        classes = self.data.classes
        images = torch.bincount(self.data.labels, minlength=len(classes))
        if len(classes) < 2:
            raise CrqError(f"{self.data.name} has one class, {', '.join(classes)}: there is nothing to tell apart")
        if empty := [classes[index] for index in (images == 0).nonzero().flatten().tolist()]:
            out = " but those held out (data.validation)" if self.held_out is not None else ""
            raise CrqError(
                f"{self.data.name} has no training image{out} of {len(empty)} of its {len(classes)} classes: "
                f"{', '.join(empty[:5])}{', …' if len(empty) > 5 else ''}. Add images, or number classes without gaps"
            )
        if self.test.shape != self.data.shape:
            raise CrqError(
                f"images of {self.data.name} have shape {self.data.shape} in the training split and {self.test.shape} "
                "in the test split; bring all to one size and as many channels"
            )
        if self.test.classes != self.data.classes[: len(self.test.classes)]:
            extra = [name for name in self.test.classes if name not in self.data.classes]
            raise CrqError(
                f"the test split's classes {', '.join(self.test.classes)} are not the training split's "
                f"{', '.join(self.data.classes)}{': ' + ', '.join(extra) + ' is not among them' if extra else ''}"
            )

    def _check_network(self) -> None:
        """Refuse a network that `prepare` refuses, or whose output is not a logit for every class."""
        example = self.data.take(torch.arange(min(2, len(self.data)))).float() / 256
        try:
            prepared = prepare(self.network, self.recipe.ternary, example).eval()
            with torch.no_grad():
                logits = prepared(example)
        except (RuntimeError, IndexError) as error:
            raise CrqError(
                f"the network does not accept images of shape {tuple(example.shape[1:])}: {error}"
            ) from error
        if find_preprocess(prepared) is not None:
            raise CrqError(
                "the network normalizes its input, but a recipe's images are bytes as they are: leave that out (a "
                "batch norm learns it), or use crq.prepare and a loop of your own"
            )
        classes = len(self.data.classes)
        if logits.dim() != 2 or logits.shape[1] < classes:
            raise CrqError(
                f"the network's output for one image has shape {tuple(logits.shape[1:])}; expected {classes} "
                f"logits, one for each class of {self.data.name}"
            )

    def _check_batches(self) -> None:
        """Refuse a phase whose batch is larger than the data, and images that cannot be augmented."""
        world = distributed.world()
        for name, phase in self.recipe.phases.items():
            if len(self.data) < phase.batch_size * world:
                raise CrqError(
                    f"{len(self.data)} training images do not fill one batch of {name}.batch_size = "
                    f"{phase.batch_size} on {world} process(es)"
                )
        self.calibration()  # a loader names what its data cannot do

    def phase(self, name: str) -> Phase:
        """The recipe's section of that phase."""
        phase: Phase = getattr(self.recipe, name)
        return phase

    def steps(self, name: str) -> int:
        """Optimizer steps of the whole phase called `name`."""
        return self.phase(name).epochs * len(self.batches(name))

    def lam(self, name: str) -> float | None:
        """λ of λ·J in the phase called `name`; None where the method has no penalty there."""
        acts = {"retrain": self.method.penalize_retrain, "finetune": self.method.penalize_finetune}
        phase = self.phase(name)
        if not isinstance(phase, Penalized) or not acts[name]:
            return None
        if phase.dose is not None:
            whole = dose(phase, self.steps(name))
            return phase.dose / whole if whole else 0.0
        return self.method.lam if phase.lam is None else phase.lam

    def seed(self, name: str) -> int:
        """Keys the random choices of the phase called `name`."""
        return self.recipe.seed * 8 + PHASES.index(name)

    def batches(self, name: str) -> BatchLoader:
        """Training batches of the phase called `name`: this process's share, shuffled and augmented."""
        rank, world = distributed.rank(), distributed.world()
        augment, size = self.recipe.data.augment, self.phase(name).batch_size
        return BatchLoader(self.data, size, True, augment, seed=self.seed(name), rank=rank, world=world)

    def held_out_batches(self) -> BatchLoader | None:
        """The images held out of the training split, if any."""
        return BatchLoader(self.held_out, EVALUATION_BATCH) if self.held_out is not None else None

    def test_batches(self) -> BatchLoader:
        """The test split."""
        return BatchLoader(self.test, EVALUATION_BATCH)

    def calibration(self) -> BatchLoader:
        """The first images of the shuffled training set, in batches.

        Augmented as in training: the weights learned under those statistics. On CIFAR-10 with crop-flip, batch norms
        from plain images cost a ternary ResNet-20 two points (docs/results.md).
        """
        count = min(self.recipe.calibration, len(self.data))
        order = torch.randperm(len(self.data), generator=torch.Generator().manual_seed(self.recipe.seed))[:count]
        augment, seed = self.recipe.data.augment, self.recipe.seed
        return BatchLoader(self.data.subset(order), min(count, 128), augment=augment, seed=seed)


def load_split(source: Data, split: str) -> ImageData | ImageFiles:
    """The images of a recipe's data section; split: train or test. Fetches missing files where the section says so."""
    if source.size is not None:
        if source.root is None:
            raise CrqError("data.size needs data.root: the folder that holds train/ and test/")
        return datasets.open_files(f"{source.name}:{split}", source.root, source.size)
    root = datasets.fetch(source.name, source.root) if source.download else source.root
    return datasets.load(f"{source.name}:{split}", root)


def _in_memory(given: Dataset[Any], name: str, classes: tuple[str, ...] | None = None) -> ImageData | ImageFiles:
    return given if isinstance(given, ImageData) else datasets.from_dataset(given, classes, name)
