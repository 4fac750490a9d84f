"""What a verb works on: a built project, or a QONNX file that is folded now."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hw.dataflow.units import Fold
from hw.devices.catalog import Device, find
from hw.errors import HwError
from hw.ir.graph import Network

if TYPE_CHECKING:
    from hw.fold.search import Target

PART = "xc7z020clg400-1"
CLOCK_PERIOD = 5.0


class Source(NamedTuple):
    """A network with the folding of every unit, for a device and a clock; `project` is its folder if it has one."""

    name: str
    network: Network
    folds: dict[str, Fold]
    device: Device
    clock_period_ns: float
    project: Path | None


def open_source(
    path: str | PathLike[str], *, part: str | None = None, clock_period_ns: float | None = None,
    target: Target | None = None, overrides: Mapping[str, Fold] | None = None, rom: Mapping[str, str] | None = None,
) -> Source:  # fmt: skip
    """The project in the folder `path` as it was built, or the QONNX file `path`.

    A file, and a project for which a target, foldings or ROM styles are given, is folded by `hw.fold.search.decide`.
    Raises `HwError` for what cannot be read, for an impossible wish and for an io_parallel project, which has no
    folding.
    """
    from hw.fold.search import decide

    path = Path(path)
    if path.is_dir():
        from hw.project import open_project

        project = open_project(path)
        if project.manifest["io_type"] == "io_parallel":
            raise HwError(
                f"{path} is an io_parallel project: every layer is unrolled, so there is no folding and no RTL form of "
                "it. `crq report` shows its uncalibrated estimate; for foldings and synthesis name the QONNX file"
            )
        name, network, folds = project.name, project.network, project.folds
        part = part or project.manifest["part"]
        clock_period_ns = clock_period_ns or float(project.manifest["clock_period"])
    else:
        from hw.read.origin import load

        name, network, folds = path.stem, Network(load(path)[0]), {}
    device, clock = find(part or PART), clock_period_ns or CLOCK_PERIOD
    if not folds or target or overrides or rom:
        folds = decide(network, target, device=device, clock_period_ns=clock, overrides=overrides, rom=rom).folds
    return Source(name, network, folds, device, clock, path if path.is_dir() else None)
