"""Read a definition's name from its node: one reader for each rule of the grammars' captures."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from codeseek.chunkers.names import LONGEST, NAMELESS, PATH, Name, Reader, child, named, plain, text_of, unquoted

if TYPE_CHECKING:
    from tree_sitter import Node

_EXPORTS = re.compile(r"^(?:module\.exports|exports|this|self|window)\.|\.prototype(?=\.)")
_TESTS = frozenset(
    "describe it test context suite specify bench property step scenario feature fit xit fdescribe xdescribe".split()
)
_QUALIFIER = re.compile(r"\b[A-Z]\w*\.")
_REFERENCE = re.compile(r"&|'\w+|\b(?:mut|dyn|const)\b|\*")
_ZIG_CONTAINER = re.compile(rb"=\s*(?:extern\s+|packed\s+)?(struct|enum|union|opaque|error\s*\{)")
_OPERATOR = re.compile(r"\boperator\b")


def fixed(name: Name) -> Reader:
    """Return what reads this name whatever the node."""
    return lambda _node, _data: name


@cache
def reader(rule: str) -> Reader:
    """Return what reads a name by a rule: one of `READERS`, `is_name` for a fixed name, or the way by fields and child types."""
    if rule in READERS:
        return READERS[rule]
    if rule.startswith("is_"):
        return lambda node, _data: (rule.removeprefix("is_"), node.start_byte, "")
    steps = rule.split("-")

    def read(node: Node, data: bytes) -> Name:
        found: Node | None = node
        for step in steps:
            if found is None:
                return NAMELESS
            found = found.child_by_field_name(step) or child(found, step)
        return named(found, data)

    return read


_HOLDERS = frozenset(
    ("parenthesized_declarator", "reference_declarator", "variadic_declarator", "attributed_declarator")
)


def _declared(node: Node) -> tuple[Node | None, str]:
    """C and C++: return where a declaration's name lies, inside of pointers, arrays and functions, and what directly holds it."""
    inner, holder = node, ""
    while inner.type != "operator_cast":
        following = inner.child_by_field_name("declarator")
        if following is None and inner.type in _HOLDERS and inner.named_child_count:
            following = inner.named_child(inner.named_child_count - 1)
        if following is None:
            break
        inner, holder = following, inner.type
    return (inner, holder) if holder else (None, "")


def _declarator(node: Node, data: bytes) -> Name:
    """Return what a C or C++ definition with a declarator defines."""
    inner, _ = _declared(node)
    if inner is None:
        return NAMELESS
    name = text_of(inner, data)
    if name.isidentifier():
        if name.isupper() and node.type == "function_definition" and node.child_by_field_name("type") is None:
            name = _macro(node, name, data)
    elif _OPERATOR.search(name):
        name = _operator_name(name)
    else:
        words = name.split()
        name = plain(words[-1] if len(words) > 1 and "<" not in name else name)
    return name, inner.start_byte, ""


def _declaration(node: Node, data: bytes) -> Name:
    """Return what a C or C++ declaration outside of functions declares: a function, or a variable unless that is elsewhere."""
    _, holder = _declared(node)
    name, place, _ = _declarator(node, data)
    if holder == "function_declarator":
        return name, place, "prototype"
    is_variable = node.type == "declaration" and not data.startswith(b"extern", node.start_byte)
    return (name, place, "const") if is_variable else NAMELESS


_TYPEDEF_KINDS = {
    "struct_specifier": "struct",
    "union_specifier": "struct",
    "class_specifier": "class",
    "enum_specifier": "enum",
}


def _typedef(node: Node, data: bytes) -> Name:
    """Return what a C type definition names: a struct or an enum if its body stands there."""
    name, place, _ = _declarator(node, data)
    specifier = node.child_by_field_name("type")
    if specifier is None or specifier.child_by_field_name("body") is None:
        return name, place, ""
    return name, specifier.start_byte, _TYPEDEF_KINDS.get(specifier.type, "")


