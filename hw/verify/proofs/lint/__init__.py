"""Rules for the sources that an HLS tool reads: docs/lint.md lists them, `rules.RULES` is the table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from crq.hw.verify.proofs.lint import declarations, grammar, loops, pragmas, products, recursion, words
from crq.hw.verify.proofs.lint.preprocess import readings
from crq.hw.verify.proofs.lint.rules import Finding
from crq.hw.verify.proofs.lint.source import Source
from crq.hw.verify.proofs.proof import Proof

SIMULATION_ONLY = ("crq_beats_fast.h", "crq_mac_fast.h", "crq_trace.h")


def lint_text(text: str, file: str, tables: Collection[str] = ()) -> Iterator[Finding]:
    """The findings in one source; `tables` are declared in another file, which it includes."""
    yield from lint_texts({file: text}, {file: tables})


def lint_texts(texts: Mapping[str, str], tables: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """The findings in sources by file name, which may call each other; each once, in however many readings it is."""
    yield from dict.fromkeys(_findings(texts, tables))


@lru_cache(maxsize=64)
def _sources(text: str) -> tuple[Source, ...]:
    """The readings of a text. The kernels are the same in every project."""
    return tuple(Source(reading) for reading in readings(text))


def _findings(texts: Mapping[str, str], tables: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    sources = {file: _sources(text) for file, text in texts.items()}
    for file, read in sources.items():
        for source in read:
            yield from grammar.check(source, file)
            yield from words.check(source, file)
            yield from loops.check(source, file)
            yield from products.check(source, file)
            yield from declarations.check(source, file)
            yield from pragmas.check(source, file, tables.get(file, ()))
    yield from recursion.check(sources)


def check(project: Path) -> Proof:
    """Lints the firmware: top function, layers, kernels; tables hold constants only."""
    firmware = project / "firmware"
    files = [
        p for p in sorted(firmware.rglob("*"))
        if p.suffix in (".h", ".cpp") and p.parent.name not in ("weights",) and "ap_types" not in p.parts
        and p.name not in SIMULATION_ONLY
    ]  # fmt: skip
    texts = {str(path.relative_to(project)): path.read_text() for path in files}
    tables = {
        str(p.relative_to(project)): _tables(firmware / "weights" / p.name) for p in files if p.parent.name == "layers"
    }
    findings = list(lint_texts(texts, tables))
    if findings:
        return Proof("sources", False, f"{len(findings)} findings; first: {findings[0]}")
    lines = sum(text.count("\n") for text in texts.values())
    return Proof("sources", True, f"{lines} lines in {len(files)} files keep the rules of the HLS subset")


def _tables(path: Path) -> list[str]:
    """The names of a layer's tables, if it has any. A file of tables is long, and its declarations are lines."""
    if not path.is_file():
        return []
    return re.findall(r"^static const [\w:<>]+ (\w+)\[", path.read_text(), re.MULTILINE)
