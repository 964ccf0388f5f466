"""What a definition is in each language: tree-sitter queries, one a language, and how names are read.

A query's captures are `@kind` or `@kind.rule`. The kind is a definition's, or one of these roles: `comment` (also a
documentation string that stands before its definition), `doc` (a documentation string inside its definition), `attach`
(decorators and attributes before a definition), `wrap` (a node that belongs to the first definition inside it), `tail` (a
node that belongs to the definition before it) and `prototype` (a function without a body). The rule says where the name
stands: a field, a child's type, or one of `NAMERS`.
"""

from __future__ import annotations

from dataclasses import dataclass

_JAVASCRIPT = """
(comment) @comment
(export_statement declaration: (_)) @wrap
(decorator) @attach
(function_declaration) @function
(generator_function_declaration) @function
(class_declaration) @class
(method_definition) @function
(class_body member: (field_definition property: (_) value: [(arrow_function) (function_expression)]) @function.property)
(class_body member: (field_definition property: (_)) @property.property)
(variable_declarator name: (identifier) value: [(arrow_function) (function_expression) (generator_function)]) @function
(variable_declarator name: (identifier) value: (class)) @class
(pair key: (_) value: [(arrow_function) (function_expression) (generator_function)]) @function.key
(assignment_expression left: [(member_expression) (identifier)]
  right: [(arrow_function) (function_expression) (generator_function)]) @function.left
(assignment_expression left: [(member_expression) (identifier)] right: (class)) @class.left
(program (lexical_declaration (variable_declarator name: (identifier)) @const))
(program (variable_declaration (variable_declarator name: (identifier)) @const))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier)) @const)))
(program (expression_statement
  (call_expression arguments: (arguments . [(string) (template_string)] [(arrow_function) (function_expression)])) @test.title))
(statement_block (expression_statement
  (call_expression arguments: (arguments . [(string) (template_string)] [(arrow_function) (function_expression)])) @test.title))
"""

_TYPESCRIPT = (
    _JAVASCRIPT.replace("member: (field_definition property:", "(public_field_definition name:")
    .replace("@function.property", "@function")
    .replace("@property.property", "@property")
    + """
(abstract_class_declaration) @class
(interface_declaration) @interface
(type_alias_declaration) @type
(enum_declaration) @enum
(internal_module) @namespace
(module) @namespace
(ambient_declaration) @wrap
(function_signature) @prototype
(interface_body (method_signature) @prototype)
(abstract_method_signature) @prototype
(class_body (method_signature) @prototype)
"""
)

_C = """
(comment) @comment
(function_definition declarator: (_)) @function.declarator
(struct_specifier name: (_) body: (_)) @struct
(union_specifier name: (_) body: (_)) @struct
(enum_specifier name: (_) body: (_)) @enum
(enumerator) @const
(type_definition type: (struct_specifier body: (_))) @struct.declarator
(type_definition type: (union_specifier body: (_))) @struct.declarator
(type_definition type: (enum_specifier body: (_))) @enum.declarator
(type_definition) @type.declarator
(preproc_def) @macro
(preproc_function_def) @macro
(translation_unit (declaration declarator: (init_declarator)) @const.declarator)
(preproc_ifdef (declaration declarator: (init_declarator)) @const.declarator)
(preproc_if (declaration declarator: (init_declarator)) @const.declarator)
(declaration declarator: (function_declarator)) @prototype.declarator
(declaration declarator: (pointer_declarator declarator: (function_declarator))) @prototype.declarator
"""

_CPP = (
    _C.replace("(translation_unit (declaration", "(translation_unit (declaration")
    + """
(template_declaration) @wrap
(class_specifier name: (_) body: (_)) @class
(namespace_definition name: (_)) @namespace
(alias_declaration) @type
(concept_definition) @type
(declaration_list (declaration declarator: (init_declarator)) @const.declarator)
(field_declaration declarator: (function_declarator)) @prototype.declarator
(field_declaration declarator: (pointer_declarator declarator: (function_declarator))) @prototype.declarator
(field_declaration declarator: (reference_declarator (function_declarator))) @prototype.declarator
"""
)

