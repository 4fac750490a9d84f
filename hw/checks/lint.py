"""Rules for the sources that an HLS tool reads: a conservative subset, legal pragmas, no arithmetic `*` on data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hw.checks.result import Check

SIMULATION_ONLY = ("crq_mac_fast.h", "crq_trace.h")

# What synthesis cannot take, or takes only in some versions.
FORBIDDEN = {
    r"\bnew\b|\bdelete\b|\bmalloc\b|\bfree\s*\(": "dynamic memory",
    r"\bvirtual\b|\bdynamic_cast\b|\btypeid\b": "run-time polymorphism",
    r"\bthrow\b|\btry\b|\bcatch\b": "exceptions",
    r"\bstd::": "the standard library",
    r"\bwhile\s*\(|\bdo\s*\{|\bgoto\b": "a loop without static bounds",
    r"\bfloat\b|\bdouble\b": "floating point",
    r"\bthread_local\b|\bmutable\b|\bvolatile\b": "storage that synthesis does not know",
}

# Pragmas of Vitis HLS 2022.2 and later that the sources use, with the forms they may take.
PRAGMAS = {
    "INLINE": r"(off)?",
    "UNROLL": r"(factor=\w+)?",
    "PIPELINE": r"II=1",
    "DATAFLOW": r"",
    "ARRAY_PARTITION": r"variable=\w+ complete dim=\d+",
    "ARRAY_RESHAPE": r"variable=\w+ complete dim=\d+",
    "BIND_STORAGE": r"variable=\w+ type=rom_1p impl=(bram|lutram)",
    "BIND_OP": r"variable=\w+ op=mul impl=fabric",
    "STREAM": r"variable=\w+ depth=\d+",
    "INTERFACE": r"(axis|ap_vld) port=\w+|ap_ctrl_none port=return",
    "DEPENDENCE": r"variable=\w+ inter RAW distance=[\w:]+ true",
}

LOOP = re.compile(r"\bfor\s*\(([^;]*);([^;]*);([^)]*)\)")
PRODUCT = re.compile(r"([\w:>)\]]+)\s*([*/%])=?\s*([\w:<(]+)")
DECLARED_INDEX = re.compile(r"\bunsigned\s+(\w+)|\bconst unsigned\s+(\w+)")
POINTER = re.compile(r"\bconst char \*|\b(?:int|long|unsigned|T|lane_t)\s*\*+")


class Finding(NamedTuple):
    """`rule` broken in `file` at `line`."""

    file: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.text.strip()}"


def lint_text(text: str, file: str) -> Iterator[Finding]:
    """The findings in one source."""
    lines = _without_comments(text).splitlines()
    names = {a or b for a, b in DECLARED_INDEX.findall("\n".join(lines))}
    previous = ""
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#pragma"):
            yield from _pragma(line, previous, file, number)
            previous = line
            continue
        if line.strip():
            previous = line
        if line.lstrip().startswith("#"):
            continue
        for pattern, rule in FORBIDDEN.items():
            if re.search(pattern, line) and not re.search(r"=\s*delete\b", line):
                yield Finding(file, number, rule, line)
        for loop in LOOP.finditer(line):
            if not re.fullmatch(r"unsigned \w+ = .+", loop[1].strip()) or not re.match(r".+(<|> 0)", loop[2]):
                yield Finding(file, number, "a loop without static bounds", line)
        for left, operator, right in PRODUCT.findall(line):
            if not (_index(left, names) and _index(right, names)) and not _declared_product(file, left, right):
                yield Finding(file, number, f"'{operator}' on something other than indices and constants", line)


def _index(operand: str, names: set[str]) -> bool:
    """Whether an operand is a literal, a compile-time constant or a variable declared `unsigned` in this file."""
    name = operand.strip("()<>")
    return bool(
        re.fullmatch(r"\d+", name)
        or re.search(r"(CONFIG_T|G|geometry<CONFIG_T>|W)::\w+$", name)
        or re.fullmatch(r"[A-Z][A-Z_0-9]*", name)
        or name in names
        or re.fullmatch(r"unsigned\(\w*|int\(\w*|unsigned", operand)
        or name.endswith("::pe")
        or operand == ")"
    )


def _declared_product(file: str, left: str, right: str) -> bool:
    """The one multiplication there is: that of layers declared integer."""
    return file.endswith("crq_product.h") and (left, right) == ("x", "weight")


def _pragma(line: str, previous: str, file: str, number: int) -> Iterator[Finding]:
    match = re.fullmatch(r"\s*#pragma HLS (\w+)\s*(.*)", line)
    if not match or match[1] not in PRAGMAS:
        yield Finding(file, number, "a pragma that is not in the table", line)
        return
    if not re.fullmatch(PRAGMAS[match[1]], match[2].strip()):
        yield Finding(file, number, f"a form of {match[1]} that is not in the table", line)
    if match[1] in ("UNROLL", "PIPELINE", "INLINE", "DATAFLOW") and not (
        previous.rstrip().endswith("{") or previous.lstrip().startswith("#pragma")
    ):
        yield Finding(file, number, f"{match[1]} must stand first in the body it applies to", line)


def _without_comments(text: str) -> str:
    """Comments and string literals blanked, lines kept."""
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    return re.sub(r"//[^\n]*", "", text)


def check(project: Path) -> Check:
    """Lints the firmware: top function, layers, kernels; tables hold constants only."""
    files = [
        p for p in sorted((project / "firmware").rglob("*"))
        if p.suffix in (".h", ".cpp") and p.parent.name not in ("weights",) and "ap_types" not in p.parts
        and p.name not in SIMULATION_ONLY
    ]  # fmt: skip
    findings = [f for path in files for f in lint_text(path.read_text(), str(path.relative_to(project)))]
    if findings:
        return Check("sources", False, f"{len(findings)} findings; first: {findings[0]}")
    lines = sum(path.read_text().count("\n") for path in files)
    return Check("sources", True, f"{lines} lines in {len(files)} files keep the rules of the HLS subset")
