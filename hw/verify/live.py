"""Live PyTorch against simulation: the frozen module of a run and a project, integer by integer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hw.errors import HwError
from hw.hls.built import Built
from hw.ir.interpret import evaluate
from hw.verify.chain import layer_values
from hw.verify.link import Link, compare, compare_layers

if TYPE_CHECKING:
    from crq.convert.frozen import FrozenModel

TRACE_BYTES = 1 << 30  # of all layers' integers at once


def verify(
    built: Built, codes: NDArray[Any], reference: str | Path | None = None, *, mode: str = "fast",
    labels: NDArray[Any] | None = None, progress: bool = False,
) -> Link:  # fmt: skip
    """Simulates `codes` (N, C, H, W) and compares every integer of the output.

    `reference` is a run folder or frozen.pt: the live PyTorch module; without it, the integer graph evaluated in NumPy.
    """
    found = built.integers(codes, mode=mode, progress=progress)
    if reference is not None:
        expected = _torch_integers(built, reference, codes)
    else:
        shape = built.network.input.shape
        batches = np.array_split(codes.reshape(-1, *shape), max(1, len(codes) // 64))
        expected = np.concatenate([evaluate(built.network, b) for b in batches])
    correct = None
    if labels is not None:
        correct = int((built.network.logits(found).reshape(len(found), -1).argmax(1) == labels).sum())
    return compare(f"{mode} simulation against {against(reference)}", found, expected, correct=correct)


def against(reference: str | Path | None) -> str:
    """What `verify` compares with."""
    return "the integer graph" if reference is None else "the live PyTorch model"


def described(link: Link) -> str:
    """The outcome of `verify` in words, with the accuracy where there are labels."""
    assert link.images_differing is not None
    text = (
        f"{'bit-exact' if link.equal else 'NOT bit-exact'}: {link.images - link.images_differing} of {link.images} "
        f"images, {link.integers - link.differing} of {link.integers} integers ({link.name})"
    )
    return text if link.correct is None else f"{text}; accuracy {link.correct / link.images:.2%}"


def verdict_facts(link: Link, mode: str, reference: str | Path | None) -> dict[str, Any]:
    """The outcome of `verify` for JSON."""
    assert link.images_differing is not None
    return {
        "against": against(reference),
        "mode": mode,
        "images": link.images,
        "exact_images": link.images - link.images_differing,
        "integers": link.integers,
        "exact_integers": link.integers - link.differing,
        "correct": link.correct,
        "bit_exact": link.equal,
    }


def trace(
    built: Built, codes: NDArray[Any], reference: str | Path | None = None, *, mode: str = "fast"
) -> tuple[dict[str, NDArray[np.int64]], list[Link]]:  # fmt: skip
    """Every unit's integers (N, C, H, W) by layer, compared with the integer graph and, layer by layer, with PyTorch.

    With PyTorch the codes are compared: sums may have another sign there. Raises `HwError` if the integers of so many
    images exceed `TRACE_BYTES`.
    """
    per_image = 8 * sum(p.output.shape.size for p in built.plan.processes if p.unit)
    if len(codes) * per_image > TRACE_BYTES:
        raise HwError(
            f"the layers' integers of {len(codes):,} images take {len(codes) * per_image >> 20:,} MiB; trace at most "
            f"{TRACE_BYTES // per_image:,} images of this network (--limit)"
        )
    network = built.network
    found = built.trace(codes, mode=mode)
    expected = layer_values(network, codes.reshape(-1, *network.input.shape))
    links = [compare_layers(network, f"C simulation ({mode}) = integer graph", expected, found)]
    if reference is not None:
        live = _torch_codes(built, reference, codes)
        same = {name: values for name, values in found.items() if name in live}
        title = f"C simulation ({mode}) = the live PyTorch model, the codes of {len(same)} layers"
        links.append(compare_layers(network, title, {**expected, **live}, same))
    return found, links


def _torch_codes(built: Built, reference: str | Path, codes: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """The codes of the frozen model's quantizers, by name. One that reads a max pool trades places with it in
    hardware, so there its name belongs to other values."""
    import torch

    from crq.convert.steps import MaxPool, Threshold

    model = _frozen(built, reference)
    values = model.trace(torch.as_tensor(np.ascontiguousarray(codes)))
    return {
        wire.name: values[wire.name].numpy()
        for wire in model.wires
        if isinstance(model.steps[wire.name], Threshold)
        and not any(i in values and isinstance(model.steps[i], MaxPool) for i in wire.inputs)
    }


def _torch_integers(built: Built, reference: str | Path, codes: NDArray[Any]) -> NDArray[np.int64]:
    import torch

    model = _frozen(built, reference)
    batches = torch.as_tensor(np.ascontiguousarray(codes)).split(64)
    return torch.cat([model.integers(batch) for batch in batches]).numpy()


def _frozen(built: Built, reference: str | Path) -> FrozenModel:
    """Raises `HwError` unless the project was made from this frozen model."""
    from crq.convert.frozen import FrozenModel

    path = Path(reference)
    path = path / "frozen.pt" if path.is_dir() else path
    model = FrozenModel.load(path)
    made_from = built.network.metadata.frozen_hash
    if made_from != model.content_hash:
        raise HwError(
            f"{path}: is frozen model {model.content_hash[:16]}…, but the project was made from "
            f"{f'{made_from[:16]}…' if made_from else 'a file that names none'}; give the run it was exported from"
        )
    return model
