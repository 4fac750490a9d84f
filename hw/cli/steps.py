"""The steps of `crq run`: train, export, build, simulate, report. Here the three packages meet."""

from __future__ import annotations

import contextlib
import json
import math
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from crq.convert.frozen import FrozenModel
from crq.errors import CrqError
from crq.export.qonnx import to_qonnx
from crq.figures import shown
from crq.files import write_json
from crq.hw.cli.classes import Watched
from crq.hw.cli.data import channels_first
from crq.hw.cli.options import spelled
from crq.hw.cli.progress import heard_by, steps_shown
from crq.hw.cli.runtimes import runtime_links
from crq.hw.cli.scores import Scored
from crq.hw.compiler import compiler
from crq.hw.devices.boards import find_board
from crq.hw.devices.catalog import find_for, for_vivado
from crq.hw.fold.options import clock_of
from crq.hw.forms.folder import put, settle
from crq.hw.forms.verdicts import keep
from crq.hw.ir.graph import Network
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import Project, RtlProject, build, open_project
from crq.hw.report.model import Report
from crq.hw.report.project import project_report
from crq.hw.report.verdict import MADE
from crq.hw.rtl.bench import verilator
from crq.hw.rtl.bitstream.project import FILE, bitstream, summary
from crq.hw.rtl.bitstream.tools import versions
from crq.hw.verify.link import Link
from crq.hw.verify.live import described, expected_integers, verdict_facts, verify
from crq.hw.verify.netlists import check_netlists
from crq.hw.verify.proofs.proof import Proof
from crq.options import BuildOptions
from crq.train import tasks
from crq.train.recipe import Recipe, built_in, load
from crq.train.splits import load_split
from crq.train.trainer import train_recipe

RTL_CYCLES = 200_000_000
"""Of a set of images, in a run: minutes of Verilator."""
NETLIST_IMAGES = 20
"""Through the netlists of a bitstream, which take a second each."""


class Images:
    """The test split of a recipe as codes of the `frozen` network, all of it, and how well results fit its labels.

    `codes` are in the order of the data, which is the file's.
    """

    def __init__(self, recipe: Recipe, frozen: FrozenModel) -> None:
        task = tasks.of_recipe(recipe)
        test = load_split(recipe.data, "test", task.kind)
        self.name = f"{recipe.data.name}:test"
        samples = test.take(torch.arange(len(test)))
        values = samples.float() / 256 if samples.dtype == torch.uint8 else samples
        plain = samples.dtype == torch.uint8 and not frozen.input.preprocessing
        self.codes: Tensor = samples if plain else frozen.codes(values, quantize=True)
        self._scored = Scored(task, test.labels, values, frozen.input.preprocessing)
        self._classes = test.classes if task.kind == "classes" else ()

    def channels_first(self, network: Network, count: int) -> NDArray[Any]:
        """The first `count` as simulations take them, (N, C, …), also where the file has (N, points, features)."""
        return channels_first(network, self.codes[:count].numpy())

    def score(self, count: int) -> Watched:
        """What says how well the results of the first `count` fit."""
        return Watched(self._scored.first(count), self._classes, self._scored.labels.numpy())


