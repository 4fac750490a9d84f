"""What a verb works on: a built project, or a QONNX file that is folded now."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from crq.hw.dataflow.timing import TIMINGS, Timing
from crq.hw.dataflow.units import Fold
from crq.hw.devices.catalog import Device, find_for
from crq.hw.errors import HwError
from crq.hw.fold.limits import check_limits
from crq.hw.fold.options import clock_of, target_of
from crq.hw.fold.resolve import resolve
from crq.hw.forms.built import Built
from crq.hw.ir.graph import Network
from crq.hw.read.origin import load_graph
from crq.options import BuildOptions


class Folded(NamedTuple):
    """A network with the folding of every unit, for a device and a clock; `project` is its folder if it has one.
    timing: how the units of its form keep time."""

    name: str
    network: Network
    folds: dict[str, Fold]
    device: Device
    clock_period_ns: float
    project: Path | None
    timing: Timing
    io_type: str


def open_folded(
    source: str | PathLike[str], given: Mapping[str, Any] | None = None, unrolled: bool = False
) -> Folded:  # fmt: skip
    """The project in the folder `source` as it was built, or the QONNX file `source`; `given` are options of a build.

    A file, and a project for which a target, foldings or ROM styles are given, is folded by
    `crq.hw.fold.resolve`. Raises `HwError` for what cannot be read, for an impossible wish and, but where `unrolled` is
    taken, for io_parallel, which has no folding.
    """
    path, options = Path(source), BuildOptions()
    if path.is_dir():
        built = Built(path)
        if built.manifest.io_type == "io_parallel" and not unrolled:
            raise HwError(
                f"{path} is an io_parallel project: every layer is unrolled, so there is no folding of it. "
                "`crq report` shows its estimate; for foldings and synthesis name the QONNX file"
            )
        name, network, folds = built.name, built.network, built.folds
        options = options.with_given(
            {
                "target": built.manifest.target,
                "part": built.manifest.board or built.manifest.part,
                "clock_period": float(built.manifest.clock_period),
                "io_type": built.manifest.io_type,
            }
        )
    else:
        name, network, folds = path.stem, Network(load_graph(path)[0]), {}
    options = options.with_given(given or {})
    device, clock, timing = find_for(options.target, options.part), clock_of(options), TIMINGS[options.target]
    if not folds or target_of(options) or {"folding", "weight_rom", "max_beat", "io_type"} & {*(given or {})}:
        check_limits(network, options.io_type)
        folds = resolve(network, options, device, timing).folds
    return Folded(name, network, folds, device, clock, path if path.is_dir() else None, timing, options.io_type)
