"""From a design on a board to its bitstream. Every finished step is kept, so that an interrupted run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from crq.errors import ToolError
from crq.hw.compiler import cache_folder
from crq.hw.cost.resources import Resources
from crq.hw.errors import HwError
from crq.hw.rtl.bitstream import tools
from crq.hw.rtl.bitstream.fit import TooLarge, check_fit, used_by
from crq.hw.rtl.bitstream.steps import Done, Stopped, run_step
from crq.hw.rtl.bitstream.timing import Timing, Use, read_report, timing, utilisation
from crq.hw.rtl.board.pins import SUFFIX, constraints
from crq.hw.rtl.board.wrap import Wrapped

Heard = Callable[[str, str], None]
"""Is told of each step by its name, and what it says; "" when it is done."""


@dataclass(frozen=True)
class Routed:
    """One seed of place and route."""

    seed: int
    done: Done
    timing: Timing
    use: dict[str, Use]


@dataclass(frozen=True)
class Made:
    """What became of a design on a board: its steps, all seeds that were placed, the one that was taken."""

    wrapped: Wrapped
    synthesis: Done
    seeds: tuple[Routed, ...]
    routed: Routed
    packing: Done
    versions: dict[str, str]

    @property
    def file(self) -> Path:
        """The bitstream."""
        return self.packing.folder / f"bitstream.{tools.TOOLS[self.wrapped.board.family].bitstream}"

    @property
    def steps(self) -> list[Done]:
        return [self.synthesis, *(r.done for r in self.seeds), self.packing]


def default_cache() -> Path:
    """$XDG_CACHE_HOME/crq/bitstream."""
    return cache_folder("bitstream")


SEEDS = 8
"""Placements that are tried for a clock. The network's hash is part of the design and so of every placement: at 125 MHz
digits needed the first to more than the fourth, by the file alone."""
HOPELESS = 1.5
"""By which a seed may miss the clock before no other is tried: seeds differ by a tenth or two."""


class ClockMissed(HwError):
    """A clock that no seed reaches. slower: MHz that would do."""

    def __init__(self, message: str, slower: int) -> None:
        super().__init__(message)
        self.slower = slower


def make(
    wrapped: Wrapped, layers: Mapping[str, str], *, seeds: int = SEEDS, jobs: int = 2, cache: Path | None = None,
    heard: Heard = lambda step, line: None,
) -> Made:  # fmt: skip
    """Synthesises, places and routes with up to `seeds` seeds, `jobs` at a time, until one has the clock; packs that.

    One that misses it by more than a factor of `HOPELESS` ends the search.

    Raises `ToolError` for a missing or failing tool, `TooLarge` for a design that the board cannot hold,
    `ClockMissed` if no seed reaches the clock.
    """
    if seeds < 1 or jobs < 1:
        raise HwError(f"seeds {seeds}, jobs {jobs}: expected at least 1 of each")
    board, folder, design = wrapped.board, cache or default_cache(), wrapped.design
    versions = tools.versions(board.family)
    synthesis = run_step(
        "synthesis", tools.synthesis(design, board.family), {**design.sources, **design.memories},
        (tools.NETLIST, "stat.json"), folder, versions, on_line=_to(heard, "synthesis"),
    )  # fmt: skip
    heard("synthesis", "")
    check_fit(_used(wrapped, synthesis), board)
    found = _route(wrapped, layers, synthesis, range(1, seeds + 1), jobs, folder, versions, heard)
    best = max(found, key=lambda r: (r.timing.mhz, -r.seed))
    if best.timing.mhz < wrapped.mhz:
        raise _missed(wrapped, best, len(found))
    taken = min((r for r in found if r.timing.mhz >= wrapped.mhz), key=lambda r: r.seed)
    inputs = {f: taken.done.folder / f for f in ("routed.config", "routed.asc", tools.ROUTED)
              if (taken.done.folder / f).exists()}  # fmt: skip
    out = f"bitstream.{tools.TOOLS[board.family].bitstream}"
    packing = run_step(
        "packing", tools.pack(board), inputs, (out,), folder, taken.done.folder.name, versions,
        on_line=_to(heard, "packing"),
    )  # fmt: skip
    heard("packing", "")
    return Made(wrapped, synthesis, tuple(found), taken, packing, versions)


def _used(wrapped: Wrapped, synthesis: Done) -> Resources:
    return used_by(synthesis.folder / "stat.json", wrapped.board, wrapped.design.top)


def _missed(wrapped: Wrapped, best: Routed, seeds: int) -> ClockMissed:
    way = " → ".join(best.timing.places)
    lower, near = int(best.timing.mhz * 0.98), best.timing.mhz * HOPELESS >= wrapped.mhz
    return ClockMissed(
        f"clock {wrapped.mhz:g} MHz: not reached on {wrapped.board.name}; the best of {seeds} seed(s), "
        f"seed {best.seed}, has {best.timing.mhz:g} MHz. Critical path: {way}. Ask for --clock {lower} or "
        f"--slower{', or for more --seeds' if near else ''}",
        lower,
    )


def _route(
    wrapped: Wrapped, layers: Mapping[str, str], synthesis: Done, seeds: Sequence[int], jobs: int, cache: Path,
    versions: dict[str, str], heard: Heard,
) -> list[Routed]:  # fmt: skip
    """The seeds up to the first that has the clock; which one that is does not depend on who is faster."""
    board, stop = wrapped.board, threading.Event()
    pins = f"pins.{SUFFIX[board.family]}"

    def one(seed: int) -> Routed:
        name = f"place and route, seed {seed}"
        done = run_step(
            name, tools.route(board, wrapped.mhz, seed),
            {tools.NETLIST: synthesis.folder / tools.NETLIST, pins: constraints(board)},
            (tools.ROUTED, tools.REPORT), cache, synthesis.folder.name, versions, stop=stop, on_line=_to(heard, name),
        )  # fmt: skip
        heard(name, "")
        report = read_report(done.folder / tools.REPORT)
        return Routed(seed, done, timing(report, layers), utilisation(report, board.family))

    with ThreadPoolExecutor(jobs) as pool:
        pending = {seed: pool.submit(one, seed) for seed in seeds}
        try:
            return list(_until(pending, wrapped))
        except ToolError as error:
            raise _explained(error, wrapped, synthesis) from error
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _until(pending: dict[int, Future[Routed]], wrapped: Wrapped) -> Iterator[Routed]:
    for future in pending.values():
        try:
            found = future.result()
        except Stopped:
            return
        yield found
        if found.timing.mhz >= wrapped.mhz or found.timing.mhz * HOPELESS < wrapped.mhz:
            return


def _explained(error: ToolError, wrapped: Wrapped, synthesis: Done) -> Exception:
    """What place and route means where it finds no place for a cell."""
    text = str(error)
    if "no Bels remaining" not in text and "Unable to place cell" not in text and "no BELs remaining" not in text:
        return error
    used = _used(wrapped, synthesis)
    line = next((li for li in text.splitlines() if "ERROR" in li), "").strip()
    board, device = wrapped.board, wrapped.board.device
    return TooLarge(
        f"{board.name} ({board.part}) is too full: {used.lut:,g} of {device.lut:,} LUTs, "
        f"{used.bram36:g} of {device.bram36:g} BRAM36; place and route says: {line}. Build the project with "
        "a smaller folding (a lower --target-fps) or take a larger board",
        used,
    )


def _to(heard: Heard, step: str) -> Callable[[str], None]:
    def hear(line: str) -> None:
        if line.strip():
            heard(step, line.strip())

    return hear
