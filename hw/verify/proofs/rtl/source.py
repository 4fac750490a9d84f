"""What the Verilog itself shows: no warning, and no circuit that multiplies or divides."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from crq.errors import ToolError
from crq.hw.ir.layers import Mac
from crq.hw.rtl.bench import verilate
from crq.hw.rtl.built import Built
from crq.hw.verify.proofs.proof import Proof

# Of Verilator's C++, in which loops are unrolled and constants computed: what is left works on signals.
PRODUCT = re.compile(r"VL_(?:MUL|DIV|MODDIV|POW)|(?<=[\w)\]]) [*/%] (?=[\w(])")
_COMMENT = re.compile(r"//.*")


def lint(built: Built) -> Proof:
    """Every warning of Verilator is a failure."""
    sources = built.sources()
    with tempfile.TemporaryDirectory() as name:
        try:
            verilate(["--lint-only", "-Wall", *_written(sources, Path(name), built)], Path(name))
        except ToolError as error:
            warnings = re.findall(r"%(?:Warning|Error)(?!: Exiting)[^\n]*", str(error))
            shown = "; ".join(warnings[:3]) or str(error)
            whose = "" if built.changed else "a fault of crq, please report it: "
            return Proof("lint", False, f"{whose}{max(1, len(warnings))} warnings: {shown}")
    lines = sum(text.count("\n") for text in sources.values())
    return Proof("lint", True, f"no warning in {len(sources)} files, {lines:,} lines (verilator -Wall)")


def multiplier(built: Built) -> Proof:
    """Looks for products in what Verilator makes of the design."""
    macs = [unit.layer for unit, _ in built.plan.units() if isinstance(unit.layer, Mac)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = _written(built.sources(), folder, built)
        verilate(["--cc", "-O3", "-Wno-fatal", "-Wno-lint", "-Wno-style", "-Mdir", "made", *arguments], folder)
        lines, found = 0, []
        for path in sorted((folder / "made").glob("*.cpp")):
            text = _COMMENT.sub("", path.read_text())
            lines += text.count("\n")
            statements = (" ".join(part.split()) for part in text.split(";"))  # an operator may begin a line
            found += [statement for statement in statements if PRODUCT.search(statement)]
    if found:
        return Proof("multiplier-free", False, f"{len(found)} products or divisions, the first: {found[0][:200]}")
    if not lines:
        return Proof("multiplier-free", False, "Verilator made nothing of the design")
    integer = sum(not mac.multiplier_free for mac in macs)
    facts = f"no product and no division in {lines:,} lines that Verilator makes of {len(macs)} layers with weights"
    return Proof("multiplier-free", True, facts + (f"; {integer} of them shift and add" if integer else ""))


def _written(sources: dict[str, str], folder: Path, built: Built) -> list[str]:
    """Writes the sources; the arguments that name them and the top."""
    for file, text in sources.items():
        (folder / file).write_text(text)
    return ["--top-module", built.manifest.tops["axi"], *sources]
