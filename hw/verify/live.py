"""Live PyTorch against simulation: the frozen module of a run and a project, integer by integer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crq.figures import ACCURACY, told
from crq.hw.errors import HwError
from crq.hw.forms.built import Simulated
from crq.hw.ir.graph import Network
from crq.hw.ir.images import as_file
from crq.hw.ir.interpret import evaluate, from_stream, to_stream
from crq.hw.ir.ports import shape_of, whole
from crq.hw.verify.chain import layer_values, results_of
from crq.hw.verify.link import Link, compare, compare_layers
from crq.progress import counted

if TYPE_CHECKING:
    from crq.convert.frozen import FrozenModel

Score = Callable[[NDArray[Any]], Mapping[str, float]]
"""Figures of results (N, K), the logits as the file gives them."""

TRACE_BYTES = 1 << 30  # of all layers' integers at once


def verify(
    built: Simulated, codes: NDArray[Any], reference: str | Path | None = None, *, mode: str | None = None,
    score: Score | None = None, expected: NDArray[np.int64] | None = None, progress: bool = False,
) -> Link:  # fmt: skip
    """Simulates `codes` (N, C, H, W) and compares every integer of the output.

    `reference` is a run folder or frozen.pt: the live PyTorch module; without it, the integer graph evaluated in NumPy.
    `score` says how well the results fit the labels; `expected` are the `expected_integers`, where they are known.
    """
    mode = built.mode(mode)
    found = whole(built.integers(codes, mode=mode, progress=progress, layout="NCHW"))
    if expected is None:
        expected = expected_integers(built.network, codes, reference, progress)
    figures = None if score is None else score(_scores(built.network, found).reshape(len(found), -1))
    return compare(f"{mode} simulation against {against(reference)}", found, expected, figures=figures)


def _scores(network: Network, integers: NDArray[np.int64]) -> NDArray[Any]:
    """Logits; of classes 1 for the one and 0 for the others."""
    if not network.gives_classes:
        return network.logits(integers)
    classes = np.arange(network.layers[-1].input.shape.c)
    return (integers.reshape(len(integers), 1, -1) == classes[:, None]).astype(np.float32)


def expected_integers(
    network: Network, codes: NDArray[Any], reference: str | PathLike[str] | None = None, progress: bool = False
) -> NDArray[np.int64]:  # fmt: skip
    """The integers that codes (N, C, H, W) must give, by the live PyTorch module or by the integer graph in NumPy;
    `progress` shows a bar."""
    if reference is not None:
        return _torch_integers(network, reference, codes, progress)
    parts = np.array_split(codes.reshape(-1, *shape_of(network.inputs)), max(1, len(codes) // 64))
    batches = counted(((len(b), b) for b in parts), "integer graph", len(codes), progress)
    return np.concatenate([from_stream(network, evaluate(network, b)) for b in batches])


def against(reference: str | PathLike[str] | None) -> str:
    """What `verify` compares with."""
    return "the integer graph" if reference is None else "the live PyTorch model"


def reference_file(reference: str | PathLike[str] | None) -> Path | None:
    """The file that `verify` compares with: the frozen.pt of a run folder, or the one named."""
    if reference is None:
        return None
    from crq.convert.frozen import frozen_file

    return frozen_file(Path(reference))


def described(link: Link) -> str:
    """The outcome of `verify` in words, with the figures of quality where there are labels."""
    text = f"{link.outcome} ({link.name})"
    if not link.figures:
        return text
    name = "accuracy " if next(iter(link.figures)) == ACCURACY else ""
    return f"{text}; {name}{told(link.figures)}"


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
        "figures": None if link.figures is None else dict(link.figures),
        "bit_exact": link.equal,
    }


def trace(
    built: Simulated, codes: NDArray[Any], reference: str | Path | None = None, *, mode: str | None = None
) -> tuple[dict[str, NDArray[np.int64]], list[Link]]:  # fmt: skip
    """Every unit's integers (N, C, H, W) by layer, compared with the integer graph and, layer by layer, with PyTorch.

    With PyTorch the codes are compared: sums may have another sign there. Raises `HwError` if the integers of so many
    images exceed `TRACE_BYTES`.
    """
    per_image = 8 * sum(shape.size for shape in built.traced.values())
    if len(codes) * per_image > TRACE_BYTES:
        raise HwError(
            f"the layers' integers of {len(codes):,} images take {len(codes) * per_image >> 20:,} MiB; trace at most "
            f"{TRACE_BYTES // per_image:,} images of this network (--limit)"
        )
    network, mode = built.network, built.mode(mode)
    found = built.trace(codes, mode=mode, layout="NCHW")
    expected = layer_values(network, codes.reshape(-1, *shape_of(network.inputs)))
    links = [compare_layers(network, f"{built.simulator} ({mode}) = integer graph", expected, found, results_of(built))]
    if reference is not None:
        live = layer_codes(network, frozen_of(network, reference), codes)
        title = f"{built.simulator} ({mode}) = the live PyTorch model, the codes of {len(live)} layers"
        links.append(compare_layers(network, title, live, found, live.keys()))
    return found, links


def layer_codes(network: Network, model: FrozenModel, codes: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """The live model's codes by layer of the integer graph (N, C, H, W), and its result as the last layer's.

    Sums are left out: their sign may be in the weights of one and not of the other. Raises `HwError` for a graph that
    does not say which layer is which step.
    """
    import torch

    x = torch.as_tensor(np.ascontiguousarray(as_file(network, codes))).reshape(-1, *model.input.shape)
    traced, layers = model.trace(x), network.metadata.frozen_steps
    wanted = model.code_steps()
    if unknown := [step for step in wanted if step not in layers]:
        raise HwError(
            f"the file does not say which of its layers are the frozen model's {', '.join(unknown)}: it was written by "
            "an older crq; export the frozen model again and build from the new file"
        )
    last = network.layers[-1]
    result = to_stream(network, _result(network, model.integers(x).numpy()))
    shapes = {layer.name: layer.output.shape for layer in network}
    # Passes join some of those that only move codes to their readers.
    found = {layer: traced[step].numpy() for step in wanted if (layer := layers[step]) in shapes}
    return {name: v.reshape(-1, *shapes[name]) for name, v in found.items()} | {last.name: result}


def _torch_integers(
    network: Network, reference: str | PathLike[str], codes: NDArray[Any], progress: bool
) -> NDArray[np.int64]:
    import torch

    model = frozen_of(network, reference)
    taken = torch.as_tensor(np.ascontiguousarray(as_file(network, codes)))
    parts = taken.reshape(-1, *model.input.shape).split(64)
    batches = counted(((len(b), b) for b in parts), "PyTorch", len(codes), progress)
    return _result(network, torch.cat([model.integers(batch) for batch in batches]).numpy())


def _result(network: Network, integers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The network's result of the model's integers (N, C, …): these, or the first greatest of each pixel."""
    return integers.argmax(axis=1)[:, None] if network.gives_classes else integers


def frozen_of(network: Network, reference: str | PathLike[str]) -> FrozenModel:
    """The frozen model of a run folder or frozen.pt. Raises `HwError` unless `network` was made from it."""
    from crq.convert.frozen import FrozenModel, frozen_file

    path = frozen_file(Path(reference))
    model = FrozenModel.load(path)
    made_from = network.metadata.frozen_hash
    if made_from != model.content_hash:
        raise HwError(
            f"{path}: is frozen model {model.content_hash[:16]}…, but the project was made from "
            f"{f'{made_from[:16]}…' if made_from else 'a file that names none'}; give the run it was exported from"
        )
    return model
