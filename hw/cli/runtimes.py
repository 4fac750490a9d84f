"""The exported file in other people's runtimes, as one kind of comparison with all others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from crq.convert.frozen import FrozenModel
    from crq.hw.verify.link import Link


def runtime_links(model: FrozenModel, file: str | Path, x: Tensor, progress: bool = False) -> list[Link]:
    """The file's logits in onnxruntime and qonnx, compared with the frozen model's (`export.check_file`)."""
    from crq.export.check import check_file
    from crq.hw.verify.link import Link

    links = []
    for r in check_file(model, file, x, progress):
        fault = f", which fails ({r.refusal})," if r.refusal else ""
        links.append(Link(f"file in {r.runtime}{fault} = PyTorch", r.images, r.values, r.different, claimed=r.claimed))
    return links
