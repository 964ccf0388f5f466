"""Read a definition's name from its node: one reader a rule of the grammars' captures."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

Reader = Callable[["Node", bytes], str]

_ARGUMENTS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]")
_PLAIN = re.compile(r"[\w$#.]+")
_PREFIX = re.compile(r"^(?:module\.exports|exports|this|self|window)\.|\.prototype(?=\.)")
_NOT_NAMES = frozenset("if for while switch return catch else do function new".split())
_LONGEST = 120


def text_of(node: Node | None, data: bytes) -> str:
    """Return a node's text."""
    return "" if node is None else data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def plain(name: str) -> str:
    """Return a name without type arguments, its parts joined by dots."""
    if "<" in name or "[" in name:
        previous = ""
        while previous != name:
            previous, name = name, _ARGUMENTS.sub("", name)
    if "::" in name:
        name = name.replace("::", ".").strip(".")
    if "\n" in name or " " in name:
        name = " ".join(name.split())
    return "" if name in _NOT_NAMES else name[:_LONGEST]


@cache
def reader(rule: str) -> Reader:
    """Return what reads a name by a rule: a special one, a field's, or a child's type."""
    if rule in NAMERS:
        return NAMERS[rule]

    def read(node: Node, data: bytes) -> str:
        named = node.child_by_field_name(rule)
        if named is None:
            for child in node.named_children:
                if child.type == rule:
                    named = child
                    break
            else:
                return ""
        name = data[named.start_byte : named.end_byte].decode("utf-8", "replace")
        return name if name.isidentifier() and name not in _NOT_NAMES else plain(name.strip("'\""))

    return read


def _declarator(node: Node, data: bytes) -> str:
    """C and C++: the name lies inside of pointers, arrays, functions and parentheses."""
    inner: Node | None = node
    while inner is not None:
        following = inner.child_by_field_name("declarator")
        if following is None and inner.type in {"parenthesized_declarator", "reference_declarator", "variadic_declarator"}:
            following = inner.named_child(inner.named_child_count - 1) if inner.named_child_count else None
        if following is None:
            break
        inner = following
    if inner is None or inner is node:
        return ""
    return plain(text_of(inner, data).removeprefix("operator ")) if inner.type != "operator_name" else text_of(inner, data)


def _java_field(node: Node, data: bytes) -> str:
    declarator = node.child_by_field_name("declarator")
    return text_of(declarator.child_by_field_name("name") if declarator else None, data)


def _receiver(node: Node, data: bytes) -> str:
    """Go: the receiver's type, then the method."""
    receiver = text_of(node.child_by_field_name("receiver"), data).strip("()").split("[")[0].split()
    name = text_of(node.child_by_field_name("name"), data)
    return f"{receiver[-1].strip('*')}.{name}" if receiver else name


def _left(node: Node, data: bytes) -> str:
    """Return the left side of an assignment where it is a plain path, without what says only that it is exported."""
    name = _PREFIX.sub("", text_of(node.child_by_field_name("left"), data))
    return name if _PLAIN.fullmatch(name) and name not in {"exports", "module.exports"} else ""


def _title(node: Node, data: bytes) -> str:
    """Return a test's title: its first string."""
    arguments = node.child_by_field_name("arguments") or node
    for child in arguments.named_children:
        if "string" in child.type.lower():
            return " ".join(text_of(child, data).strip("\"'`").split())[:_LONGEST]
        if child.type == "arguments":
            return _title(child, data)
    return "test"


def _operator(node: Node, data: bytes) -> str:
    return "operator" + text_of(node.child_by_field_name("operator"), data)


def _csharp_field(node: Node, data: bytes) -> str:
    declarator = _first(_first(node, "variable_declaration"), "variable_declarator")
    return text_of(declarator.child_by_field_name("name") if declarator else None, data)


def _php_property(node: Node, data: bytes) -> str:
    element = _first(node, "property_element")
    return text_of(element.child_by_field_name("name") if element else None, data).strip("$")


def _first(node: Node | None, kind: str) -> Node | None:
    for child in node.named_children if node is not None else ():
        if child.type == kind:
            return child
    return None


def _companion(node: Node, data: bytes) -> str:
    return text_of(_first(node, "type_identifier"), data) or "Companion"


def _kotlin_function(node: Node, data: bytes) -> str:
    name = text_of(_first(node, "simple_identifier"), data)
    receiver = plain(text_of(node.child_by_field_name("receiver"), data)).strip("?() ")
    return f"{receiver}.{name}" if receiver and _PLAIN.fullmatch(receiver) else name


def _swift_class(node: Node, data: bytes) -> str:
    return plain(text_of(node.child_by_field_name("name"), data))


def _haskell_instance(node: Node, data: bytes) -> str:
    patterns = text_of(node.child_by_field_name("patterns"), data)
    return " ".join(f"{text_of(node.child_by_field_name('name'), data)} {patterns}".split()).replace(".", "·")[:_LONGEST]


def _haskell_name(node: Node, data: bytes) -> str:
    named = node.child_by_field_name("name")
    if named is None and (infix := _first(node, "infix")) is not None:
        named = infix.child_by_field_name("operator")
    if named is None and (several := _first(node, "binding_list")) is not None:
        named = several.named_child(0)
    return text_of(named, data).strip("()`")


def _elixir(node: Node, data: bytes) -> str:
    arguments = _first(node, "arguments")
    head = arguments.named_child(0) if arguments is not None and arguments.named_child_count else None
    while head is not None and head.type == "binary_operator":
        operator = text_of(head.child_by_field_name("operator"), data)
        if operator != "when":
            return operator
        head = head.child_by_field_name("left")
    if head is None:
        return ""
    if head.type == "call":
        head = head.child_by_field_name("target") or head
    name = text_of(head, data)
    return name if _PLAIN.fullmatch(name.rstrip("?!")) else ""


def _elixir_type(node: Node, data: bytes) -> str:
    match = re.search(r"@\w+\s+(\w+)", text_of(node, data)[:200])
    return match.group(1) if match else ""


def _lua(node: Node, data: bytes) -> str:
    named = node.child_by_field_name("name")
    if named is None:
        variables = _first(node, "variable_list")
        named = variables.child_by_field_name("name") if variables is not None else None
    name = text_of(named, data).replace(":", ".")
    return name if _PLAIN.fullmatch(name) else ""


def _lua_local(node: Node, data: bytes) -> str:
    return _lua(_first(node, "assignment_statement") or node, data)


def _zig(node: Node, data: bytes) -> str:
    head = _first(node, "FnProto")
    if head is not None:
        return text_of(head.child_by_field_name("function"), data)
    head = _first(node, "VarDecl")
    return text_of(head.child_by_field_name("variable_type_function"), data) if head is not None else ""


def _constantly(name: str) -> Reader:
    return lambda _node, _data: name


NAMERS: dict[str, Reader] = {
    "declarator": _declarator,
    "java_field": _java_field,
    "receiver": _receiver,
    "left": _left,
    "title": _title,
    "operator": _operator,
    "this": _constantly("this"),
    "init": _constantly("init"),
    "deinit": _constantly("deinit"),
    "subscript": _constantly("subscript"),
    "constructor": _constantly("constructor"),
    "csharp_field": _csharp_field,
    "php_property": _php_property,
    "companion": _companion,
    "kotlin_function": _kotlin_function,
    "swift_class": _swift_class,
    "haskell_instance": _haskell_instance,
    "haskell_name": _haskell_name,
    "elixir": _elixir,
    "elixir_type": _elixir_type,
    "lua": _lua,
    "lua_local": _lua_local,
    "zig": _zig,
}
