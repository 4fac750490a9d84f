"""What a declaration adds to its scope: variables, parameters, fields, types and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

from crq.hw.verify.proofs.lint.names import INTEGERS, Scope, Symbol, is_constant, owner_of
from crq.hw.verify.proofs.lint.syntax import Declarator, parts, text_of, words_of

_FIXED = ("const", "constexpr")


def _variables(node: Node, scope: Scope) -> None:
    words = words_of(node)
    means, alias = _type(node, scope)
    home = scope.home
    for declarator, value in _declarators(node):
        found = Declarator(declarator)
        if found.name is None:
            continue
        if found.name.type == "structured_binding_declarator":
            for bound in found.name.named_children:
                home.symbols[text_of(bound)] = Symbol(text_of(bound), "data", bound.start_point)
            continue
        name = parts(found.name)[-1]
        fixed = bool(words & set(_FIXED))
        kind = means
        if found.function and not scope.function():
            kind = "function"
        elif found.is_array:
            kind = "data"
        elif fixed and _known(node, means, home) and is_constant(value, scope):
            kind = "constant"
        home.symbols[name] = Symbol(
            name, kind, found.name.start_point, found.is_array, found.is_reference, fixed, "static" in words,
            alias=alias,
        )  # fmt: skip


def _known(node: Node, means: str, home: Scope) -> bool:
    """Whether a constant of this type counts as one: native integers do, and all fields of a class."""
    kind = node.child_by_field_name("type")
    return means != "data" or home.kind == "class" or bool(kind and kind.type == "placeholder_type_specifier")


def _declarators(node: Node) -> Iterator[tuple[Node, Node | None]]:
    """The declarators of a declaration, each with its initial value."""
    found = node.children_by_field_name("declarator")
    if len(found) == 1:
        value = found[0].child_by_field_name("value") or node.child_by_field_name("default_value")
        return iter([(found[0], _initial(value or node.child_by_field_name("value")))])
    pairs: list[tuple[Node, Node | None]] = []
    for at, child in enumerate(node.children):
        part = node.field_name_for_child(at)
        if part == "declarator":
            pairs.append((child, _initial(child.child_by_field_name("value"))))
        elif part in ("default_value", "value") and pairs:
            pairs[-1] = (pairs[-1][0], _initial(child))
    return iter(pairs)


def _initial(value: Node | None) -> Node | None:
    """The value in `= value`, `(value)` or `{value}`."""
    if value is not None and value.type in ("argument_list", "initializer_list"):
        return value.named_children[0] if value.named_child_count == 1 else None
    return value


def _parameter(node: Node, scope: Scope) -> None:
    declarator = node.child_by_field_name("declarator")
    found = Declarator(declarator) if declarator else None
    if found is None or found.name is None:
        return
    name, fixed = parts(found.name)[-1], bool(words_of(node) & set(_FIXED))
    means, alias = _type(node, scope)
    if scope.kind == "template":
        scope.symbols[name] = Symbol(name, "constant", found.name.start_point, fixed=True)
        return
    kind = "data" if found.is_array else means
    at = found.name.start_point
    scope.symbols[name] = Symbol(
        name, kind, at, found.is_array, found.is_reference, fixed, parameter=True, alias=alias
    )  # fmt: skip


def _type_parameter(node: Node, scope: Scope) -> None:
    for name in node.named_children[:1]:
        scope.symbols[text_of(name)] = Symbol(text_of(name), "type", name.start_point, alias="typename")


def _alias(node: Node, scope: Scope) -> None:
    name, to = node.child_by_field_name("name"), node.child_by_field_name("type")
    if name and to:
        means, alias = _type(to, scope)
        scope.home.symbols[text_of(name)] = Symbol(text_of(name), "type", name.start_point, alias=alias, means=means)


def _typedef(node: Node, scope: Scope) -> None:
    means, alias = _type(node, scope)
    for declarator in node.children_by_field_name("declarator"):
        found = Declarator(declarator)
        if found.name:
            name = text_of(found.name)
            means = "data" if found.is_array or found.function else means
            scope.symbols[name] = Symbol(name, "type", found.name.start_point, alias=alias, means=means)


def _enumerator(node: Node, scope: Scope) -> None:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    homes = [scope.home]
    # Those of `enum e {}` also stand where the enum does; for `enum class e {}` that says more than it has.
    if scope.kind == "class" and scope.parent:
        homes.append(scope.parent.home)
    if name:
        kind = "constant" if value is None or is_constant(value, scope) else "data"
        for home in homes:
            home.symbols[text_of(name)] = Symbol(text_of(name), kind, name.start_point, fixed=True)


def _captured(node: Node, scope: Scope) -> None:
    for name in node.named_children[:1]:
        scope.symbols[text_of(name)] = Symbol(text_of(name), "data", name.start_point)


def _type(node: Node, scope: Scope) -> tuple[str, str]:
    """The kind of a declaration's variables, and the last name of its type."""
    kind = node.child_by_field_name("type")
    if kind is None:
        return "data", ""
    if kind.type in ("primitive_type", "sized_type_specifier"):
        text = text_of(kind)
        words = set(text.split()).difference(_FIXED)
        if words in ({"unsigned"}, {"unsigned", "int"}):
            return "index", text
        return "integer" if words <= INTEGERS else "data", text
    if kind.type not in ("type_identifier", "qualified_identifier", "template_type", "dependent_type"):
        return "data", ""
    names = parts(kind)
    symbol = scope.find(names[0], kind.start_point) if len(names) == 1 else None
    means = symbol.means if symbol and symbol.kind == "type" else "data"
    return means, names[-1] if len(names) > 1 else owner_of(names[-1], kind.start_point, scope)


# By the type of a node, what adds to its scope.
DECLARATIONS: dict[str, Callable[[Node, Scope], None]] = {
    "declaration": _variables,
    "field_declaration": _variables,
    "function_definition": _variables,
    "parameter_declaration": _parameter,
    "optional_parameter_declaration": _parameter,
    "variadic_parameter_declaration": _parameter,
    "type_parameter_declaration": _type_parameter,
    "optional_type_parameter_declaration": _type_parameter,
    "variadic_type_parameter_declaration": _type_parameter,
    "alias_declaration": _alias,
    "type_definition": _typedef,
    "enumerator": _enumerator,
    "lambda_capture_initializer": _captured,
}
