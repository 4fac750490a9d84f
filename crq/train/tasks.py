"""What a network is trained to give: the loss, what it compares with, and the figure that tells how well it does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crq import importing
from crq.convert.batches import device_of
from crq.errors import CrqError, nearest
from crq.train.sources.targets import Kind

if TYPE_CHECKING:
    from crq.train.recipe import Recipe


class Metric(NamedTuple):
    """A figure that is the mean over samples of `each` (outputs, targets) → [N]. kind: of the targets. rises: more is
    better.
    """

    name: str
    each: Callable[[Tensor, Tensor], Tensor]
    kind: Kind
    rises: bool


def _top5(outputs: Tensor, labels: Tensor) -> Tensor:
    best = outputs.topk(min(5, outputs.shape[1]), 1).indices
    return (best == labels[:, None]).any(1).float()


METRICS = {
    made.name: made
    for made in (
        Metric("accuracy", lambda y, t: (y.argmax(1) == t).float(), "classes", True),
        Metric("top5_accuracy", _top5, "classes", True),
        Metric("label_accuracy", lambda y, t: ((y > 0) == (t > 0.5)).float().mean(1), "bits", True),
        Metric("mse", lambda y, t: (y - t).square().mean(1), "numbers", False),
        Metric("mae", lambda y, t: (y - t).abs().mean(1), "numbers", False),
    )
}
"""By name; `label_accuracy`: the share of right zeros and ones."""


def _as_they_are(inputs: Tensor) -> Tensor:
    return inputs


class Loss(NamedTuple):
    """A loss of a recipe: what it compares with, and the metric beside it."""

    function: Callable[[Tensor, Tensor], Tensor]
    kind: Kind
    metric: str


LOSSES = {
    "cross_entropy": Loss(F.cross_entropy, "classes", "accuracy"),
    "mse": Loss(F.mse_loss, "numbers", "mse"),
    "l1": Loss(F.l1_loss, "numbers", "mae"),
    "bce": Loss(F.binary_cross_entropy_with_logits, "bits", "label_accuracy"),
}
USUAL: dict[str, str] = {found.kind: name for name, found in reversed(LOSSES.items())}
"""By kind of labels, the loss whose metric those of one's own have, too."""