@dataclass
class Steps:
    """A recipe's way into the folder `output`; options: of the FPGA project. Each step leaves its time in `seconds`,
    the simulation what it scored in `watched`."""

    recipe: Recipe
    output: Path
    options: BuildOptions
    console: Console
    seconds: dict[str, float] = field(default_factory=dict)
    watched: Watched | None = None

    @property
    def training(self) -> Path:
        """The run folder of the training."""
        return self.output / "train"

    @property
    def file(self) -> Path:
        """The exported network."""
        return self.output / f"{self.recipe.name}.onnx"

    @property
    def frozen(self) -> FrozenModel:
        """What the training made."""
        return FrozenModel.load(self.training / "frozen.pt")

    def check(self, board: str | None = None) -> None:
        """Wrong options and missing tools, also those of a `board`'s bitstream, are told before the training."""
        reason = self.recipe.ternary.not_exportable
        if reason:
            raise CrqError(f"{self.recipe.name} cannot become hardware: {reason}; crq train trains it all the same")
        find_for(self.options.target, self.options.part)
        compiler()
        if self.options.target == "rtl":
            verilator()
        if board is not None and not for_vivado(board):
            versions(find_board(board).family)
        elif board is not None and (self.options.target, self.options.io_type) == ("hls", "io_parallel"):
            raise CrqError(f"--board {board}: an io_parallel project for HLS has no AXI4-Stream top; add --target rtl")
        if not self.training.exists() and self.output.is_dir() and any(self.output.iterdir()):
            raise CrqError(f"output folder {self.output} is not empty and holds no run of `crq run`: choose another -o")

    def train(self) -> dict[str, Any]:
        """Train, or go on with the training in the folder; its summary."""
        with self._timed("train"):
            going_on = (self.training / "recipe.toml").exists()
            return train_recipe(self.recipe, self.training, resume=going_on, console=self.console)

    def export(self, images: Images) -> list[Link]:
        """Write the QONNX file and compare it with PyTorch in every runtime."""
        with self._timed("export"):
            to_qonnx(self.frozen, self.file)
            links = runtime_links(self.frozen, self.file, images.codes, not self.console.quiet)
            for link in links:
                self.console.print(str(link))
            return links

    def build(self, images: Images) -> Project:
        """Build the project, its testbench beginning with the test images; the one that is there if it is equal."""
        folder = self.output / f"{self.recipe.name}_{self.options.target}"
        with self._timed("build"), tempfile.TemporaryDirectory(dir=self.output) as scratch:
            project = build(self.file, Path(scratch) / folder.name, images=images.codes.numpy(), options=self.options)
            kept = settle(folder)
            before = open_project(folder) if folder.exists() else None  # raises for no project
            same = before is not None and before.manifest == project.manifest and not before.changed
            for path in (kept, None if same else put(project.directory, folder)):
                if path is not None:
                    self.console.print(f"{folder} held files that crq did not write: they are in {path} now")
            return open_project(folder)

    def simulate(
        self, project: Project, images: Images, runtimes: Sequence[Link], trained: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], list[Proof]]:
        """Every simulation of its form against PyTorch, on test images and vectors; and the proofs, a failed one where
        the figure is not what the training's summary, `trained`, has for the frozen network."""
        with self._timed("simulate"):
            most = simulated(project)
            vectors = all_vectors(project.network, min(1000, most))
            few = images.channels_first(project.network, most)
            if len(few) < len(images.codes):
                self.console.print(
                    f"the first {len(few):,} of {len(images.codes):,} test images, {RTL_CYCLES:,} cycles of RTL; "
                    f"crq simulate {project.directory} --data {images.name} simulates all"
                )
            self.watched = images.score(len(few))
            data = ((images.name, few, self.watched), (MADE, vectors, None))
            verdicts, shown = [], not self.console.quiet
            for name, x, score in data:
                of, wanted = self.training, expected_integers(project.network, x, self.training, shown)
                for mode in project.checked:
                    verdict = verify(project, x, of, mode=mode, score=score, expected=wanted, progress=shown)
                    self.console.print(f"{name}: {described(verdict)}")
                    verdicts.append({"data": name, **verdict_facts(verdict, mode, self.training)})
            metric = trained["metric"]
            of_all = [v for v in verdicts if v["figures"] is not None and v["images"] == len(images.codes)]
            proofs = [*project.check(), *contradictions(metric, trained[metric]["frozen"], of_all)]
            for proof in proofs:
                self.console.print(str(proof))
            self._keep(project, runtimes, verdicts, proofs)
            return verdicts, proofs

    def _keep(
        self, project: Project, runtimes: Sequence[Link], verdicts: list[dict[str, Any]], proofs: list[Proof]
    ) -> None:
        """What was found, of the file too, stays in the project."""
        against = "the live PyTorch model"
        counts = {key: sum(v[key] for v in verdicts) for key in ("images", "integers")}
        equal = bit_exact(runtimes, verdicts, proofs)
        facts = {**counts, "differing": differing(verdicts), "equal": equal, "against": against, "verdicts": verdicts}
        facts["runtimes"] = [link.facts() for link in runtimes]
        facts["proofs"] = [proof._asdict() for proof in proofs]
        keep(project, f"run against {against}", facts, self.training / "frozen.pt")

    def bitstream(self, project: Project, images: Images, slower: bool) -> dict[str, Any]:
        """For the board that the project is built for: its bitstream, both netlists compared with PyTorch on a few
        images; or for a board with a Zynq its Vivado project. A clock that nobody asked for may be a slower one."""
        with self._timed("bitstream"):
            if not isinstance(project, RtlProject) or for_vivado(project.manifest.board):
                folder = project.vivado()
                commands = ", then ".join(project.vivado_commands(folder))
                text = f"Vivado project (no Vivado has run it): {commands}"
                return {"file": str(folder), "equal": None, "text": text}  # nothing was compared
            with steps_shown(self.console.quiet) as bar:
                heard = heard_by(bar)
                made = bitstream(project, slower=slower, heard=heard)
                few = images.channels_first(project.network, NETLIST_IMAGES)
                found = check_netlists(
                    made, few, self.training,
                    heard=lambda stage, n: heard(f"simulating the netlist of {stage}", "" if n == len(few) else str(n)),
                )  # fmt: skip
            for netlist in found:
                self.console.print(str(netlist))
            facts = json.loads((made.folder / FILE).read_text())
            equal = all(netlist.equal for netlist in found)
            return {**facts, "file": str(made.file), "equal": equal, "text": summary(facts)}

    def report(self, project: Project, quality: dict[str, Any], board: str | None = None) -> Report:
        """Write the report as JSON and as a page."""
        with self._timed("report", shown=False):
            info = {
                "name": self.recipe.name,
                **quality,
                "classes": self.watched and self.watched.found,
                "commands": [self.command(board)],
            }
            report = project_report(project, info=info)
            report.to_json(self.output / "report.json")
            report.to_html(self.output / "report.html")
            return report

    def command(self, board: str | None = None) -> str:
        """The line that makes the same project again."""
        named, clock = self._named(), clock_of(self.options)
        base = load(named).hardware
        if board:  # which says the target and the part
            same = replace(self.options, target=base.target, part=base.part, clock_period=clock)
            words = ["--board", board, *spelled(same, base, ("clock_period",))]
        else:
            words = spelled(replace(self.options, clock_period=clock), base, ("target", "part", "clock_period"))
        return shlex.join(["crq", "run", named, *words])

    def _named(self) -> str:
        """What the recipe is called on the command line: its name if that gives this very one, or its file in the
        run, which has every change."""
        own = self.recipe.name in built_in() and load(self.recipe.name) == self.recipe
        return self.recipe.name if own else str(self.training / "recipe.toml")

    @contextlib.contextmanager
    def _timed(self, step: str, shown: bool = True) -> Iterator[None]:
        if shown:
            self.console.rule(step)
        start = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - start, 2)


