"""Live PyTorch against simulation: the frozen module of a run and a project, integer by integer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw.errors import HwError
from hw.ir.graph import Network
from hw.project import Project
from hw.verify.chain import Link, compare_layers, layer_values

if TYPE_CHECKING:
    from crq.convert.frozen import FrozenModel

TRACE_BYTES = 1 << 30  # of all layers' integers at once


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
        from hw.ir.interpret import evaluate

        shape = project.network.input.shape
        batches = np.array_split(codes.reshape(-1, *shape), max(1, len(codes) // 64))
        expected = np.concatenate([evaluate(project.network, b) for b in batches])
        against = "the integer graph"
    return compare(found, expected, against, mode, labels, project.network)


def compare(
    found: NDArray[np.int64], expected: NDArray[np.int64], against: str, mode: str,
    labels: NDArray[Any] | None, network: Network,
) -> Verdict:  # fmt: skip
    """Counts equal integers and images. Raises `HwError` if the two have different sizes."""
    if found.size != expected.size or len(found) != len(expected):
        raise HwError(f"the project gives integers of shape {found.shape}, the reference {expected.shape}")
    equal = found.reshape(len(found), -1) == expected.reshape(len(found), -1)
    correct = None
    if labels is not None:
        correct = int((network.logits(found).reshape(len(found), -1).argmax(1) == labels).sum())
    return Verdict(against, mode, len(found), int(equal.all(1).sum()), equal.size, int(equal.sum()), correct)


def trace(
    project: Project, codes: NDArray[Any], reference: str | Path | None = None, *, mode: str = "fast"
) -> tuple[dict[str, NDArray[np.int64]], list[Link]]:  # fmt: skip
    """Every unit's integers (N, C, H, W) by layer, compared with the integer graph and, layer by layer, with PyTorch.

    With PyTorch the codes are compared: sums may have another sign there. Raises `HwError` if the integers of so many
    images exceed `TRACE_BYTES`.
    """
    per_image = 8 * sum(p.output.shape.size for p in project.plan.processes if p.unit)
    if len(codes) * per_image > TRACE_BYTES:
        raise HwError(
            f"the layers' integers of {len(codes):,} images take {len(codes) * per_image >> 20:,} MiB; trace at most "
            f"{TRACE_BYTES // per_image:,} images of this network (--limit)"
        )
    network = project.network
    found = project.trace(codes, mode=mode)
    expected = layer_values(network, codes.reshape(-1, *network.input.shape))
    links = [compare_layers(network, f"C simulation ({mode}) = integer graph", expected, found)]
    if reference is not None:
        live = _torch_codes(project, reference, codes)
        same = {name: values for name, values in found.items() if name in live}
        title = f"C simulation ({mode}) = the live PyTorch model, the codes of {len(same)} layers"
        links.append(compare_layers(network, title, {**expected, **live}, same))
    return found, links


def _torch_codes(project: Project, reference: str | Path, codes: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """The codes of the frozen model's quantizers, by name. One that reads a max pool trades places with it in
    hardware, so there its name belongs to other values."""
    import torch

    from crq.convert.steps import MaxPool, Threshold

    model = _frozen(project, reference)
    values = model.trace(torch.as_tensor(np.ascontiguousarray(codes)))
    return {
        wire.name: values[wire.name].numpy()
        for wire in model.wires
        if isinstance(model.steps[wire.name], Threshold)
        and not any(i in values and isinstance(model.steps[i], MaxPool) for i in wire.inputs)
    }


def _torch_integers(project: Project, reference: str | Path, codes: NDArray[Any]) -> NDArray[np.int64]:
    import torch

    model = _frozen(project, reference)
    batches = torch.as_tensor(np.ascontiguousarray(codes)).split(64)
    return torch.cat([model.integers(batch) for batch in batches]).numpy()


def _frozen(project: Project, reference: str | Path) -> FrozenModel:
    """Raises `HwError` unless the project was made from this frozen model."""
    from crq.convert.frozen import FrozenModel

    path = Path(reference)
    path = path / "frozen.pt" if path.is_dir() else path
    model = FrozenModel.load(path)
    made_from = project.network.metadata.frozen_hash
    if made_from != model.content_hash:
        raise HwError(
            f"{path}: is frozen model {model.content_hash[:16]}…, but the project was made from "
            f"{f'{made_from[:16]}…' if made_from else 'a file that names none'}; give the run it was exported from"
        )
    return model
