"""The rule that the other rules see everything: a line the grammar cannot read is a finding."""

from __future__ import annotations

from collections.abc import Iterator

from crq.hw.verify.proofs.lint.rules import Finding
from crq.hw.verify.proofs.lint.source import Source
from crq.hw.verify.proofs.lint.syntax import line_of, shown, text_of

_DIRECTIVES = frozenset(["pragma", "undef", "error"])


def check(source: Source, file: str) -> Iterator[Finding]:
    for node in source.unread:
        yield Finding(file, line_of(node), "syntax", f"missing {node.type}" if node.is_missing else shown(node))
    for node, _ in source.find("gnu_asm_expression"):
        yield Finding(file, line_of(node), "syntax", shown(node))
    for node, _ in source.find("preproc_call"):
        directive = node.child_by_field_name("directive")
        if directive is None or text_of(directive).lstrip("# \t") not in _DIRECTIVES:
            yield Finding(file, line_of(node), "syntax", shown(node))
