"""Live PyTorch against simulation: the frozen module of a run and a project, integer by integer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw.errors import HwError
from hw.project import Project


class Verdict(NamedTuple):
    """Counts of what was compared; `against` says with what."""

    against: str
    mode: str
    images: int
    exact_images: int
    integers: int
    exact_integers: int
    correct: int | None  # images classified as labelled, if there are labels

    @property
    def bit_exact(self) -> bool:
        return self.exact_integers == self.integers

    def __str__(self) -> str:
        verdict = "bit-exact" if self.bit_exact else "NOT bit-exact"
        text = (
            f"{verdict}: {self.exact_images} of {self.images} images, "
            f"{self.exact_integers} of {self.integers} integers "
            f"({self.mode} simulation against {self.against})"
        )
        return text if self.correct is None else f"{text}; accuracy {self.correct / self.images:.2%}"


def verify(
    project: Project, codes: NDArray[Any], reference: str | Path | None = None, *, mode: str = "fast",
    labels: NDArray[Any] | None = None, progress: bool = False,
) -> Verdict:  # fmt: skip
    """Simulates `codes` (N, C, H, W) and compares every integer of the output.

    `reference` is a run folder or frozen.pt: the live PyTorch module; without it, the integer graph evaluated in NumPy.
    """
    found = project.integers(codes, mode=mode, progress=progress)
    if reference is not None:
        expected, against = _torch_integers(project, reference, codes), "the live PyTorch model"
    else:
        from hw.golden import evaluate

        shape = project.network.input.shape
        batches = np.array_split(codes.reshape(-1, *shape), max(1, len(codes) // 64))
        expected = np.concatenate([evaluate(project.network, b) for b in batches])
        against = "the integer graph"
    return compare(found, expected, against, mode, labels, project.network.output_scale)


def compare(
    found: NDArray[np.int64], expected: NDArray[np.int64], against: str, mode: str,
    labels: NDArray[Any] | None, scale: NDArray[np.float32],
) -> Verdict:  # fmt: skip
    """Counts equal integers and images. Raises `HwError` if the two have different sizes."""
    if found.size != expected.size or len(found) != len(expected):
        raise HwError(f"the project gives integers of shape {found.shape}, the reference {expected.shape}")
    equal = found.reshape(len(found), -1) == expected.reshape(len(found), -1)
    correct = None
    if labels is not None:
        logits = found.reshape(len(found), -1).astype(np.float32) * scale
        correct = int((logits.argmax(1) == labels).sum())
    return Verdict(against, mode, len(found), int(equal.all(1).sum()), equal.size, int(equal.sum()), correct)


def _torch_integers(project: Project, reference: str | Path, codes: NDArray[Any]) -> NDArray[np.int64]:
    import torch

    from crq.frozen import FrozenModel

    path = Path(reference)
    path = path / "frozen.pt" if path.is_dir() else path
    model = FrozenModel.load(path)
    made_from = project.graph.get_metadata_prop("crq.frozen_hash")
    if made_from != model.content_hash:
        raise HwError(
            f"{path}: is frozen model {model.content_hash[:16]}…, but the project was made from "
            f"{f'{made_from[:16]}…' if made_from else 'a file that names none'}; give the run it was exported from"
        )
    batches = torch.as_tensor(np.ascontiguousarray(codes)).split(64)
    return torch.cat([model.integers(batch) for batch in batches]).numpy()
