"""Names and where they hold: scopes with the symbols declared in them, and what follows for an expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hw.verify.proofs.lint.tokens import Token, closing_angle

INTEGERS = frozenset(["unsigned", "signed", "int", "long", "short", "char", "bool", "size_t"])
BUILTIN = INTEGERS | frozenset(["void", "float", "double", "auto"])
_ASSIGNMENTS = frozenset(["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "++", "--"])


@dataclass
class Symbol:
    """A declared name. `kind`: constant (known when compiling), index (unsigned), integer, data or type."""

    name: str
    kind: str
    at: int  # index of its token
    sizes: list[list[Token]] = field(default_factory=list)  # of an array
    pointer: bool = False
    fixed: bool = False  # const
    static: bool = False
    parameter: bool = False
    alias: str = ""  # of a type: the last name of what it stands for


@dataclass
class Scope:
    kind: str  # file, namespace, class, function, block
    name: str = ""
    parent: Scope | None = None
    symbols: dict[str, Symbol] = field(default_factory=dict)
    body: int = 0  # index of the brace that opens it

    def find(self, name: str) -> Symbol | None:
        scope: Scope | None = self
        while scope:
            if name in scope.symbols:
                return scope.symbols[name]
            scope = scope.parent
        return None

    def function(self) -> Scope | None:
        """The function around this scope."""
        scope: Scope | None = self
        while scope and scope.kind != "function":
            scope = scope.parent
        return scope

    @property
    def path(self) -> tuple[str, ...]:
        """Names of the namespaces, classes and function around and including this scope."""
        outer = self.parent.path if self.parent else ()
        return (*outer, self.name) if self.name else outer


def qualified(tokens: Sequence[Token], at: int) -> tuple[int, list[str]]:
    """The name that begins at `at`: (index behind it, its parts without template arguments)."""
    names, i = [tokens[at].text], at + 1
    while True:
        if i < len(tokens) and tokens[i].text == "<":
            end = closing_angle(tokens, i)
            behind = tokens[end + 1] if end is not None and end + 1 < len(tokens) else None
            if end is not None and (behind is None or behind.is_name or behind.text in ("::", "(", "&", "*", "{", ",")):
                i = end + 1
        if i + 1 < len(tokens) and tokens[i].text == "::":
            i += 2 if tokens[i + 1].text == "template" else 1
            if i < len(tokens) and tokens[i].is_name:
                names.append(tokens[i].text)
                i += 1
                continue
        return i, names


def is_constant(tokens: Sequence[Token], scope: Scope) -> bool:
    """Whether an expression is known when compiling: literals, constants, template parameters, fields of types."""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.is_name and token.text not in ("true", "false", "sizeof", "unsigned", "int", "bool"):
            end, names = qualified(tokens, i)
            if end < len(tokens) and tokens[end].text in ("(", "[", ".", "->"):
                return False
            symbol = scope.find(names[0]) if len(names) == 1 else None
            if len(names) == 1 and (symbol is None or symbol.kind != "constant"):
                return False
            i = end
            continue
        if token.text in _ASSIGNMENTS or token.text in ("[", ".", "->", ","):
            return False
        i += 1
    return bool(tokens)
