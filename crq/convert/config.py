"""What `prepare` is told: bits, method, and which layers are not ternary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crq.errors import CrqError, nearest
from crq.quant import METHOD_NAMES


@dataclass(frozen=True)
class TernaryConfig:
    """How a network is made ternary.

    act_bits: bits of activation codes after a ReLU (1–8 unsigned) and between layers without one (2–8 signed, so
        2 where 1 is asked for: there are no bipolar codes); None or "float" keeps float activations, as in the paper's
        tables (train only: `freeze` refuses).
    residual_bits: signed bits of residual-add and concat operands and of sums (2–8).
    pool_bits: bits after an average pool (1–8).
    input_bits, input_signed, input_scale: the input grid, value = code·scale; the default is a byte image / 256. A
        recipe on real values chooses one; `crq.suggest_input(loader)` proposes one in a loop of your own.
    method: ste, crq, crq+, twn, ttq or lsq (see `crq.quant.methods`; crq is the paper's).
    skip: layers kept in float, by module name, prefix or wildcard, or `first`/`last` (train only).
    integer: layers kept as integer codes, pattern → bits (2–8), for example {"first": 8, "last": 8}.
    layers: options of single layers by pattern, the last one counts: `method` and `per_channel` as above, `penalty`, a
        factor of λ (0: none), `skip = true` and `integer = bits` as above. For example
        {"features.*": {"method": "twn"}, "head": {"skip": True}}. Patterns are module names, prefixes or wildcards.
    per_channel: one α per output channel instead of one per layer (methods crq, crq+, twn, ste).
    """

    act_bits: int | str | None = 4
    residual_bits: int = 8
    pool_bits: int = 8
    input_bits: int = 8
    input_signed: bool = False
    input_scale: float = 2.0**-8
    method: str = "ste"
    skip: tuple[str, ...] = ()
    integer: Mapping[str, int] = field(default_factory=dict)
    per_channel: bool = False
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.skip, str):
            raise CrqError(f"skip must be a list of layer patterns, not the string {self.skip!r}")
        for key, example in (("integer", '{"first": 8}'), ("layers", '{"head": {"skip": True}}')):
            if not isinstance(getattr(self, key), Mapping):
                raise CrqError(f"{key} must be a dict by layer pattern, as {example}, not {getattr(self, key)!r}")
        object.__setattr__(self, "skip", tuple(self.skip))
        object.__setattr__(self, "integer", dict(self.integer))
        if self.act_bits == "float":
            object.__setattr__(self, "act_bits", None)
        if self.act_bits is not None:
            _check_bits("act_bits", self.act_bits, 1)
        _check_bits("residual_bits", self.residual_bits, 2)
        _check_bits("pool_bits", self.pool_bits, 1)
        _check_bits("input_bits", self.input_bits, 2 if self.input_signed else 1)
        for pattern, bits in self.integer.items():
            _check_bits(f"integer[{pattern!r}]", bits, 2)
        if not (self.input_scale > 0 and math.isfinite(self.input_scale) and math.frexp(self.input_scale)[0] == 0.5):
            raise CrqError(f"input_scale must be a power of two such as 2**-8 = 0.00390625, not {self.input_scale!r}")
        _check_method("method", self.method)
        for pattern, options in self.layers.items():
            if not isinstance(options, Mapping):
                raise CrqError(f"layers[{pattern!r}] must be a dict of options, as {{'integer': 8}}, not {options!r}")
        object.__setattr__(self, "layers", {pattern: dict(options) for pattern, options in self.layers.items()})
        for pattern, options in self.layers.items():
            _check_layer(f"layers[{pattern!r}]", options)
        if self.per_channel and self.method == "ttq":
            raise CrqError("method ttq learns two scales per layer; per_channel is for the other methods")

    @property
    def not_exportable(self) -> str | None:
        """Why a network made ternary like this is for training only, or None."""
        if self.act_bits is None:
            return "activations are float (ternary.act_bits is not set)"
        if self.skip:
            return f"layers {', '.join(self.skip)} are float (ternary.skip)"
        if skipped := [pattern for pattern, options in self.layers.items() if options.get("skip")]:
            return f"layers {', '.join(skipped)} are float (ternary.layers)"
        if self.method == "ttq" or any(options.get("method") == "ttq" for options in self.layers.values()):
            return "method ttq has two scales per layer (ternary.method)"
        return None


_LAYER = ("method", "per_channel", "penalty", "skip", "integer")


def _check_method(name: str, method: object) -> None:
    if method not in METHOD_NAMES:
        known = ", ".join(METHOD_NAMES)
        raise CrqError(
            f"{name}: unknown method {method!r}{nearest(str(method), METHOD_NAMES)}; expected one of {known}"
        )


def _check_layer(name: str, options: Mapping[str, object]) -> None:
    for key, value in options.items():
        if key not in _LAYER:
            raise CrqError(f"{name}: unknown option {key!r}{nearest(key, _LAYER)}; known are {', '.join(_LAYER)}")
        if key == "method":
            _check_method(name, value)
        elif key == "integer":
            _check_bits(f"{name}.integer", value, 2)
        elif key == "penalty":
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
                raise CrqError(f"{name}: penalty must be a factor of λ, 0 or more, not {value!r}")
        elif not isinstance(value, bool):
            raise CrqError(f"{name}: {key} must be true or false, not {value!r}")
    check_together(name, options)


def check_together(name: str, options: Mapping[str, object], config: TernaryConfig | None = None) -> None:
    """Raise `CrqError` where options of the layer called `name`, or its own beside those of the network, exclude one
    another: of one pattern, or of all that match a layer."""
    others = [key for key in options if key not in ("integer", "skip")]
    if "integer" in options and others and not options.get("skip"):
        raise CrqError(f"{name}: an integer layer has no other options, but {', '.join(others)} is given")
    both = options.get("method", config.method if config else None), options.get("per_channel", False)
    if both == ("ttq", True):
        raise CrqError(f"{name}: method ttq learns two scales per layer; per_channel is for the other methods")


def _check_bits(name: str, bits: object, least: int) -> None:
    if not isinstance(bits, int) or isinstance(bits, bool) or not least <= bits <= 8:
        raise CrqError(f"{name} must be an integer from {least} to 8, not {bits!r}")
