"""The bytes of frozen.pt: the same for the same model wherever it is saved, and read with suspicion."""

from __future__ import annotations

import io
import math
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from crq.convert import preprocessing
from crq.convert.activations import FUNCTIONS
from crq.convert.steps import STEPS
from crq.errors import CrqError

FORMAT, VERSION = "crq.frozen", 1

_MOST = 1 << 28
"""Values, at most, of one image or of one step's result for it."""
_I8, _I64, _F32 = torch.int8, torch.int64, torch.float32
_MAC = {"codes": (_I8, (2, 3, 4)), "alpha": (_F32, (0,))}
_THRESHOLD: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {
    "table": (_I64, (2,)), "signs": (_I64, (1,)), "alpha": (_F32, (1,)), "gain": (_F32, (1,)), "bias": (_F32, (1,)),
}  # fmt: skip
_TENSORS: dict[str, dict[str, tuple[torch.dtype, tuple[int, ...]]]] = {
    "Linear": _MAC,
    "Conv": _MAC,
    "ConvTransposed": _MAC,
    "Threshold": _THRESHOLD,
    "Activated": {**_THRESHOLD, "fall": (_I64, (2,))},
    "Output": {"bias": (_I64, (1,)), "scale": (_F32, (1,))},
}  # fmt: skip
"""By operation the types and ranks of its tensors."""


def _integer(least: int, most: int = 1 << 24) -> Callable[[Any], bool]:
    return lambda v: type(v) is int and least <= v <= most


def _list(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, list) and all(map(check, v))


def _number(v: Any) -> bool:
    return type(v) is float and math.isfinite(v) and v > 0


def _real(v: Any) -> bool:
    return type(v) is float and math.isfinite(v)


def _truth(v: Any) -> bool:
    return type(v) is bool


_CODE, _SIZES, _PADS = _integer(-(1 << 31), 1 << 31), _list(_integer(1)), _list(_integer(0, 1 << 16))
_WINDOW = {"kernel": _SIZES, "stride": _SIZES, "padding": _PADS}
_WEIGHTS = {"weight_bits": _integer(2, 8), "max_input": _integer(0, 1 << 31)}
_QUANT = {
    "divisor": _integer(1), "scale": _number, "qmin": _CODE, "qmax": _CODE, "bits": _integer(1, 8),
    "signed": _truth, "narrow": _truth,
}  # fmt: skip
_PARAMS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "Linear": _WEIGHTS,
    "Conv": {**_WEIGHTS, "stride": _SIZES, "padding": _list(_PADS), "dilation": _SIZES, "groups": _integer(1)},
    "ConvTransposed": {
        **_WEIGHTS, "stride": _SIZES, "padding": _PADS, "output_padding": _PADS, "dilation": _SIZES,
        "groups": _integer(1),
    },
    "Threshold": _QUANT,
    "Activated": {**_QUANT, "kind": lambda v: v in FUNCTIONS, "constants": _list(_list(_real))},
    "MaxPool": _WINDOW,
    "SumPool": _WINDOW,
    "Add": {"shifts": _list(_integer(0, 62))},
    "Subtract": {"shifts": _list(_integer(0, 62))},
    "Concat": {"shifts": _list(_integer(0, 62))},
    "Channels": {"index": _list(_integer(-1))},
    "Slice": {"starts": _PADS, "stops": _SIZES, "steps": _SIZES},
    "Pad": {"ends": _list(_PADS)},
    "Enlarge": {"factors": _SIZES},
    "Shuffle": {"block": _integer(1)},
    "Unshuffle": {"block": _integer(1), "channels": _integer(1)},
    "Row": {"to_signal": _truth},
    "Transpose": {"axes": _list(_integer(0))},
    "Output": {"grid": _number},
}  # fmt: skip
"""By operation what its parameters are."""


class _Damaged(Exception):
    """What is wrong, in words."""


def to_bytes(state: Any) -> bytes:
    """`state` (dicts, lists, text, numbers, tensors) as torch.save writes it, a function of the values alone."""
    buffer = io.BytesIO()  # a file's name would be in the archive
    torch.save(_canonical(state), buffer)
    return buffer.getvalue()


def _canonical(value: Any) -> Any:
    """Equal values as objects that a pickle spells equally: it writes a reference where an object comes again."""
    if isinstance(value, Mapping):
        return {sys.intern(str(k)): _canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(v) for v in value]
    if isinstance(value, Tensor):
        return value.detach().cpu().clone(memory_format=torch.contiguous_format)
    return sys.intern(str(value)) if isinstance(value, str) else value


def read(path: Path) -> dict[str, Any]:
    """The state that a frozen model was saved as; raises `CrqError`, one line naming the file, for everything else.

    Steps read earlier steps only, tensors have the types and parameters the kinds they should, and nothing in the state
    is larger than the file. What the tensors' values mean is for `check` and the hash.
    """
    state = _load(path)
    found = (state.get("format"), state.get("version"))
    if found != (FORMAT, VERSION):
        theirs = f"{found[0]!r:.40} version {found[1]!r:.40}"
        raise CrqError(f"{path}: is {theirs}; this crq reads {FORMAT!r} version {VERSION}")
    try:
        _check_state(state, path.stat().st_size)
    except _Damaged as error:
        raise damaged(path, error) from error
    return state