def simulated(project: Project) -> int:
    """Images that a run simulates at most: of RTL as many as take `RTL_CYCLES`, in C any number."""
    if not isinstance(project, RtlProject):
        return sys.maxsize
    return max(20, RTL_CYCLES // project.plan.pipeline.interval)


def differing(verdicts: list[dict[str, Any]]) -> int:
    """Integers of the simulations that are not PyTorch's."""
    return sum(v["integers"] - v["exact_integers"] for v in verdicts)


def contradictions(metric: str, frozen: float, verdicts: Sequence[Mapping[str, Any]]) -> list[Proof]:
    """One failed proof if any of `verdicts`, each of all test images, is bit-exact with another figure than `frozen`.

    Equal integers of equal images score the same; where they do not, one of the two saw other images.
    """
    for verdict in verdicts:
        simulated = verdict["figures"][metric]
        # Sums of float32 errors may round otherwise on the machine that trained.
        if verdict["bit_exact"] and not math.isclose(simulated, frozen, rel_tol=1e-6, abs_tol=1e-12):
            facts = (
                f"{shown(metric, simulated)} and {shown(metric, frozen)} on {verdict['images']:,} test images, though "
                "every integer is equal: the test split is not the training's (a data function must give the same each "
                "time), or its axes are in another order"
            )
            return [Proof(f"simulated {metric} = frozen {metric}", False, facts)]
    return []


def bit_exact(runtimes: Sequence[Link], verdicts: Sequence[Mapping[str, Any]], proofs: Sequence[Proof]) -> bool:
    """The file in its runtimes and every simulation equal PyTorch, and every proof holds; of nothing it is false."""
    claimed = [link for link in runtimes if link.claimed]
    compared = bool(claimed and verdicts) and all(link.equal for link in claimed)
    return compared and all(v["bit_exact"] for v in verdicts) and all(proof.ok for proof in proofs)


def run_all(
    recipe: Recipe, output: Path, options: BuildOptions, console: Console, board: str | None = None,
    slower: bool = False,
) -> tuple[dict[str, Any], Report]:  # fmt: skip
    """Every step; the summary, also written to summary.json in `output`, and the report. board: make its bitstream too,
    with `slower` at a lower clock where need be."""
    steps = Steps(recipe, output, options, console)
    steps.check(board)
    trained = steps.train()
    images = Images(recipe, steps.frozen)
    runtimes = steps.export(images)
    project = steps.build(images)
    verdicts, proofs = steps.simulate(project, images, runtimes, trained)
    metric = trained["metric"]
    quality = {"metric": metric, metric: {**trained[metric], "simulated": verdicts[0]["figures"][metric]}}
    made = steps.bitstream(project, images, slower) if board else None
    report = steps.report(project, quality, board)
    weights = sum(layer["weights"] for layer in trained["layers"].values())
    packed = sum(-(-layer["weights"] // 4) for layer in trained["layers"].values())
    facts = {
        "schema": 1,
        "name": recipe.name,
        "target": options.target,
        "bit_exact": bit_exact(runtimes, verdicts, proofs) and (made is None or made["equal"] is not False),
        "bitstream": made,
        **quality,
        "weights": weights,
        "bits_per_weight": 8 * packed / weights,
        "weight_bytes": packed,
        "file_bytes": steps.file.stat().st_size,
        "float_bytes": 4 * trained["parameters"],
        "verdicts": verdicts,
        "runtimes": [{**link.facts(), "claimed": link.claimed} for link in runtimes],
        "checks": [proof._asdict() for proof in proofs],
        "seconds": steps.seconds,
        "files": {
            "curves": "train/curves.png",
            "weights": "train/weights.png",
            "frozen": "train/frozen.pt",
            "training": "train/summary.json",
            "qonnx": steps.file.name,
            "project": f"{recipe.name}_{options.target}/",
            "report": "report.html",
        },
    }
    write_json(output / "summary.json", facts)
    return facts, report
