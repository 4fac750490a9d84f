"""Options of a build in hls4ml's configuration, and its `hls_config`, of which nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from numbers import Integral
from typing import Any, NamedTuple

from crq.errors import nearest_names
from crq.hw.dataflow.units import FORMS
from crq.hw.errors import HwError
from crq.hw.fold.options import clock_of, roms_of, wishes_of
from crq.options import BuildOptions

HLS4ML_OPTIONS = (
    "namespace",
    "write_tar",
    "write_weights_txt",
    "tb_output_stream",
    "write_emulation_constants",
    "board",
)
"""What hls4ml's converters take for every backend."""

LAYER_OPTIONS = ("ReuseFactor", "PE", "SIMD", "WeightRom", "Form", "Strategy")
TEXTS = ("weightrom", "form", "strategy")

DISTRIBUTED_ARITHMETIC = "distributed_arithmetic"
"""hls4ml's name for layers whose weights are all built in, as adders that share partial sums."""

DEFAULTS: dict[str, tuple[Any, ...]] = {
    "precision": ("fixed<16,6>", "ap_fixed<16,6>"), "strategy": ("latency",), "bramfactor": (1e9,),
    "traceoutput": (False, True), "trace": (False, True), "compression": (False,),
    "convimplementation": ("linebuffer",), "pipelinestyle": ("auto",), "bitexact": (None,),
}  # fmt: skip
"""What hls4ml writes into a configuration unasked: no wish of the user's. Trace is what every layer has."""

REASONS = {
    "precision": "all widths are derived from exact integer ranges",
    "strategy": f"the only one besides the default is {DISTRIBUTED_ARITHMETIC}, for layers that are unrolled as adder "
    "graphs; choose PE and SIMD or ReuseFactor by layer for others",
    "bitexact": "the result is always exact",
    "targetcycles": "give target_fps or target_latency to the conversion",
    "bramfactor": "give WeightRom by layer",
}


def to_config(options: BuildOptions) -> dict[str, Any]:
    """hls4ml's spelling of the options."""
    values = {**options.to_dict(), "clock_period": clock_of(options)}
    values["folding"] = {name: [v for v in wish if v is not None] for name, wish in wishes_of(options).items()}
    values["weight_rom"] = roms_of(options)
    return {_key(name): value for name, value in values.items()}


def from_config(config: Mapping[str, Any]) -> BuildOptions:
    """The options in hls4ml's configuration; defaults for what it lacks."""
    return BuildOptions().with_given({f.name: config.get(_key(f.name)) for f in fields(BuildOptions)})


def _key(name: str) -> str:
    return "IOType" if name == "io_type" else "".join(word.title() for word in name.split("_"))


class HlsOptions(NamedTuple):
    """What an `hls_config` says: the reuse factor of the model (1: not set), whether all of its layers are unrolled
    (`DISTRIBUTED_ARITHMETIC`), and options by layer, in lower case."""

    reuse_factor: int
    unrolled: bool
    layers: dict[str, dict[str, Any]]


def hls_options(hls: Mapping[str, Any], layers: Collection[str]) -> HlsOptions:
    """Raises `HwError` for a layer that is not among `layers`, and for every option or value without a meaning here."""
    for section, values in hls.items():
        if section not in ("Model", "LayerName") and values:
            expected = "expected Model and LayerName"
            raise HwError(f"hls_config section {section!r} has no meaning for the crq backend: {expected}")
    model = _known("hls_config of the model", hls.get("Model"), ("ReuseFactor", "Strategy"))
    found = {}
    for name, options in _mapping("hls_config LayerName", hls.get("LayerName")).items():
        if name not in layers:
            near = nearest_names(str(name), layers)
            hint = f"did you mean {', '.join(near)}?" if near else f"the layers are {', '.join(layers)}"
            raise HwError(f"hls_config of {name!r}: no such layer; {hint}")
        found[name] = _known(f"hls_config of {name!r}", options, LAYER_OPTIONS)
    return HlsOptions(model.get("reusefactor", 1), "strategy" in model, found)


def _mapping(where: str, values: Any) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise HwError(f"{where}: {values!r}; expected a mapping")
    return values


def _known(where: str, values: Any, known: Collection[str]) -> dict[str, Any]:
    """The options of `values` that are among `known`, in lower case; numbers are checked."""
    names = {option.lower(): option for option in known}
    found = {}
    for option, value in _mapping(where, values).items():
        key = str(option).lower()
        if key not in names or (key == "strategy" and str(value).lower() != DISTRIBUTED_ARITHMETIC):
            _refuse_unless_default(where, str(option), value, known)
            continue
        if key == "form" and value not in FORMS:
            raise HwError(f"{where}: Form {value!r}; expected one of {', '.join(FORMS)}")
        if key not in TEXTS and (isinstance(value, bool) or not isinstance(value, Integral) or value < 1):
            raise HwError(f"{where}: {names[key]} {value!r}; expected a whole number of at least 1")
        found[key] = value if key in TEXTS else int(value)
    return found


def _refuse_unless_default(where: str, option: str, value: Any, known: Collection[str]) -> None:
    key = option.lower()
    if key in DEFAULTS and _is_default(key, value):
        return
    near = nearest_names(key, [k.lower() for k in known], n=1, cutoff=0.7)
    meant = [k for k in known if k.lower() in near]
    reason = REASONS.get(key) or (f"did you mean {meant[0]}?" if meant else f"expected {', '.join(known)}")
    raise HwError(f"{where}: {option} {value!r} has no meaning for the crq backend: {reason}. Remove it")


def _is_default(key: str, value: Any) -> bool:
    if key == "precision" and isinstance(value, Mapping):
        return all(name == "default" and _is_default(key, given) for name, given in value.items())
    return (value.lower() if isinstance(value, str) else value) in DEFAULTS[key]