def damaged(path: Path, error: Exception) -> CrqError:
    """The error for a file that is a frozen model in name only."""
    reason = str(error).split("\n")[0] if isinstance(error, _Damaged | CrqError) else type(error).__name__
    return CrqError(f"{path}: damaged frozen model: {reason}; freeze or train again, or take another copy")


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CrqError(f"{path}: no such file; `crq train` writes frozen.pt into its run folder")
    kind = _kind(path)
    if kind is None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # torch's own words are many, and of pickles
            kind = "a torch file with Python objects or damage in it"
        else:
            if isinstance(state, dict) and "format" in state and "version" in state:
                return state
            kind = _contents(state)
    raise CrqError(f"{path}: not a frozen crq model but {kind}; expected what `crq train` or FrozenModel.save wrote")


def _kind(path: Path) -> str | None:
    """What a file is that is not a torch archive as `to_bytes` writes it, or None."""
    with path.open("rb") as file:
        head = file.read(64)
    if path.suffix == ".onnx":
        return "an ONNX file"
    if not head:
        return "an empty file"
    if not zipfile.is_zipfile(path):
        return "a pickle" if head[0] == 0x80 else "no torch file" if b"\0" in head else "text or something else"
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return "a damaged archive"
    if not any(e.filename.endswith("/data.pkl") for e in entries):
        return "an archive of something else"
    # What torch writes is stored as it is: compressed entries could be of any size.
    return None if all(e.compress_type == zipfile.ZIP_STORED for e in entries) else "a compressed archive"


def _contents(state: Any) -> str:
    if isinstance(state, dict) and ("pytorch-lightning_version" in state or {"network", "rows"} <= set(state)):
        return "a checkpoint of training"
    if isinstance(state, dict) and state and all(isinstance(v, Tensor) for v in state.values()):
        return "a state_dict of weights (load it into a prepared network, then crq.freeze)"
    return f"a torch file that holds a {type(state).__name__}"


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise _Damaged(what)


def _check_state(state: dict[str, Any], size: int) -> None:
    _check_input(state.get("input"))
    metadata, steps = state.get("metadata"), state.get("steps")
    _need(isinstance(metadata, dict) and all(isinstance(v, str) for kv in metadata.items() for v in kv), "its metadata")
    _need(isinstance(state.get("hash"), str), "its hash is missing")
    _need(isinstance(steps, list) and bool(steps) and all(isinstance(e, dict) for e in steps), "it has no steps")
    earlier, total = {"input"}, 0
    for entry in steps:  # type: ignore[union-attr]
        name, op, inputs = (entry.get(key) for key in ("name", "op", "inputs"))
        _need(isinstance(name, str) and name not in earlier, f"step {name!r} is named twice or not at all")
        _need(isinstance(op, str) and op in STEPS, f"step {name!r} is of an unknown kind, {op!r}")
        _need(isinstance(inputs, list) and bool(inputs) and all(isinstance(i, str) for i in inputs), f"step {name!r}")
        late = [i for i in inputs if i not in earlier]
        _need(not late, f"step {name!r} reads {late[:1]}, which no step before it gives")
        many = {"Add": len(inputs) == 2, "Subtract": len(inputs) == 2, "Concat": True}.get(op, len(inputs) == 1)
        _need(many, f"step {name!r} reads {len(inputs)} results")
        total += _check_tensors(name, entry.get("tensors"), _TENSORS.get(op, {}))
        _check_params(name, entry.get("params"), _PARAMS.get(op, {}))
        earlier.add(name)
    _need(total <= size, f"its tensors are said to have {total:,} bytes, in a file of {size:,}")


def _check_input(spec: Any) -> None:
    keys = {"shape": _SIZES, "scale": _number, "qmin": _CODE, "qmax": _CODE, "bits": _integer(1, 8), "signed": _truth}
    _need(isinstance(spec, dict) and all(k in spec and check(spec[k]) for k, check in keys.items()), "its input")
    _need(set(spec) <= {*keys, "preprocessing"}, "its input")
    spec.setdefault("preprocessing", [])
    _need(1 <= len(spec["shape"]) <= 3 and math.prod(spec["shape"]) <= _MOST, f"images of shape {spec['shape']}")
    _need(preprocessing.check(spec["preprocessing"], spec["shape"][0]), "its preprocessing")
    _need(math.frexp(spec["scale"])[0] == 0.5, f"input scale {spec['scale']} is no power of two")


def _check_tensors(name: str, tensors: Any, expected: dict[str, tuple[torch.dtype, tuple[int, ...]]]) -> int:
    """The bytes that the tensors of a step have."""
    _need(isinstance(tensors, dict) and set(tensors) == set(expected), f"the tensors of step {name!r}")
    total = 0
    for key, (dtype, ranks) in expected.items():
        tensor = tensors[key]
        plain = type(tensor) is Tensor and tensor.layout is torch.strided and tensor.device.type == "cpu"
        # One stored number may stand for a tensor of any size where strides are 0.
        _need(plain and tensor.is_contiguous(), f"tensor {key!r} of step {name!r} is no plain tensor")
        _need(tensor.dtype == dtype and tensor.dim() in ranks, f"tensor {key!r} of step {name!r} is {tensor.dtype}")
        total += tensor.numel() * tensor.element_size()
    return total


def _check_params(name: str, params: Any, expected: dict[str, Callable[[Any], bool]]) -> None:
    _need(isinstance(params, dict) and set(params) == set(expected), f"the parameters of step {name!r}")
    for key, check in expected.items():
        _need(check(params[key]), f"parameter {key!r} of step {name!r} is {params[key]!r:.80}")
