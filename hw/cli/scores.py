"""How well results fit the labels of data: the figures of training, of simulated logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from crq.convert.preprocessing import Steps
    from crq.train.tasks import Task


@dataclass(frozen=True)
class Scored:
    """What results are compared with. inputs: real values [N, …], before `steps`, which an autoencoder gives again."""

    task: Task
    labels: Tensor
    inputs: Tensor
    steps: Steps = ()

    def first(self, count: int) -> Callable[[NDArray[Any]], dict[str, float]]:
        """The figures of the logits (count, K) of the first `count` samples."""
        import torch

        from crq.convert.preprocessing import apply

        labels, inputs = self.labels[:count], self.inputs[:count]

        def score(logits: NDArray[Any]) -> dict[str, float]:
            targets = self.task.targets(apply(self.steps, inputs).float(), labels)
            return self.task.score(torch.from_numpy(np.asarray(logits, np.float32)), targets, labels)

        return score
