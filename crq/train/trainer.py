"""The phases of Algorithm 1 in order: pretrain → retrain → quantize → finetune → freeze, into one run folder."""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, fx, nn
from torch.utils.data import Dataset

from crq import models
from crq.convert.calibrate import calibrate_activations, reestimate_batch_norm
from crq.convert.freeze import freeze
from crq.convert.prepare import prepare, set_mode
from crq.errors import CrqError
from crq.files import empty_folder, write_json, write_text
from crq.quant import methods
from crq.quant.layers import TernaryLayer
from crq.quant.penalties import layer_statistics
from crq.train import data as datasets
from crq.train import distributed, manifest, plots
from crq.train.checkpoints import restore, save
from crq.train.data import ImageData
from crq.train.image_files import ImageFiles
from crq.train.loader import BatchLoader
from crq.train.phases import accuracy
from crq.train.recipe import Data, Penalized, Phase, Recipe
from crq.train.recipe import load as load_recipe
from crq.train.size import model_size

EVALUATION_BATCH = 500


def train_recipe(
    recipe: Recipe | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    network: nn.Module | None = None,
    data: Dataset[Any] | None = None,
    test: Dataset[Any] | None = None,
    resume: bool = False,
    pretrained: str | os.PathLike[str] | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run a recipe into the folder `out` and return its summary (also written to `summary.json`).

    recipe: a `Recipe`, a TOML file or a built-in name. network, data, test: used in place of what the recipe names;
    data and test, the training and the test split, are `ImageData` or any dataset that `from_dataset` takes.
    resume: continue an interrupted run in `out`; otherwise `out` must be empty. pretrained: the folder of an earlier
    run whose float network to start from; it must have the same data, network, seed and pretrain sections. Raises
    `CrqError` for everything a user can mend, before training where possible.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe)
    earlier = None if pretrained is None else Path(pretrained)
    return Run(recipe, Path(out), network, data, test, resume, console or Console(stderr=True), earlier).complete()


