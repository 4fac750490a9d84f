"""What to do next in a folder, by what lies in it."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import NamedTuple


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
        return "This folder is a training run.", [
            Step("crq inspect .", "what was trained"),
            Step(f"crq export . -o {quote(f'../{folder.resolve().name}.onnx')}", "one QONNX file, two bits per weight"),
        ]
    if reports := sorted(folder.glob("runs/*/report.json")):
        runs = " ".join(quote(str(report.parent.relative_to(folder))) for report in reports)
        more = [Step(f"crq run {quote(recipe)} -o runs/next", "another run") for recipe in _recipes(folder)[:1]]
        return f"Finished runs: {len(reports)}.", [
            Step(f"crq report {runs}", "the reports" if len(reports) == 1 else "the reports side by side"), *more,
        ]  # fmt: skip
    if recipes := _recipes(folder):
        first = quote(recipes[0])
        return f"Recipes: {', '.join(recipes)}.", [
            Step(f"crq train {first} -o runs/try --steps 5", "find mistakes in seconds"),
            Step(f"crq run {first} -o runs/first", "train, export, build, simulate, report"),
        ]
    if networks := sorted(path.name for path in folder.glob("*.onnx")):
        first, project = quote(networks[0]), quote(f"{Path(networks[0]).stem}_hls")
        return f"Network files: {', '.join(networks)}.", [
            Step(f"crq inspect {first}", "what is in it, and whether crq can read it"),
            Step(f"crq build {first} -o {project}", "an FPGA project"),
        ]
    return "There is nothing of crq in this folder yet.", [
        Step("crq run digits", "the whole way on embedded data, under two minutes"),
        Step("crq new my-network", "a starter for a network and data of your own"),
        Step("crq doctor", "check this machine"),
    ]


def _recipes(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.glob("*.toml")) if _is_recipe(path)]


def _is_recipe(path: Path) -> bool:
    try:
        return "[network]" in path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def told(folder: Path) -> str:
    """`seen` as lines for the terminal."""
    what, steps = seen(folder)
    wide = max(len(step.command) for step in steps)
    lines = [f"  {step.command:<{wide}}  {step.why}" for step in steps]
    return "\n".join((what, *lines, "All verbs: crq --help"))