def _macro(node: Node, name: str, data: bytes) -> str:
    """C and C++: `TEST(Suite, Name) {…}` defines what its arguments say."""
    parameters = text_of(child(child(node, "function_declarator"), "parameter_list"), data).strip("()")
    words = [word.strip() for word in parameters.split(",")]
    return ".".join(words) if words and all(word.isidentifier() for word in words) else name


def _operator_name(name: str) -> str:
    """C++: `Store::operator std::string() const` is `Store.operator string`, without the parameters."""
    scope, _, operator = name.rpartition("operator")
    operator = operator.strip()
    if operator[:1].isalpha():
        operator = " " + operator.split("(")[0].split("::")[-1].strip(" *&")
    return f"{plain(scope)}.operator{''.join(operator.split()) if operator[:1] != ' ' else operator}".lstrip(".")


def _implemented(node: Node, data: bytes) -> Name:
    """Rust: the type, whether by reference or not; the trait where the type has no name."""
    for field in ("type", "trait"):
        found = node.child_by_field_name(field)
        name = plain(_REFERENCE.sub("", text_of(found, data)))
        if found is not None and PATH.fullmatch(name):
            return name.split(".")[-1], found.start_byte, ""
    return NAMELESS


def _receiver(node: Node, data: bytes) -> Name:
    """Go: the receiver's type, then the method."""
    receiver = text_of(node.child_by_field_name("receiver"), data).strip("()").split("[")[0].split()
    name, place, kind = named(node.child_by_field_name("name"), data)
    return (f"{receiver[-1].strip('*')}.{name}" if receiver else name), place, kind


def _left(node: Node, data: bytes) -> Name:
    """Return the left side of an assignment where it is a plain path, without what says only that it is exported."""
    left = node.child_by_field_name("left") or node.child_by_field_name("lhs")
    if left is None:
        return NAMELESS
    name = _EXPORTS.sub("", text_of(left, data).strip("`\"'"))
    return (name if PATH.fullmatch(name) and name != "module.exports" else ""), left.start_byte, ""


def _title(node: Node, data: bytes) -> Name:
    """Return the title of a call with a string and a function: the string if it is a test, else with what is called."""
    callee = None
    for field in ("function", "method", "target", "name"):
        callee = callee or node.child_by_field_name(field)
    called = text_of(callee, data) if callee is not None and callee.end_byte - callee.start_byte < LONGEST else ""
    arguments = (
        node.child_by_field_name("arguments") or child(node, "arguments", "argument_list", "argument_part") or node
    )
    first = arguments.named_child(0) if arguments.named_child_count else None
    title = " ".join(text_of(first, data).strip("\"'`:").split())[:LONGEST] or "test"
    is_test = not called or not PATH.fullmatch(called) or called.split(".")[0] in _TESTS
    return (title if is_test else f"{called} {title}"), node.start_byte, ""


def _call(node: Node, data: bytes) -> Name:
    """C++ and Dart: the title of the call in an expression statement, taken for a test."""
    found = child(node, "call_expression")
    if found is not None:
        return _title(found, data)
    found = child(child(child(node, "selector"), "argument_part"), "arguments")
    return (
        (text_of(found.named_child(0) if found is not None else None, data).strip("\"'") or "test"),
        node.start_byte,
        "",
    )


def _operator(node: Node, data: bytes) -> Name:
    return "operator" + text_of(node.child_by_field_name("operator"), data), node.start_byte, ""


def _property(node: Node, data: bytes) -> Name:
    """PHP: without the dollar sign."""
    name, place, kind = named(child(node, "property_element"), data)
    return name.lstrip("$").split("=")[0], place, kind


def _companion(node: Node, data: bytes) -> Name:
    found = child(node, "type_identifier")
    return named(found, data) if found is not None else ("Companion", node.start_byte, "")


def _kotlin(node: Node, data: bytes) -> Name:
    """Kotlin: classes, interfaces and enums are one node type, told apart by keywords."""
    found = child(node, "type_identifier")
    words = {part.type for part in node.children}
    kind = "interface" if "interface" in words else "enum" if "enum" in words else ""
    name, place, _ = named(found, data)
    return name, place, kind


