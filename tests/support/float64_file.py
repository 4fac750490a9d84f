"""A QONNX file evaluated in float64 on a batch: what the integer graph of a foreign file must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from crq.hw.verify.float64.evaluate import Float64File


def evaluate(model: ModelProto, x: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Every tensor of one image by name, for inputs `x` (N, …) as the file takes them, one after the other."""
    file = Float64File(model)
    runs = [file.run(image) for image in x]
    names = [name for name, value in runs[0].items() if np.ndim(value) > 1 and len(value) == 1]
    return {name: np.concatenate([run[name] for run in runs]) for name in names}
