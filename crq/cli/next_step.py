"""What to do next in a folder, by what lies in it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from shlex import quote
from typing import NamedTuple

MOST = 4
"""Steps that are told at once."""


class Step(NamedTuple):
    """command: a line for the shell. why: what it does."""

    command: str
    why: str


def seen(folder: Path) -> tuple[str, list[Step]]:
    """What `folder` is, and the next sensible steps in it."""
    if (folder / "manifest.json").exists() and (folder / "integer_graph.onnx").exists():
        return "This folder is an FPGA project.", [
            Step("crq simulate .", "compare every integer"),
            Step("crq report .", "does it fit, how fast is it"),
        ]
    if (folder / "recipe.toml").exists() and (folder / "checkpoints").is_dir():
        if not (folder / "summary.json").exists():
            # What a recipe names is found from where the run was begun, which no file tells.
            return (
                "This folder is a training run that has not ended: the command that began it goes on by --resume.",
                [],
            )
        return "This folder is a training run.", [
            Step("crq inspect .", "what was trained"),
            Step(f"crq export . -o {quote(f'../{folder.resolve().name}.onnx')}", "one QONNX file, two bits per weight"),
        ]
    lies, steps = [], []
    for kind in (_stopped, _reports, _projects, _networks, _trained, _written):
        if found := kind(folder):
            lies.append(found[0])
            steps += found[1]
    if lies:
        return " ".join(lies), steps[:MOST]
    return "There is nothing of crq in this folder yet.", [
        Step("crq run digits", "the whole way on embedded data, under two minutes"),
        Step("crq new my-network", "a starter for a network and data of your own"),
        Step("crq doctor", "check this machine"),
    ]


Found = tuple[str, list[Step]] | None
"""What lies there, in a sentence, and what it asks for; none where there is no such thing."""


def _stopped(folder: Path) -> Found:
    """Runs that have not ended, of `crq train` and of `crq run`; no trials, which `crq train` sets aside by itself."""
    trained, whole = (
        [recipe for recipe in sorted(folder.glob(f"runs/*/{name}")) if (recipe.parent / "checkpoints").is_dir()]
        for name in ("recipe.toml", "train/recipe.toml")
    )
    trained = [r for r in trained if not r.with_name("summary.json").exists() and not _is_trial(r)]
    whole = [r for r in whole if not (r.parents[1] / "summary.json").exists()]
    said, steps = [], []
    for recipe in trained:
        names = (quote(str(path.relative_to(folder))) for path in (recipe, recipe.parent))
        steps.append(Step("crq train {} -o {} --resume".format(*names), "go on with it"))
    if trained:
        said.append(f"Trainings that have not ended: {', '.join(r.parent.name for r in trained)}.")
    if whole:  # the options of its command line, among them the part, are in no file
        named = ", ".join(r.parents[1].name for r in whole)
        said.append(f"Runs that have not ended: {named}; the same `crq run` as before goes on.")
    return (" ".join(said), steps) if said else None


def _reports(folder: Path) -> Found:
    reports = sorted(folder.glob("runs/*/report.json"))
    runs = " ".join(quote(str(report.parent.relative_to(folder))) for report in reports)
    whole = "the reports" if len(reports) == 1 else "the reports side by side"
    return (f"Finished runs: {len(reports)}.", [Step(f"crq report {runs}", whole)]) if reports else None


def _projects(folder: Path) -> Found:
    projects = [graph.parent.name for graph in sorted(folder.glob("*/integer_graph.onnx"))]
    if not projects:
        return None
    steps = [Step(f"crq report {' '.join(map(quote, projects))}", "do they fit, how fast are they")]
    bare = [name for name in projects if not (folder / name / "verdicts.json").exists()]
    return f"Projects: {', '.join(projects)}.", [
        *(Step(f"crq simulate {quote(name)}", "compare every integer") for name in bare[:1]), *steps,
    ]  # fmt: skip


def _networks(folder: Path) -> Found:
    networks = sorted(path.name for path in folder.glob("*.onnx"))
    if not networks:
        return None
    built = {_built_from(graph.with_name("manifest.json")) for graph in folder.glob("*/integer_graph.onnx")}
    steps = []
    if new := [name for name in networks if name not in built]:
        first, project = quote(new[0]), quote(f"{Path(new[0]).stem}_hls")
        steps = [
            Step(f"crq inspect {first}", "what is in it, and whether crq can read it"),
            Step(f"crq build {first} -o {project}", "an FPGA project"),
        ]
    return f"Network files: {', '.join(networks)}.", steps


def _built_from(manifest: Path) -> str | None:
    """The name of the file that a project was made of."""
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8"))["source"]["name"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _trained(folder: Path) -> Found:
    """Runs of `crq train`; one that is younger than every network file may not have been exported yet."""
    frozen = _frozen(folder)
    if not frozen:
        return None
    names = [str(path.parent.relative_to(folder)) for path in frozen]
    last = max((path.stat().st_mtime for path in folder.glob("*.onnx")), default=0.0)
    new = [path.parent for path in frozen if path.stat().st_mtime > last]
    steps = [
        Step(f"crq export {quote(str(run.relative_to(folder)))} -o {quote(f'{run.name}.onnx')}", "one QONNX file")
        for run in new[:1]
    ]
    return f"Trained: {', '.join(names)}.", steps


def _frozen(folder: Path) -> list[Path]:
    """Results of finished trainings, those of trials left out."""
    return [path for path in sorted(folder.glob("runs/*/frozen.pt")) if not _is_trial(path.with_name("recipe.toml"))]


def _is_trial(recipe: Path) -> bool:
    try:
        return "steps" in tomllib.loads(recipe.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _written(folder: Path) -> Found:
    recipes = recipes_in(folder)
    if not recipes:
        return None
    first = quote(recipes[0])
    if any(folder.glob("runs/*/report.json")) or _frozen(folder):
        return f"Recipes: {', '.join(recipes)}.", [Step(f"crq run {first} -o runs/next", "another run")]
    return f"Recipes: {', '.join(recipes)}.", [
        Step(f"crq train {first} -o runs/try --steps 5", "find mistakes in seconds"),
        Step(f"crq run {first} -o runs/first", "train, export, build, simulate, report"),
    ]


def recipes_in(folder: Path) -> list[str]:
    """Names of the recipes that lie in `folder`."""
    return [path.name for path in sorted(folder.glob("*.toml")) if _is_recipe(path)]


def _is_recipe(path: Path) -> bool:
    try:
        return "[network]" in path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def told(folder: Path) -> str:
    """`seen` as lines for the terminal."""
    what, steps = seen(folder)
    wide = max((len(step.command) for step in steps), default=0)
    lines = [f"  {step.command:<{wide}}  {step.why}" for step in steps]
    return "\n".join((what, *lines, "All verbs: crq --help"))
