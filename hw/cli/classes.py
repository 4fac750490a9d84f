"""The classes that a simulation says, kept while it is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crq.hw.report.classes import confusion

if TYPE_CHECKING:
    from crq.hw.verify.live import Score


class Watched:
    """A `score` that remembers the confusion matrix of the logits it was given last; labels:
    integers [N]; without `names` they are no classes."""

    def __init__(self, score: Score, names: Sequence[str], labels: NDArray[Any]) -> None:
        self.score, self.names, self.labels = score, names, labels
        self.found: dict[str, Any] | None = None

    def __call__(self, logits: NDArray[Any]) -> Mapping[str, float]:
        if self.names:
            self.found = confusion(self.names, self.labels[: len(logits)], np.asarray(logits).argmax(1))
        return self.score(logits)