def _extended(node: Node, data: bytes) -> Name:
    """Kotlin: an extension's receiver, then the function's or property's name."""
    name, place, kind = named(child(node, "simple_identifier", "variable_declaration"), data)
    receiver = plain(text_of(node.child_by_field_name("receiver"), data)).strip("?() ")
    name = name.split(":")[0]
    return (f"{receiver}.{name}" if receiver and PATH.fullmatch(receiver) else name), place, kind


_SWIFT_KINDS = {"struct": "struct", "enum": "enum", "extension": "impl"}


def _swift(node: Node, data: bytes) -> Name:
    """Swift: classes, structs, enums and extensions are one node type, told apart by a keyword."""
    name, place, _ = named(node.child_by_field_name("name"), data)
    return name.strip("[]?"), place, _SWIFT_KINDS.get(text_of(node.child_by_field_name("declaration_kind"), data), "")


def _instance(node: Node, data: bytes) -> Name:
    """Haskell: the class and what it is an instance of."""
    name, place, kind = named(node.child_by_field_name("name"), data)
    patterns = _QUALIFIER.sub("", " ".join(text_of(node.child_by_field_name("patterns"), data).split()))
    return f"{name} {patterns}".strip()[:LONGEST], place, kind


def _haskell(node: Node, data: bytes) -> Name:
    found = node.child_by_field_name("name")
    if found is None and (infix := child(node, "infix")) is not None:
        found = infix.child_by_field_name("operator")
    if found is None and (several := child(node, "binding_list")) is not None:
        found = several.named_child(0)
    if found is None:
        return NAMELESS
    return text_of(found, data).strip("()` "), found.start_byte, ""


_ELIXIR_KINDS = {
    **dict.fromkeys((b"def", b"defp", b"defguard", b"defguardp", b"defdelegate", b"defn", b"defnp"), "function"),
    **dict.fromkeys((b"defmacro", b"defmacrop"), "macro"),
    **dict.fromkeys((b"test", b"describe", b"property"), "test"),
    b"defmodule": "module",
    b"defprotocol": "protocol",
    b"defimpl": "impl",
}


def _elixir(node: Node, data: bytes) -> Name:
    """Elixir: definitions are calls; what is called tells the kind, the first argument has the name."""
    target = node.child_by_field_name("target")
    kind = _ELIXIR_KINDS.get(data[target.start_byte : target.end_byte], "") if target is not None else ""
    if not kind:
        return NAMELESS
    arguments = child(node, "arguments")
    head = arguments.named_child(0) if arguments is not None and arguments.named_child_count else None
    if kind == "test":
        is_titled = head is not None and head.type == "string" and child(node, "do_block") is not None
        return (text_of(head, data).strip('"')[:LONGEST], node.start_byte, kind) if is_titled else NAMELESS
    while head is not None and head.type == "binary_operator":
        operator = text_of(head.child_by_field_name("operator"), data)
        if operator != "when":
            return operator, head.start_byte, kind
        head = head.child_by_field_name("left")
    if head is None:
        return NAMELESS
    if head.type == "call":
        head = head.child_by_field_name("target") or head
    name = text_of(head, data)
    return (name if PATH.fullmatch(name) else ""), head.start_byte, kind


def _elixir_type(node: Node, data: bytes) -> Name:
    match = re.search(r"@\w+\s+(\w+)", text_of(node, data)[:200])
    return (match.group(1) if match else ""), node.start_byte, ""


def _lua(node: Node, data: bytes) -> Name:
    found = node.child_by_field_name("name")
    if found is None:
        variables = child(child(node, "assignment_statement") or node, "variable_list")
        found = variables.child_by_field_name("name") if variables is not None else None
    if found is None:
        return NAMELESS
    name = text_of(found, data).replace(":", ".")
    return (name if PATH.fullmatch(name) else ""), found.start_byte, ""