QUERIES: dict[str, str] = {
    "python": """
(comment) @comment
(module . (string) @doc)
(module . (comment)+ . (string) @doc)
(class_definition body: (block . (string) @doc))
(function_definition body: (block . (string) @doc))
(decorator) @attach
(class_definition) @class
(function_definition) @function
(module (assignment left: (identifier)) @const.left)
(class_definition body: (block (assignment left: (identifier)) @property.left))
(module (type_alias_statement left: (_)) @type.left)
""",
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": """
(comment) @comment
(function_declaration) @function
(method_declaration) @method.receiver
(type_spec type: (struct_type)) @struct
(type_spec type: (interface_type)) @interface
(type_spec) @type
(type_alias) @type
(source_file (const_declaration (const_spec) @const))
(source_file (var_declaration (var_spec) @const))
(source_file (var_declaration (var_spec_list (var_spec) @const)))
(source_file (type_declaration) @wrap)
(method_elem) @prototype
""",
    "rust": """
(line_comment) @comment
(block_comment) @comment
(attribute_item) @attach
(function_item) @function
(function_signature_item) @prototype
(struct_item) @struct
(union_item) @struct
(enum_item) @enum
(trait_item) @trait
(impl_item) @impl.type
(mod_item body: (_)) @module
(macro_definition) @macro
(type_item) @type
(const_item) @const
(static_item) @const
""",
    "java": """
(line_comment) @comment
(block_comment) @comment
(class_declaration) @class
(interface_declaration) @interface
(enum_declaration) @enum
(record_declaration) @class
(annotation_type_declaration) @interface
(method_declaration) @function
(constructor_declaration) @function
(compact_constructor_declaration) @function
(class_body (field_declaration declarator: (variable_declarator)) @property.java_field)
(interface_body (constant_declaration declarator: (variable_declarator)) @property.java_field)
""",
    "c": _C,
    "cpp": _CPP,
    "csharp": """
(comment) @comment
(namespace_declaration) @namespace
(class_declaration) @class
(struct_declaration) @struct
(interface_declaration) @interface
(enum_declaration) @enum
(record_declaration) @class
(delegate_declaration) @type
(method_declaration) @function
(constructor_declaration) @function
(destructor_declaration) @function
(operator_declaration) @function.operator
(indexer_declaration) @function.this
(local_function_statement) @function
(property_declaration) @property
(event_declaration) @property
(field_declaration (variable_declaration (variable_declarator))) @property.csharp_field
(event_field_declaration (variable_declaration (variable_declarator))) @property.csharp_field
""",
    "ruby": """
(comment) @comment
(module) @module
(class) @class
(singleton_class) @namespace.value
(method) @function
(singleton_method) @function
(assignment left: (constant)) @const.left
(program (call method: (identifier) arguments: (argument_list . (string)) block: (_)) @test.title)
(body_statement (call method: (identifier) arguments: (argument_list . (string)) block: (_)) @test.title)
""",
    "php": """
(comment) @comment
(class_declaration) @class
(interface_declaration) @interface
(trait_declaration) @trait
(enum_declaration) @enum
(function_definition) @function
(method_declaration) @function
(const_declaration (const_element) @const.name)
(property_declaration (property_element)) @property.php_property
""",
    "scala": """
(comment) @comment
(block_comment) @comment
(class_definition) @class
(object_definition) @object
(package_object) @object
(trait_definition) @trait
(enum_definition) @enum
(given_definition) @instance
(function_definition) @function
(function_declaration) @prototype
(type_definition) @type
(template_body (val_definition pattern: (identifier)) @property.pattern)
(template_body (var_definition pattern: (identifier)) @property.pattern)
(extension_definition) @wrap
""",
    "kotlin": """
(line_comment) @comment
(multiline_comment) @comment
(class_declaration) @class.type_identifier
(object_declaration) @object.type_identifier
(companion_object) @object.companion
(function_declaration) @function.kotlin_function
(secondary_constructor) @function.constructor
(type_alias) @type.type_identifier
(source_file (property_declaration (variable_declaration)) @const.variable_declaration)
(class_body (property_declaration (variable_declaration)) @property.variable_declaration)
""",
    "swift": """
(comment) @comment
(multiline_comment) @comment
(class_declaration) @class.swift_class
(protocol_declaration) @protocol
(function_declaration) @function
(init_declaration) @function.init
(deinit_declaration) @function.deinit
(subscript_declaration) @function.subscript
(protocol_function_declaration) @prototype
(typealias_declaration) @type
(source_file (property_declaration name: (pattern)) @const)
(class_body (property_declaration name: (pattern)) @property)
""",
    "haskell": """
(comment) @comment
(haddock) @comment
(data_type) @type
(newtype) @type
(type_synomym) @type
(type_family) @type
(class) @class
(instance) @instance.haskell_instance
(declarations (signature) @function.haskell_name)
(declarations (function) @function.haskell_name)
(declarations (bind) @function.haskell_name)
(class_declarations (signature) @prototype.haskell_name)
""",
    "elixir": """
(comment) @comment
((unary_operator operand: (call target: (identifier) @_doc) ) @comment (#any-of? @_doc "doc" "moduledoc" "typedoc"))
((unary_operator operand: (call target: (identifier) @_at) ) @attach (#any-of? @_at "spec" "impl" "tag" "deprecated" "since"))
((call target: (identifier) @_module (arguments) (do_block)) @module.elixir
  (#any-of? @_module "defmodule" "defprotocol" "defimpl"))
((call target: (identifier) @_def (arguments)) @function.elixir
  (#any-of? @_def "def" "defp" "defguard" "defguardp" "defdelegate" "defn" "defnp"))
((call target: (identifier) @_macro (arguments)) @macro.elixir (#any-of? @_macro "defmacro" "defmacrop"))
((call target: (identifier) @_test (arguments . (string)) (do_block)) @test.title
  (#any-of? @_test "test" "describe" "property"))
((unary_operator operand: (call target: (identifier) @_type)) @type.elixir_type (#any-of? @_type "type" "opaque" "typep"))
""",
    "lua": """
(comment) @comment
(function_declaration) @function.lua
(assignment_statement (variable_list . name: (_)) (expression_list . value: (function_definition))) @function.lua
(chunk local_declaration: (variable_declaration (assignment_statement (variable_list . name: (identifier)))) @const.lua_local)
(field name: (identifier) value: (function_definition)) @function
""",
    "zig": """
(line_comment) @comment
(doc_comment) @comment
(container_doc_comment) @comment
(Decl (FnProto function: (IDENTIFIER))) @function.zig
(Decl (VarDecl variable_type_function: (IDENTIFIER))) @const.zig
(TestDecl) @test.title
""",
    "bash": """
(comment) @comment
(function_definition) @function
(program (variable_assignment) @const)
(program (declaration_command (variable_assignment) @const))
""",
}

GRAMMAR_NAMES = {"protobuf": "proto"}
"""Where tree_sitter_language_pack calls a grammar otherwise than we call the language."""

METHODS_IN = frozenset("class struct trait interface protocol object enum impl instance".split())
"""The kinds of definition whose functions are methods."""

CHUNK_KINDS = {
    **dict.fromkeys("class struct trait interface protocol module object enum type impl namespace instance".split(), "class"),
    **dict.fromkeys("function macro test".split(), "function"),
    "method": "method",
    **dict.fromkeys("const property".split(), "module"),
}
"""A chunk's kind by its definition's."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What else sets a language apart: clauses of one name are one definition; a module's functions are methods."""

    clauses: bool = False
    module_methods: bool = False


TRAITS = {"haskell": Traits(clauses=True), "elixir": Traits(clauses=True), "ruby": Traits(module_methods=True)}