class Run:
    """The state of one run: its folder, its data, the network, and what each phase has given so far."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        network: nn.Module | None,
        data: Dataset[Any] | None,
        test: Dataset[Any] | None,
        resume: bool,
        console: Console,
        pretrained: Path | None = None,
    ) -> None:
        self.recipe, self.folder, self.console = recipe, folder, console
        if recipe.threads is not None:
            torch.set_num_threads(recipe.threads)
        source = recipe.data
        self.data = _load(source, "train") if data is None else _in_memory(data, "data")
        self.test = _load(source, "test") if test is None else _in_memory(test, "test", self.data.classes)
        self.held_out: ImageData | ImageFiles | None = None
        if source.validation:
            self.data, self.held_out = datasets.holdout(self.data, source.validation, seed=0)
        self.method = methods.get(recipe.ternary.method)
        if network is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(recipe.seed)
                network = models.build(recipe.network.name, **recipe.network.options)
        self.network: nn.Module = network
        # Everything that can be refused is refused here, before the first epoch and before the folder exists.
        self._check_data()
        self._check_network()
        self._check_batches()
        start = None if pretrained is None else self._float_network(pretrained)
        self.rows: list[dict[str, Any]] = []
        self.accuracies: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.layers: dict[str, dict[str, dict[str, float]]] = {}
        distributed.start()
        self._open_folder(resume)
        if start is not None and distributed.is_main():
            save(start, self.folder / "checkpoints" / "pretrain.pt")
        distributed.barrier()

    def _check_data(self) -> None:
        """Refuse a test split of other images or classes than the training split's."""
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
        classes = len(self.data.classes)
        if logits.dim() != 2 or logits.shape[1] < classes:
            raise CrqError(
                f"the network's output for one image has shape {tuple(logits.shape[1:])}; expected {classes} "
                f"logits, one for each class of {self.data.name}"
            )

    def _check_batches(self) -> None:
        """Refuse a phase whose batch is larger than the data, and images that cannot be augmented."""
        world = distributed.world()
        for name in ("pretrain", "retrain", "finetune"):
            phase: Phase = getattr(self.recipe, name)
            if phase.epochs and (name != "retrain" or self._retrains) and len(self.data) < phase.batch_size * world:
                raise CrqError(
                    f"{len(self.data)} training images do not fill one batch of {name}.batch_size = "
                    f"{phase.batch_size} on {world} process(es)"
                )
        self.calibration()  # a loader names what its data cannot do

    @property
    def _retrains(self) -> bool:
        return self.method.penalize_retrain or self.recipe.retrain.regularizer is not None

    def _open_folder(self, resume: bool) -> None:
        saved = self.folder / "recipe.toml"
        if resume:
            if not saved.exists():
                raise CrqError(f"{self.folder} has no recipe.toml, so there is no run to resume in it")
            if load_recipe(saved).training != self.recipe.training:
                raise CrqError(f"the recipe differs from {saved}; resume with that file, or choose another folder")
        elif distributed.is_main():
            empty_folder(self.folder)
            self.recipe.save(saved)
        distributed.barrier()

    def _float_network(self, earlier: Path) -> dict[str, Any]:
        """What the finished pretrain phase of the run in `earlier` saved."""
        theirs = load_recipe(earlier / "recipe.toml")
        for section in ("data", "network", "seed", "pretrain"):
            if getattr(theirs, section) != getattr(self.recipe, section):
                raise CrqError(f"{earlier} was trained with another `{section}`; its float network cannot be used here")
        source = earlier / "checkpoints" / "pretrain.pt"
        if not source.exists():
            raise CrqError(f"{earlier} has no finished pretrain phase (checkpoints/pretrain.pt)")
        return restore(source)

    def complete(self) -> dict[str, Any]:
        """Run every phase that is not finished yet."""
        recipe = self.recipe
        self._train("pretrain", self.network, recipe.pretrain, "float")
        before = _weights(prepare(self.network, recipe.ternary))
        prepared = prepare(self.network, recipe.ternary)
        if self._retrains:
            self._train("retrain", prepared, recipe.retrain, "retrained")
        after = _weights(prepared)
        self._quantize(prepared)
        self._train("finetune", prepared, recipe.finetune, "finetuned")
        if distributed.is_main():
            summary = self._finish(prepared, before, after)
        distributed.barrier()
        return summary if distributed.is_main() else {}

    def _train(self, name: str, network: nn.Module, phase: Phase, stage: str) -> None:
        """Train one phase, or load its result when an earlier run completed it."""
        done = self.folder / "checkpoints" / f"{name}.pt"
        if not done.exists():
            from crq.train.fit import fit  # Lightning takes seconds to import, and a finished run needs none of it

            lam = None
            if isinstance(phase, Penalized) and (
                self.method.penalize_retrain if name == "retrain" else self.method.penalize_finetune
            ):
                lam = self.method.lam if phase.lam is None else phase.lam
            start = time.perf_counter()
            rows = fit(self, name, network, phase, lam)
            seconds = time.perf_counter() - start
            state: dict[str, Any] = {
                "network": network.state_dict(),
                "rows": rows,
                "accuracy": self._accuracy(network),
                "seconds": seconds,
                "layers": layer_statistics(network),
            }
            if distributed.is_main():
                save(state, done)
            distributed.barrier()
        # Loading what was just written gives every process of a distributed run the same batch norms.
        state = restore(done)
        network.load_state_dict(state["network"])
        network.to("cpu")
        self.rows += state["rows"]
        self.accuracies[stage] = state["accuracy"]
        self.seconds[name] = state["seconds"]
        self.layers[name] = state["layers"]
        if distributed.is_main():
            self._log()
            self.console.print(f"{stage:<9} {state['accuracy']:.2%} of {len(self.test)} test images", highlight=False)

    def _quantize(self, prepared: fx.GraphModule) -> None:
        """α·t in place of the weights; scales and batch norms follow, since the old ones describe another network."""
        start = time.perf_counter()
        set_mode(prepared, "quantized", activations=False)
        reestimate_batch_norm(prepared, self.calibration())
        if self.recipe.ternary.act_bits is not None:
            calibrate_activations(prepared, self.calibration(whole=True))
            set_mode(prepared, "quantized")
            reestimate_batch_norm(prepared, self.calibration())
        self.accuracies["quantized"] = self._accuracy(prepared)
        self.seconds["quantize"] = time.perf_counter() - start
        if distributed.is_main():
            self.console.print(f"quantized {self.accuracies['quantized']:.2%}", highlight=False)

    def _finish(self, prepared: fx.GraphModule, before: dict[str, Tensor], after: dict[str, Tensor]) -> dict[str, Any]:
        start = time.perf_counter()
        files = [
            "recipe.toml",
            *(f"checkpoints/{path.name}" for path in sorted((self.folder / "checkpoints").glob("*.pt"))),
        ]
        reason = self.recipe.ternary.not_exportable
        if reason is None:
            frozen = freeze(prepared, self.calibration())
            frozen.metadata = self._metadata()
            frozen.save(self.folder / "frozen.pt")
            files.append("frozen.pt")
            self.accuracies["frozen"] = self._accuracy(frozen)
            self.console.print(f"frozen    {self.accuracies['frozen']:.2%}", highlight=False)
        else:  # what freeze would have done to the batch norms: their running statistics lag behind the last steps
            reestimate_batch_norm(prepared, self.calibration())
            self.accuracies["recalibrated"] = self._accuracy(prepared)
            self.console.print(f"recalibrated {self.accuracies['recalibrated']:.2%}", highlight=False)
        self.seconds["freeze"] = time.perf_counter() - start
        statistics = layer_statistics(prepared)
        plots.curves(self.rows, self.folder / "curves.png")
        plots.histograms(
            before, after, {name: values["alpha"] for name, values in statistics.items()}, self.folder / "weights.png"
        )
        summary = {
            "schema": 1,
            "name": self.recipe.name,
            "method": self.method.name,
            "test_images": len(self.test),
            "accuracy": self.accuracies,
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "layers": {
                name: {
                    "weights": before[name].numel(),
                    "cost_before": self._cost("pretrain", name, prepared, before[name]),
                    "cost_after": self._cost("retrain", name, prepared, after[name]),
                    **values,
                }
                for name, values in statistics.items()
            },
            "size": model_size(prepared),
            "not_exportable": reason,
        }
        write_json(self.folder / "summary.json", summary)
        parts = {"train": self.data, "test": self.test} | ({"validation": self.held_out} if self.held_out else {})
        write_json(self.folder / "manifest.json", manifest.manifest(self.recipe, parts, self.folder, files))
        return summary

    def _metadata(self) -> dict[str, str]:
        """What a reader of the exported file wants to know of its making."""
        lam = self.method.lam if self.recipe.retrain.lam is None else self.recipe.retrain.lam
        return {
            "recipe": self.recipe.name,
            "method": self.method.name,
            "lambda": repr(lam),
            "data": self.data.name,
            "class_names": json.dumps(list(self.test.classes)),
            "preprocessing": f"none: image bytes are the input codes, value = byte × {self.recipe.ternary.input_scale}",
        }

    def _cost(self, phase: str, name: str, prepared: nn.Module, weight: Tensor) -> float:
        """J/‖W‖² of the layer called `name` if its weights were `weight`."""
        layer = prepared.get_submodule(name)
        assert isinstance(layer, TernaryLayer)
        return layer.method.ternarize(weight, layer.per_channel, name).relative_cost(weight)

    def loader(self, phase: Phase, index: int) -> BatchLoader:
        """Training batches of phase number `index`: this process's share, shuffled and augmented."""
        rank, world = distributed.rank(), distributed.world()
        seed = self.recipe.seed * 8 + index
        return BatchLoader(
            self.data, phase.batch_size, True, self.recipe.data.augment, seed=seed, rank=rank, world=world
        )

    def calibration(self, whole: bool = False) -> BatchLoader:
        """The first images of the shuffled training set, in batches, or in one batch when `whole`.

        Augmented as in training: the weights learned under those statistics. On CIFAR-10 with crop-flip, batch norms
        from plain images cost a ternary ResNet-20 two points (docs/results.md).
        """
        count = min(self.recipe.calibration, len(self.data))
        order = torch.randperm(len(self.data), generator=torch.Generator().manual_seed(self.recipe.seed))[:count]
        augment, seed = self.recipe.data.augment, self.recipe.seed
        return BatchLoader(self.data.subset(order), count if whole else min(count, 128), augment=augment, seed=seed)

    def _accuracy(self, network: nn.Module) -> float:
        return accuracy(network, BatchLoader(self.test, EVALUATION_BATCH))

    def _log(self) -> None:
        _write_csv(self.folder / "metrics.csv", [{k: v for k, v in row.items() if k != "layers"} for row in self.rows])
        layers = [
            {"phase": row["phase"], "epoch": row["epoch"], "layer": name, **values}
            for row in self.rows
            for name, values in row.get("layers", {}).items()
        ]
        _write_csv(self.folder / "layers.csv", layers)


def _write_csv(target: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["phase"])
    writer.writeheader()
    writer.writerows(rows)
    write_text(target, text.getvalue())


def _load(source: Data, split: str) -> ImageData | ImageFiles:
    if source.size is not None:
        if source.root is None:
            raise CrqError("data.size needs data.root: the folder that holds train/ and test/")
        return datasets.open_files(f"{source.name}:{split}", source.root, source.size)
    root = datasets.fetch(source.name, source.root) if source.download else source.root
    return datasets.load(f"{source.name}:{split}", root)


def _in_memory(given: Dataset[Any], name: str, classes: tuple[str, ...] | None = None) -> ImageData | ImageFiles:
    return given if isinstance(given, ImageData) else datasets.from_dataset(given, classes, name)


def _weights(prepared: nn.Module) -> dict[str, Tensor]:
    layers = {name: module for name, module in prepared.named_modules() if isinstance(module, TernaryLayer)}
    return {name: copy.deepcopy(layer.weight.detach()) for name, layer in layers.items()}