def _zig(node: Node, data: bytes) -> Name:
    """Zig: containers are constants; what stands after the equals sign tells their kind."""
    head = child(node, "FnProto", "VarDecl")
    if head is None:
        return NAMELESS
    if head.type == "FnProto":
        return named(head.child_by_field_name("function"), data)
    found = head.child_by_field_name("variable_type_function")
    name, place, _ = named(found, data)
    container = _ZIG_CONTAINER.match(data[found.end_byte : found.end_byte + 60].lstrip()) if found is not None else None
    kind = "const" if container is None else "enum" if container.group(1)[:1] == b"e" else "struct"
    return name, place, kind


_DART_SIGNATURES = (
    "function_signature getter_signature setter_signature constructor_signature constant_constructor_signature "
    "factory_constructor_signature redirecting_factory_constructor_signature operator_signature"
).split()


def _dart(node: Node, data: bytes) -> Name:
    """Dart: a member's name lies in its signature; a named constructor's has two parts."""
    signature = child(node, *_DART_SIGNATURES) or node
    parts = [part for part in signature.named_children if part.type == "identifier"]
    if signature.type == "operator_signature":
        return "operator", signature.start_byte, ""
    if not parts:
        return NAMELESS
    return text_of(parts[-1] if "constructor" in signature.type else parts[0], data), parts[0].start_byte, ""


def _julia(node: Node, data: bytes) -> Name:
    """Julia: the head of a call lies inside of types, `where` and `<:`."""
    found: Node | None = child(node, "signature", "type_head") or node
    while found is not None and found.named_child_count:
        if found.type in {"field_expression", "operator"}:
            break
        found = found.named_child(0)
    if found is None or found.id == node.id:
        return NAMELESS
    return plain(text_of(found, data)), found.start_byte, ""


_SQL_KINDS = {
    "create_function": "function", "create_trigger": "function", "create_type": "type", "create_index": "const",
    "create_schema": "namespace",
}  # fmt: skip


_R_KINDS = {
    **dict.fromkeys((b"setClass", b"setRefClass", b"R6Class"), "class"),
    **dict.fromkeys((b"setMethod", b"setGeneric", b"setValidity"), "function"),
    **dict.fromkeys((b"test_that", b"describe", b"it"), "test"),
}


def _r(node: Node, data: bytes) -> Name:
    """R: classes, methods and tests are calls; what is called tells the kind, the first string is the name."""
    function = node.child_by_field_name("function")
    kind = _R_KINDS.get(data[function.start_byte : function.end_byte], "") if function is not None else ""
    argument = child(node.child_by_field_name("arguments"), "argument")
    return (text_of(argument, data).strip("\"'")[:LONGEST] if kind else ""), node.start_byte, kind


def _pattern(node: Node, data: bytes) -> Name:
    """Scala: the name on the left of a value, none where it is taken apart."""
    name, place, kind = named(node.child_by_field_name("pattern") or node.child_by_field_name("name"), data)
    return (name if "," not in name and "(" not in name else ""), place, kind


def _sql(node: Node, data: bytes) -> Name:
    """Return what an SQL statement creates; a schema qualifies the name."""
    created = node.named_children[0]
    found = created.child_by_field_name("column") or child(created, "object_reference", "identifier")
    return unquoted(text_of(found, data)), created.start_byte, _SQL_KINDS.get(created.type, "")


READERS: dict[str, Reader] = {
    "declarator": _declarator,
    "declaration": _declaration,
    "typedef": _typedef,
    "implemented": _implemented,
    "receiver": _receiver,
    "left": _left,
    "title": _title,
    "call": _call,
    "operator": _operator,
    "php": _property,
    "companion": _companion,
    "kotlin": _kotlin,
    "extended": _extended,
    "swift": _swift,
    "instance": _instance,
    "haskell": _haskell,
    "elixir": _elixir,
    "elixir_type": _elixir_type,
    "lua": _lua,
    "zig": _zig,
    "dart": _dart,
    "julia": _julia,
    "r": _r,
    "pattern": _pattern,
    "sql": _sql,
}
