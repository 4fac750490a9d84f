"""benchmarks.md and its pictures, from the CSV files of benchmarks/. It needs nothing of crq."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.docs.plot import chart
from scripts.docs.text import table

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
Row = Mapping[str, str]
Series = dict[str, list[tuple[int, float]]]


class Benchmark(NamedTuple):
    """One CSV file. columns: heading → column or function of a row. series: the chart, with its unit."""

    title: str
    file: str
    says: str
    command: str
    columns: Mapping[str, str | Callable[[Row], str]]
    series: Callable[[Sequence[Row]], Series] | None = None
    unit: str = ""


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _off(row: Row) -> float:
    return 100 * (float(row["estimated_lut"]) / float(row["lut"]) - 1)


def _history(key: Callable[[Row], str], value: Callable[[Row], float]) -> Callable[[Sequence[Row]], Series]:
    """A series per key, over the measurements in their order (#1, #2, …)."""

    def series(found: Sequence[Row]) -> Series:
        result: Series = {}
        for i, row in enumerate(found, 1):
            result.setdefault(key(row), []).append((i, value(row)))
        return result

    return series


def _network(row: Row) -> str:
    return f"{row['network']}, {float(row['fps']):,.0f}/s, {row['family']}"


WHEN: dict[str, str | Callable[[Row], str]] = {
    "date": lambda r: r["date"].replace("-", "\N{NON-BREAKING HYPHEN}"),
    "commit": lambda r: r["commit"].replace("-dirty", " dirty"),
}
BENCHMARKS = (
    Benchmark(
        "Estimate and synthesis, whole networks", "networks.csv",
        "LUTs of whole networks by Yosys beside the estimate. The chart: by how much the estimate is off, in percent.",
        "python benchmarks/networks.py resnet20 --fps 1000 --family xcup",
        WHEN | {"network": _network, "bits": "activation_bits", "LUT": "lut", "estimated": "estimated_lut",
                "off": lambda r: f"{_off(r):+.1f}%", "FF": "ff", "BRAM36": "bram36"},
        _history(_network, _off), "% off",
    ),
    Benchmark(
        "After place and route", "place/pnr.csv",
        "Clocks that whole networks reach on ECP5 by Yosys and nextpnr.",
        "python -m benchmarks.place digits-cnn --fps 20000 --mhz 130",
        WHEN | {"network": "network", "frames/s asked": "fps_wanted", "device": "device", "MHz": "MHz",
                "frames/s": "fps", "LUT4": "lut4", "FF": "ff", "EBR": "ebr"},
        _history(lambda r: f"{r['network']}, {float(r['fps_wanted']):,.0f}/s", lambda r: float(r["MHz"])), "MHz",
    ),
    Benchmark(
        "One result per cycle", "mlp.csv",
        "The perceptron 16-64-32-32-5, 4-bit activations, trained on digits averaged to 4×4, unrolled, by Yosys for "
        "UltraScale+.",
        "python benchmarks/mlp.py",
        WHEN | {"accuracy": lambda r: f"{float(r['frozen']):.1%}", "LUT": "lut", "estimated": "lut_estimated",
                "FF": "ff", "cycles": "cycles"},
        lambda found: {
            "LUT, Yosys": [(i, float(r["lut"])) for i, r in enumerate(found, 1)],
            "LUT, estimated": [(i, float(r["lut_estimated"])) for i, r in enumerate(found, 1)],
        }, "LUT",
    ),
    Benchmark(
        "Adder graphs beside other tools", "area.csv",
        "One matrix of constant ternary weights as a circuit, by Yosys; what is synthesised is simulated. `wrong` "
        "counts simulated vectors whose result differs.",
        "python -m benchmarks.area --size 144x16",
        WHEN | {"family": "family", "matrix": "matrix", "bits": "input_bits", "form": "form", "LUT": "lut", "FF": "ff",
                "adders": "adders", "depth": "depth", "wrong": "wrong_vectors"},
    ),
    Benchmark(
        "Windows that share sums", "sliding.csv",
        "LUTs of a layer with one graph per window, and with one graph for all.", "python benchmarks/sliding.py",
        WHEN | {"layer": "layer", "weights": "weights", "LUT, per window": "per_window", "LUT, whole": "whole"},
    ),
    Benchmark(
        "Registers in adder graphs", "levels.csv",
        "Clock on ECP5 by levels of adders between two registers.", "python benchmarks/levels.py",
        WHEN | {"levels": "levels", "stages": "stages", "adders": "adders", "MHz": "MHz", "ns": "ns"},
        _history(lambda r: f"{r['levels']} levels", lambda r: float(r["MHz"])), "MHz",
    ),
    Benchmark(
        "Faults that are found", "mutation.csv",
        "Random faults in six small networks, and who finds them: the final integers of whole images, every layer "
        "(`--trace`), each layer alone.",
        "python benchmarks/mutation.py --faults 80",
        WHEN | {"kind": "kind", "faults": "faults", "final": "final", "traced": "traced", "alone": "alone",
                "changes nothing": "equal", "missed": "missed"},
    ),
    Benchmark(
        "Damaged files", "fuzz.csv",
        "Right files damaged at random: those that still give a network, and refusals that name the place.",
        "python benchmarks/fuzz.py --files 30000 --seed 4",
        WHEN | {"files": "files", "read": "read", "refused": "refused", "without a place": "refused, no place",
                "catch-all": "catch-all", "uncaught": "uncaught"},
    ),
    Benchmark(
        "Time of a training step", "step_overhead.csv",
        "Processor time of a float step; what the solver and the penalty take of it (the chart), and each method's "
        "step against it.",
        "python -m benchmarks.step_overhead lenet convnet --steps 24",
        WHEN | {"network": "network", "float step, ms": "float step, ms", "penalty alone": "penalty alone",
                "with a warm start": "the same, warm start", "crq": "crq quantized",
                "crq+": "crq+ quantized with penalty", "twn": "twn quantized", "ttq": "ttq quantized",
                "ste": "ste quantized"},
        _history(lambda r: r["network"], lambda r: float(r["penalty alone"].rstrip("%"))), "% of a float step",
    ),
    Benchmark(
        "bfloat16 and torch.compile", "fused.csv",
        "Processor time of a forward and a backward pass, and the quantized one's share of that in float32 alone.",
        "python -m benchmarks.fused convnet resnet20",
        WHEN | {"network": "network", "precision": "precision", "fused": "fused", "float step, ms": "float step, ms",
                "quantized step, ms": "quantized step, ms", "share": "share", "build, s": "build, s"},
    ),
    Benchmark(
        "Recipes", "recipes/results.csv",
        "Runs of the recipe search: accuracies of the frozen network on held-out and test images, share of zeros.",
        "python -m benchmarks.recipes penalty --out runs/recipes",
        WHEN | {"data": "data", "network": "network", "question": "question", "candidate": "candidate", "seed": "seed",
                "held out": lambda r: f"{float(r['validation']):.2%}", "test": lambda r: f"{float(r['test']):.2%}",
                "zeros": lambda r: f"{float(r['zeros']):.0%}"},
    ),
)  # fmt: skip

HEAD = """\
# Benchmarks

Drawn from the CSV files of `benchmarks/` whenever the site is built: every row is a measurement with its date and
commit (dirty: with changes that were not committed yet), and rows are added, never rewritten. Accuracies of training
methods are in [Results](results.md), what the errors of the estimates mean in
[How far the estimates are off](estimates.md).
"""


def page() -> str:
    return HEAD + "".join(_section(benchmark) for benchmark in BENCHMARKS)


def _section(benchmark: Benchmark) -> str:
    cells = [
        [row[column] if isinstance(column, str) else column(row) for column in benchmark.columns.values()]
        for row in rows(benchmark.file)
    ]
    numbered = [(f"#{i}", *cell) for i, cell in enumerate(cells, 1)]
    picture = f"\n![{benchmark.title}](pictures/{_slug(benchmark)}.svg)\n" if benchmark.series else ""
    return (
        f"\n## {benchmark.title}\n\n{benchmark.says}\n\n"
        f"Command: `{benchmark.command}`, file: `benchmarks/{benchmark.file}`.\n"
        f"{picture}\n{table(('', *benchmark.columns), numbered)}\n"
    )


def _slug(benchmark: Benchmark) -> str:
    return Path(benchmark.file).stem


def pictures() -> dict[str, str]:
    """By file name: the SVG text of every chart."""
    return {
        f"{_slug(benchmark)}.svg": chart(benchmark.series(rows(benchmark.file)), benchmark.unit)
        for benchmark in BENCHMARKS if benchmark.series
    }  # fmt: skip
