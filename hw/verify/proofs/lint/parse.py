"""What a file declares: namespaces, classes, functions and blocks with the names each of them declares.

No compiler's view, but that of the subset the rules allow; what it cannot make out is taken for data, which the rules
restrict most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hw.verify.proofs.lint.scopes import BUILTIN, INTEGERS, Scope, Symbol, is_constant, qualified
from hw.verify.proofs.lint.tokens import Token, closing, closing_angle, split, tokenize

_QUALIFIERS = frozenset(
    ["static", "const", "constexpr", "inline", "extern", "mutable", "volatile", "typename", "register", "thread_local"]
)
_CONTROL = frozenset(["for", "if", "while", "switch"])
_STATEMENTS = """
return using static_assert goto break continue case default throw delete friend struct class union enum
"""
_NO_DECLARATION = frozenset(_STATEMENTS.split())


class Source:
    """The tokens of a file and the scope each of them stands in."""

    def __init__(self, text: str) -> None:
        self.tokens = tokenize(text)
        self._index_of = {id(token): i for i, token in enumerate(self.tokens)}
        self.root = Scope("file")
        self.scopes = [self.root]
        self.scope_of = [self.root] * len(self.tokens)
        self._parse()

    def symbols(self) -> Iterator[tuple[Scope, Symbol]]:
        for scope in self.scopes:
            for symbol in scope.symbols.values():
                yield scope, symbol

    # -- parsing

    def _parse(self) -> None:
        scope, start, i = self.root, 0, 0
        ends: list[tuple[int, Scope]] = []  # closing brace of each open scope, and the scope around it
        while i < len(self.tokens):
            token = self.tokens[i]
            self.scope_of[i] = scope
            if token.is_pragma or token.text == ";":
                self._statement(scope, start, i)
                start = i + 1
            elif token.text in ("(", "["):
                end = closing(self.tokens, i)
                self.scope_of[i : end + 1] = [scope] * (end + 1 - i)
                i = end
            elif token.text == ":" and i == start + 1:  # a label
                start = i + 1
            elif token.text == "{":
                head = self.tokens[start:i]
                if any(t.text == "=" for piece in split(head, ";") for t in _outside(piece)):  # an initializer
                    end = closing(self.tokens, i)
                    self.scope_of[i : end + 1] = [scope] * (end + 1 - i)
                    i = end
                else:
                    ends.append((closing(self.tokens, i), scope))
                    scope = self._open(scope, start, i)
                    start = i + 1
            elif token.text == "}" and ends and i == ends[-1][0]:
                scope = ends.pop()[1]
                start = i + 1
            i += 1

    def _open(self, parent: Scope, start: int, end: int) -> Scope:
        """The scope whose brace opens at `end` after the head that began at `start`."""
        head = self.tokens[start:end]
        texts = [t.text for t in head]
        templates = 0
        scope = Scope("block", parent=parent, body=end)
        while templates + 1 < len(head) and texts[templates] == "template":
            stop = closing_angle(head, templates + 1) or templates + 1
            for piece in split(head[templates + 2 : stop], ","):
                self._template_parameter(scope, piece, start)
            templates = stop + 1
        first = texts[templates] if templates < len(texts) else ""
        if first == "namespace":
            scope.kind, scope.name = "namespace", texts[-1] if len(texts) > 1 else ""
        elif first in ("struct", "class", "union", "enum"):
            scope.kind, scope.name = "class", next((t.text for t in head[templates + 1 :] if t.is_name), "")
        elif parent.kind in ("file", "namespace", "class") and "(" in texts[templates:]:
            paren = texts.index("(", templates)
            scope.kind, scope.name = "function", head[paren - 1].text
            if "operator" in texts:
                scope.name = "".join(texts[texts.index("operator") : paren])
            for piece in split(head[paren + 1 : closing(head, paren)], ","):
                self._declare(scope, piece, parameter=True)
        elif first == "for":
            self._statement(scope, start + templates, end)
        self.scopes.append(scope)
        self.scope_of[start:end] = [scope] * (end - start)
        return scope

    def _template_parameter(self, scope: Scope, piece: list[Token], at: int) -> None:
        names = [t for t in _until(piece, "=") if t.is_name]
        if len(names) > 1:
            kind = "type" if names[0].text in ("class", "typename") else "constant"
            scope.symbols[names[-1].text] = Symbol(names[-1].text, kind, at)

    def _statement(self, scope: Scope, start: int, end: int) -> None:
        """Declares what the statement declares; control heads in front of it are looked into."""
        tokens = self.tokens[start:end]
        while tokens and (tokens[0].text in _CONTROL or tokens[0].text in ("else", "template")):
            if tokens[0].text == "template" and len(tokens) > 1:
                tokens = tokens[(closing_angle(tokens, 1) or 1) + 1 :]
            elif tokens[0].text == "else" or len(tokens) < 2:
                tokens = tokens[1:]
            else:
                stop = closing(tokens, 1)
                if tokens[0].text == "for":
                    self._declare(scope, split(tokens[2:stop], ";")[0])
                tokens = tokens[stop + 1 :]
        self._declare(scope, tokens)

    def _declare(self, scope: Scope, tokens: Sequence[Token], parameter: bool = False) -> None:
        """Adds the variables or the type that `tokens` declare to `scope`, if they are a declaration."""
        i, words = 0, set()
        is_type = bool(tokens) and tokens[0].text == "typedef"
        if is_type:
            tokens = tokens[1:]
        elif len(tokens) > 3 and tokens[0].text == "using" and tokens[2].text == "=":
            alias = [t.text for t in tokens[3:] if t.is_name]
            scope.symbols[tokens[1].text] = Symbol(tokens[1].text, "type", self._index(tokens[1]), alias=alias[-1])
            return
        while i < len(tokens) and tokens[i].text in _QUALIFIERS:
            words.add(tokens[i].text)
            i += 1
        if i >= len(tokens) or not tokens[i].is_name or tokens[i].text in _NO_DECLARATION:
            return
        kind, alias_of = "data", tokens[i].text
        if tokens[i].text in BUILTIN:
            first = i
            while i < len(tokens) and tokens[i].text in BUILTIN:
                i += 1
            type_words = {t.text for t in tokens[first:i]}
            kind = "index" if type_words == {"unsigned"} else "integer" if type_words <= INTEGERS else "data"
        else:
            i, names = qualified(tokens, i)
            alias_of = names[-1]
        for piece in split(tokens[i:], ","):
            self._declarator(scope, piece, words, "type" if is_type else kind, alias_of, parameter)

    def _declarator(
        self, scope: Scope, piece: list[Token], words: set[str], kind: str, alias_of: str, parameter: bool
    ) -> None:
        i, pointer = 0, False
        while i < len(piece) and piece[i].text in ("&", "&&", "*", "const"):
            pointer |= piece[i].text == "*"
            i += 1
        if i >= len(piece) or not piece[i].is_name or piece[i].text == "operator":
            return
        name, i, sizes = piece[i], i + 1, []
        while i < len(piece) and piece[i].text == "[":
            end = closing(piece, i)
            sizes.append(list(piece[i + 1 : end]))
            i = end + 1
        if i < len(piece) and piece[i].text == "(" and scope.kind not in ("function", "block"):
            return  # a function
        if i < len(piece) and piece[i].text not in ("=", "(", "{", ":"):
            return  # an expression
        fixed = bool(words & {"const", "constexpr"})
        if kind in ("index", "integer") and fixed and not parameter and i < len(piece) and piece[i].text == "=":
            kind = "constant" if is_constant(piece[i + 1 :], scope) else kind
        scope.symbols[name.text] = Symbol(
            name.text, kind, self._index(name), sizes, pointer, fixed, "static" in words, parameter, alias_of
        )

    def _index(self, token: Token) -> int:
        """Where a token stands: this very one, not an equal one on its line."""
        return self._index_of[id(token)]


def _outside(tokens: Sequence[Token]) -> Iterator[Token]:
    """Tokens outside of parentheses, brackets and template arguments."""
    i = 0
    while i < len(tokens):
        end: int | None = i
        if tokens[i].text in ("(", "["):
            end = closing(tokens, i)
        elif tokens[i].text == "<":
            end = closing_angle(tokens, i)
        else:
            yield tokens[i]
        i = (i if end is None else end) + 1


def _until(tokens: Sequence[Token], text: str) -> list[Token]:
    result: list[Token] = []
    for token in tokens:
        if token.text == text:
            break
        result.append(token)
    return result