@dataclass(frozen=True)
class Task:
    """loss: of (outputs, targets). kind: of the data's labels. reconstructs: the target is the network's input, which
    `prepared` makes of what a batch holds.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    kind: Kind
    metric: Metric
    reconstructs: bool = False
    prepared: Callable[[Tensor], Tensor] = _as_they_are

    def targets(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """What the outputs for `inputs` are compared with."""
        return self.prepared(inputs).flatten(1) if self.reconstructs else labels

    def given(self, outputs: Tensor) -> Tensor:
        """The outputs [N, …] as they are compared: a network that gives its input again may give it in its shape."""
        return outputs.flatten(1) if self.reconstructs else outputs

    def further(self, outputs: Tensor, targets: Tensor, labels: Tensor) -> dict[str, float]:
        """Figures of a whole split that are no means over samples; those that are not defined on it are left out."""
        found: dict[str, float | None] = {}
        if self.metric.kind == "classes" and self.metric.name != "accuracy":
            found["accuracy"] = float(METRICS["accuracy"].each(outputs, targets).mean())
        if self.metric.kind == "numbers":
            spread = (targets - targets.mean(0)).square().sum()
            found["r2"] = 1 - float((outputs - targets).square().sum() / spread) if float(spread) else None
        if self.metric.kind == "bits":
            said, true = outputs > 0, targets > 0.5
            both = int(said.sum() + true.sum())
            found["f1"] = 2 * int((said & true).sum()) / both if both else None
        if self.reconstructs and labels.dim() == 1:
            found["auc"] = auc((outputs - targets).square().mean(1), labels > 0)
        return {name: value for name, value in found.items() if value is not None}

    def score(self, outputs: Tensor, targets: Tensor, labels: Tensor) -> dict[str, float]:
        """The metric and what `further` adds, of a whole split."""
        mean = float(self.metric.each(outputs, targets).double().mean())
        if not math.isfinite(mean) and bool(torch.isfinite(outputs).all()):
            raise CrqError(f"metric {self.metric.name} is {mean} on {len(outputs)} samples: let it give finite numbers")
        return {self.metric.name: mean, **self.further(outputs, targets, labels)}

    @torch.no_grad()
    def evaluate(self, model: Callable[[Tensor], Tensor], batches: Iterable[Any]) -> dict[str, float]:
        """`score` of (inputs, labels) batches; a module is put into eval mode for it, and back."""
        training = isinstance(model, nn.Module) and model.training
        device = device_of(model) if isinstance(model, nn.Module) else torch.device("cpu")
        if isinstance(model, nn.Module):
            model.eval()
        rows = [(self.given(model(x.to(device)).float().cpu()), self.targets(x, y), y) for x, y in batches]
        if isinstance(model, nn.Module):
            model.train(training)
        outputs, targets, labels = (torch.cat(column) for column in zip(*rows, strict=True))
        return self.score(outputs, targets, labels)


def auc(scores: Tensor, positive: Tensor) -> float | None:
    """The share of (positive, negative) pairs in which the positive one scores higher; ties count half.

    scores: float [N]; positive: bool [N]. None unless there are both.
    """
    yes, no = scores[positive].double(), scores[~positive].double().sort().values
    if not len(yes) or not len(no):
        return None
    below, up_to = (torch.searchsorted(no, yes, right=right).double() for right in (False, True))
    return float((below + up_to).mean() / (2 * len(no)))


def of_recipe(recipe: Recipe) -> Task:
    """The task of a recipe; raises `CrqError` as `of` does."""
    return of(recipe.loss, recipe.data.target == "input", recipe.metric)


def of(loss: str, reconstructs: bool = False, metric: str | None = None) -> Task:
    """The task of a recipe's `loss`, `data.target` and `metric`; raises `CrqError` for a name that there is not.

    A loss `module:function` compares with the data's labels as classes; its metric is the accuracy, or the squared
    error where the target is the input or the function has an attribute `kind` that says "numbers" or "bits". A metric
    `module:function` of (outputs, targets) gives a number per sample; more is better, unless its attribute `rises` is
    False.
    """
    if importing.is_function(loss):
        function = importing.find(loss)
        kind = getattr(function, "kind", "numbers" if reconstructs else "classes")
        if kind not in USUAL:
            raise CrqError(f"loss {loss}: its attribute kind is {kind!r}; expected one of {', '.join(USUAL)}")
        chosen = LOSSES[USUAL[kind]]._replace(function=users("loss", loss, function))
    elif loss in LOSSES:
        chosen = LOSSES[loss]
    else:
        known = ", ".join(LOSSES)
        raise CrqError(f"loss {loss!r}{nearest(loss, LOSSES)}: expected {known} or module:function")
    if reconstructs and chosen.kind != "numbers":
        raise CrqError(f'loss {loss!r} with data.target = "input": an autoencoder compares numbers; use mse or l1')
    judged = METRICS[chosen.metric] if metric is None else _metric(metric, chosen.kind)
    return Task(chosen.function, "marks" if reconstructs else chosen.kind, judged, reconstructs)


def users(what: str, name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The user's `function`, whose own errors say whose they are."""

    def called(outputs: Tensor, targets: Tensor) -> Tensor:
        try:
            return function(outputs, targets)
        except Exception as error:
            shapes = f"outputs {tuple(outputs.shape)} and targets {tuple(targets.shape)}"
            raise CrqError(f"{what} {name} raised {type(error).__name__} for {shapes}: {error}") from error

    return called


def _metric(name: str, kind: Kind) -> Metric:
    """The metric of that name, or the user's own, for targets of `kind`."""
    fitting = [known for known, one in METRICS.items() if one.kind == kind]
    if name in fitting:
        return METRICS[name]
    if not importing.is_function(name):
        raise CrqError(f"metric {name!r}{nearest(name, fitting)}: expected {', '.join(fitting)} or module:function")
    function = importing.find(name)

    def each(outputs: Tensor, targets: Tensor) -> Tensor:
        found = users("metric", name, function)(outputs, targets)
        if not isinstance(found, Tensor) or found.shape != (len(outputs),):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise CrqError(
                f"metric {name} gives {shape} for {len(outputs)} samples: expected a tensor ({len(outputs)},), one "
                "number per sample, whose mean is the figure"
            )
        return found.float()

    # The whole path is its name: without a colon it could be that of another figure of a run.
    return Metric(name, each, kind, bool(getattr(function, "rises", True)))
