"""Rules that a word breaks wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hw.verify.proofs.lint.rules import Finding

_CONTAINERS = (
    "vector|deque|list|map|set|unordered_map|unordered_set|queue|stack|function|tuple|pair|unique_ptr|shared_ptr"
)
_WORDS = {
    r"\bnew\b|\bdelete\b|\b(m|c|re)alloc\b|\bfree\s*\(": "dynamic-memory",
    r"\bvirtual\b|\bdynamic_cast\b|\btypeid\b": "polymorphism",
    r"\bthrow\b|\btry\b|\bcatch\b": "exceptions",
    rf"\bstd\s*::|\busing\s+namespace\b|\b({_CONTAINERS})\s*<|\bstring\s+\w|^\s*#\s*include\s*<": "standard-library",
    r"\b[vfs]?n?(printf|scanf)\b|\bputs\b|\bputchar\b|\bgetchar\b|\bf(open|puts|gets|read|write)\b"
    r"|\bc(out|err|log|in)\s*[<>]{2}|\b[io]?f?stream\s+\w": "input-output",
    r"\bwhile\s*\(|\bdo\s*\{|\bgoto\b": "loop-kind",
    r"\bfloat\b|\bdouble\b": "floating-point",
    r"\bthread_local\b|\bmutable\b|\bvolatile\b": "storage-class",
}
_PATTERNS = {re.compile(pattern): rule for pattern, rule in _WORDS.items()}


def check(text: str, file: str) -> Iterator[Finding]:
    """The findings in a text without comments and strings, line by line."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#pragma"):
            continue
        for pattern, rule in _PATTERNS.items():
            if pattern.search(line) and not re.search(r"=\s*delete\b", line):
                yield Finding(file, number, rule, line)
