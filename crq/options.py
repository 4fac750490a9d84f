"""What may be asked of an FPGA project: one dataclass that the command line, Python, recipes and hls4ml's config fill.

It says what there is to choose; what a choice means is the hardware half's to know (crq.hw.fold).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Real
from typing import Annotated, Any, Literal

from annotated_types import Gt

from crq.errors import CrqError, nearest

Form = Literal["parallel", "folded"]
Folding = tuple[int, int] | tuple[int, int, Form]
"""PE and SIMD of a layer; without a form, the search takes the better one."""

TARGETS = ("target_fps", "target_latency", "best_fit")
"""Options that say what the folding search aims at."""
NUMBERS = {"clock_period", "target_fps", "target_latency", "max_beat"}


def _option(default: Any, help_: str, **more: Any) -> Any:
    kind = {"default_factory": default} if callable(default) else {"default": default}
    return field(**kind, metadata={"help": help_, **more})


@dataclass(frozen=True)
class BuildOptions:
    """Options of a project; each field's `help` says what it means, and is what `crq build --help` prints.

    target: the form of the project, HLS or RTL. part: FPGA part (any package and speed grade) or board. clock_period:
    ns; None: the usual one of the part. io_type: io_stream folds layers in time, io_parallel unrolls every one.
    target_fps (images per second) and target_latency (µs for one image) are met with the least area; best_fit takes the
    highest rate that fills at most 70% of the part. folding: layer → (PE, SIMD) or (PE, SIMD, form). max_beat: bits of
    the widest stream. weight_rom: layer → where its weights lie; by default their size decides. argmax: the class, of
    equal scores the first, leaves the hardware in place of the scores. fit_check: refuse weights that exceed the part's
    memory.
    """

    target: Literal["hls", "rtl"] = _option("hls", "C++ for Vitis HLS, or SystemVerilog for any simulator and tool.")
    part: str = _option("xc7z020clg400-1", "FPGA part or board.")
    clock_period: Annotated[float, Gt(0)] | None = _option(
        None, "Clock period in ns; default: 5; on ECP5 8, iCE40 25, UP5K 40, Gowin 20, which small networks reach."
    )
    io_type: Literal["io_stream", "io_parallel"] = _option("io_stream", "Fold layers in time, or unroll every one.")
    target_fps: Annotated[float, Gt(0)] | None = _option(None, "Images per second to reach with the least area.")
    target_latency: Annotated[float, Gt(0)] | None = _option(
        None, "Microseconds in which one image must pass, with the least area."
    )
    best_fit: bool = _option(False, "The highest rate that fills at most 70% of the part.")
    folding: dict[str, Folding] = _option(
        dict, "Folding of one layer; repeatable.", flag="--fold", metavar="LAYER=PE,SIMD[,parallel|folded]"
    )
    max_beat: Annotated[int, Gt(0)] = _option(1024, "Bits of the widest stream; HLS tools take up to 4096.")
    weight_rom: dict[str, Literal["lut", "bram"]] = _option(
        dict, "Memory of a layer's weights; repeatable.", flag="--rom", metavar="LAYER=lut|bram"
    )
    argmax: bool = _option(False, "Give the class, the index of the largest score, in place of the scores.")
    fit_check: bool = _option(True, "Build even if the weights exceed the part's memory.", flag="--no-fit-check")

    def with_given(self, given: Mapping[str, Any]) -> BuildOptions:
        """These options but for what is `given` (None: not given); a target given takes the place of all of them.

        Raises `CrqError` for a name that is no option, and for one of a number that is none.
        """
        known = [f.name for f in fields(self)]
        for name in given:
            if name not in known:
                raise CrqError(f"unknown option {name!r}{nearest(name, known)}; expected one of {', '.join(known)}")
        present = {name: value for name, value in given.items() if value is not None}
        for name in NUMBERS & present.keys():
            value = present[name]
            if isinstance(value, bool) or not isinstance(value, Real):
                raise CrqError(f"option {name} = {value!r}: expected a number")
            present[name] = value if isinstance(value, int | float) else value.item()  # type: ignore[attr-defined]
        cleared = {f.name: f.default for f in fields(self) if f.name in TARGETS} if present.keys() & {*TARGETS} else {}
        return replace(self, **{**cleared, **present})

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
