"""`FrozenModel`: the PyTorch module whose evaluation is the hardware's arithmetic (design §2.8)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from crq.convert import archive
from crq.convert.consistency import check
from crq.convert.moved import Channels, Enlarge, Pad, Row, Shuffle, Slice, Transpose, Unshuffle
from crq.convert.preprocessing import Steps, apply
from crq.convert.step import Step
from crq.convert.steps import STEPS, Concat, MaxPool, Output, Threshold
from crq.errors import CrqError
from crq.files import atomic_path


class InputSpec(NamedTuple):
    """Input codes: value = code × scale, code in [qmin, qmax]; `shape` is one image, (C, H, W), (C, L) or (C,).

    preprocessing: what the host does to real values before they are divided by the scale, rounded and clipped.
    """

    shape: tuple[int, ...]
    scale: float
    qmin: int
    qmax: int
    bits: int
    signed: bool
    preprocessing: Steps = ()


class Wire(NamedTuple):
    """Which results a step reads: names of earlier steps, or `INPUT`."""

    name: str
    inputs: tuple[str, ...]


INPUT = "input"


MOVING = (MaxPool, Concat, Channels, Slice, Pad, Enlarge, Shuffle, Unshuffle, Row, Transpose)
"""Steps that give codes where they are given codes."""


class FreezeReport(NamedTuple):
    """Channels whose b moved, by layer; the share of results (images, or their positions) whose argmax stayed the same
    on so many calibration images."""

    nudged: dict[str, int]
    equal_argmax: float
    images: int


class FrozenModel(nn.Module):
    """An integer network. `forward` returns float32 logits, `integers` the exact results before the output scale.

    Takes integer codes, or floats that lie on the input grid; anything else raises `CrqError`. It has no trainable
    parameters and refuses to change dtype: the arithmetic is exact as it stands.
    """

    def __init__(
        self,
        spec: InputSpec,
        wires: Sequence[Wire],
        steps: Mapping[str, Step],
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.input = spec
        self.wires = tuple(wires)
        self.metadata = dict(metadata or {})
        self.steps = nn.ModuleDict(steps)
        last = self.steps[self.wires[-1].name]
        if not isinstance(last, Output):
            raise CrqError(f"a frozen model ends with an Output step, not {type(last).__name__}")
        self.output: Output = last
        self.report: FreezeReport | None = None  # filled in by `freeze`, not part of the saved file
        self.eval()

    def codes(self, x: Tensor, quantize: bool = False) -> Tensor:
        """Input codes, int64 (N, *shape). Floats off the grid raise unless `quantize`, which rounds and clips them.

        Floats for a network that normalizes its input are always rounded and clipped, as its host does; integers are
        codes.
        """
        spec = self.input
        if not isinstance(x, Tensor):
            raise CrqError(f"input {type(x).__name__}: expected a tensor (N, {', '.join(map(str, spec.shape))})")
        if x.ndim != len(spec.shape) + 1 or tuple(x.shape[1:]) != spec.shape:
            raise CrqError(f"input of shape {tuple(x.shape)}: expected (N, {', '.join(map(str, spec.shape))})")
        if x.is_floating_point():
            units = apply(spec.preprocessing, x.detach()) / spec.scale
            quantize = quantize or bool(spec.preprocessing)
            rounded = units.round().clamp(spec.qmin, spec.qmax) if quantize else units.round()
            if not torch.isfinite(rounded).all():
                raise CrqError("input values are not finite (NaN or infinity): mend or leave out those samples")
            if not (quantize or torch.equal(rounded, units)):
                raise CrqError(
                    f"input values are not multiples of {spec.scale}: pass integer codes (image bytes), values "
                    f"code × {spec.scale}, or quantize=True"
                )
            codes = rounded.to(torch.int64)
        else:
            codes = x.detach().to(torch.int64)
        if codes.numel() and not (spec.qmin <= int(codes.min()) and int(codes.max()) <= spec.qmax):
            raise CrqError(f"input codes outside [{spec.qmin}, {spec.qmax}]")
        return codes

    def trace(self, x: Tensor, quantize: bool = False) -> dict[str, Tensor]:
        """Every step's result, int64, by step name, in order; the last is `integers(x)`."""
        results = {INPUT: self.codes(x, quantize)}
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            for wire in self.wires:
                results[wire.name] = self.steps[wire.name](*(results[i] for i in wire.inputs))
        del results[INPUT]
        return results

    def code_steps(self) -> list[str]:
        """The steps that give codes, in order: thresholds, and what moves codes. Others give sums."""
        codes = {INPUT}
        for wire in self.wires:
            step = self.steps[wire.name]
            if isinstance(step, Threshold) or (isinstance(step, MOVING) and codes.issuperset(wire.inputs)):
                codes.add(wire.name)
        return [wire.name for wire in self.wires if wire.name in codes]

    def integers(self, x: Tensor, quantize: bool = False) -> Tensor:
        """int64 (N, classes): accumulator plus integer bias of the last layer."""
        remaining = {name: sum(name in w.inputs for w in self.wires) for name in (INPUT, *(w.name for w in self.wires))}
        results = {INPUT: self.codes(x, quantize)}
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            for wire in self.wires:
                results[wire.name] = self.steps[wire.name](*(results[i] for i in wire.inputs))
                for name in set(wire.inputs):  # feature maps are large: drop each after its last reader
                    remaining[name] -= 1
                    if not remaining[name]:
                        del results[name]
        return results[self.wires[-1].name]

    def forward(self, x: Tensor, quantize: bool = False) -> Tensor:
        """float32 logits (N, classes): integers × output scale. x, quantize: as in `codes`."""
        return self.output.logits(self.integers(x, quantize))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FrozenModel:
        if fn(torch.zeros(1)).dtype != torch.float32:
            raise CrqError("a frozen model is exact integer arithmetic and has no other dtype; leave it as it is")
        super()._apply(fn, recurse)
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 over wiring, parameters and tensors: equal for equal arithmetic, whatever the metadata."""
        digest = hashlib.sha256()
        for entry in self._entries():
            tensors = entry.pop("tensors")
            digest.update(json.dumps(entry, sort_keys=True).encode())
            for name in sorted(tensors):
                tensor = tensors[name]
                digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
                digest.update(tensor.numpy().tobytes())
        digest.update(json.dumps(self.input[:6]).encode())
        if self.input.preprocessing:
            digest.update(json.dumps(self.input.preprocessing).encode())
        return digest.hexdigest()

    def _entries(self) -> list[dict[str, Any]]:
        entries = []
        for wire in self.wires:
            step = self.steps[wire.name]
            assert isinstance(step, Step)
            tensors = {k: v.cpu() for k, v in step.named_buffers(recurse=False)}
            entries.append(
                {"name": wire.name, "op": type(step).__name__, "inputs": list(wire.inputs), "params": step.params}
                | {"tensors": tensors}
            )
        return entries

    def save(self, path: str | Path) -> None:
        """Write a file that `load` reads back without unpickling code; atomic. Equal models give equal bytes."""
        state = {
            "format": archive.FORMAT,
            "version": archive.VERSION,
            "input": {k: v for k, v in self.input._asdict().items() if k != "preprocessing" or v},
            "steps": self._entries(),
            "metadata": dict(sorted(self.metadata.items())),
            "hash": self.content_hash,
        }
        with atomic_path(path) as temporary:
            temporary.write_bytes(archive.to_bytes(state))

    @classmethod
    def load(cls, path: str | Path) -> FrozenModel:
        """Raises `CrqError` if the file is no frozen model, of an unknown version, or does not match its own hash."""
        path = Path(path)
        state = archive.read(path)
        try:
            before = tuple((k, tuple(c) if isinstance(c, list) else c) for k, c in state["input"]["preprocessing"])
            spec = InputSpec(**{**state["input"], "shape": tuple(state["input"]["shape"]), "preprocessing": before})
            steps = {e["name"]: STEPS[e["op"]](**e["tensors"], **e["params"]) for e in state["steps"]}
            wires = [Wire(e["name"], tuple(e["inputs"])) for e in state["steps"]]
            check(spec.shape, wires, steps)
            model = cls(spec, wires, steps, state["metadata"])
        except Exception as error:  # a forged file can make anything of them
            raise archive.damaged(path, error) from error
        if model.content_hash != state["hash"]:
            raise CrqError(f"{path}: content does not match its hash; the file was changed or damaged")
        return model


def frozen_file(run: Path) -> Path:
    """The file of the frozen model in the folder of `crq train` or `crq run`; `run` itself where it is no folder."""
    places = (run / "frozen.pt", run / "train" / "frozen.pt")
    return next((place for place in places if place.is_file()), places[0]) if run.is_dir() else run
