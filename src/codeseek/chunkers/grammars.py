"""What a definition is in each language: tree-sitter queries, one a language.

A query's captures are `@kind` or `@kind.rule`. The kind is a definition's, or one of these roles: `comment` (also a
documentation string that stands before its definition), `doc` (a documentation string inside its definition), `attach`
(decorators and attributes before a definition), `wrap` (a node that belongs to the first definition inside it), `tail` (a
node that belongs to the definition before it), `prototype` (a function without a body) and `test` (a call with a title and
a function). The rule says where the name stands: a way there by fields and child types (`a-b`), `is_name` for a fixed name,
or one of `readers.READERS`; `name` if there is none. Some rules also want a beginning (`PREFIXES`). Queries have no
predicates: they would read the text of nodes, which is slow.
"""

from __future__ import annotations

_FUNCTION = "[(arrow_function) (function_expression) (generator_function)]"

_JAVASCRIPT = f"""
(comment) @comment
(export_statement declaration: (_)) @wrap
(decorator) @attach
[(function_declaration) (generator_function_declaration) (function_expression name: (_))] @function
(class_declaration) @class
(method_definition) @method
(class_body (FIELD value: [(arrow_function) (function_expression)]) @method.KEY)
(class_body (FIELD) @property.KEY)
(variable_declarator name: (identifier) value: {_FUNCTION}) @function
(variable_declarator name: (identifier) value: (class)) @class
(pair value: {_FUNCTION}) @method.key
(assignment_expression left: [(member_expression) (identifier)] right: {_FUNCTION}) @function.left
(assignment_expression left: [(member_expression) (identifier)] right: (class)) @class.left
(program (_ (variable_declarator name: (identifier) value: (call_expression arguments: (arguments . {_FUNCTION}))) @function))
(program (export_statement
  (_ (variable_declarator name: (identifier) value: (call_expression arguments: (arguments . {_FUNCTION}))) @function)))
(program (_ (variable_declarator name: (identifier)) @const))
(program (export_statement (_ (variable_declarator name: (identifier)) @const)))
(call_expression
  arguments: (arguments . [(string) (template_string)] [(arrow_function) (function_expression)])) @test.title
"""

_TYPESCRIPT = (
    _JAVASCRIPT.replace("FIELD", "public_field_definition").replace("KEY", "name")
    + """
(abstract_class_declaration) @class
(interface_declaration) @interface
(type_alias_declaration) @type
(enum_declaration) @enum
[(internal_module) (module)] @namespace
(ambient_declaration) @wrap
[(function_signature) (abstract_method_signature)] @prototype
(interface_body (method_signature) @prototype)
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
(type_definition) @type.typedef
(preproc_def) @const
(preproc_function_def) @macro
(translation_unit (declaration) @const.declaration)
(preproc_ifdef (declaration) @const.declaration)
(preproc_if (declaration) @const.declaration)
(preproc_else (declaration) @const.declaration)
(declaration_list (declaration) @const.declaration)
"""

_CPP = (
    _C
    + """
(template_declaration) @wrap
(class_specifier name: (_) body: (_)) @class
(namespace_definition name: (_)) @namespace
(alias_declaration) @type
(concept_definition) @type
(field_declaration) @prototype.declaration
(field_declaration_list (declaration) @prototype.declaration)
((expression_statement (call_expression arguments: (argument_list . (string_literal)))) @test.call
  . (compound_statement) @tail)
"""
)

QUERIES: dict[str, str] = {
    "python": """
(comment) @comment
(module . (comment)* . (string) @doc)
(class_definition body: (block . (string) @doc))
(function_definition body: (block . (string) @doc))
(decorator) @attach
(class_definition) @class
(function_definition) @function
(module (assignment left: (identifier)) @const.left)
(class_definition body: (block (assignment left: (identifier)) @property.left))
(module (type_alias_statement left: (_)) @type.left)
""",
    "javascript": _JAVASCRIPT.replace("FIELD", "field_definition").replace("KEY", "property"),
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": """
(comment) @comment
(function_declaration) @function
(method_declaration) @method.receiver
(type_spec type: (struct_type)) @struct
(type_spec type: (interface_type)) @interface
[(type_spec) (type_alias)] @type
(source_file (const_declaration (const_spec) @const))
(source_file (var_declaration (var_spec) @const))
(source_file (var_declaration (var_spec_list (var_spec) @const)))
(method_elem) @prototype
""",
    "rust": """
[(line_comment) (block_comment)] @comment
(attribute_item) @attach
(function_item) @function
(function_signature_item) @prototype
[(struct_item) (union_item)] @struct
(enum_item) @enum
(trait_item) @trait
(impl_item) @impl.implemented
(mod_item body: (_)) @module
(macro_definition) @macro
[(type_item) (associated_type)] @type
[(const_item) (static_item)] @const
""",
    "java": """
[(line_comment) (block_comment)] @comment
[(class_declaration) (record_declaration)] @class
[(interface_declaration) (annotation_type_declaration)] @interface
(enum_declaration) @enum
(method_declaration body: (_)) @function
(method_declaration !body) @prototype
[(constructor_declaration) (compact_constructor_declaration)] @function
(field_declaration) @property.declarator-name
(constant_declaration) @property.declarator-name
""",
    "c": _C,
    "cpp": _CPP,
    "csharp": """
(comment) @comment
(namespace_declaration) @namespace
[(class_declaration) (record_declaration)] @class
(struct_declaration) @struct
(interface_declaration) @interface
(enum_declaration) @enum
(delegate_declaration) @type
(method_declaration body: (_)) @function
(method_declaration !body) @prototype
[(constructor_declaration) (destructor_declaration) (local_function_statement)] @function
(operator_declaration) @function.operator
(indexer_declaration) @function.is_this
[(property_declaration) (event_declaration)] @property
(field_declaration) @property.variable_declaration-variable_declarator-name
(event_field_declaration) @property.variable_declaration-variable_declarator-name
""",
    "ruby": """
(comment) @comment
(module) @module
(class) @class
[(method) (singleton_method)] @function
(assignment left: (constant)) @const.left
(program CALL)
(class body: (body_statement CALL))
(do_block body: (body_statement CALL))
""".replace(
        "CALL",
        "(call arguments: (argument_list . [(string) (constant) (scope_resolution)]) block: (do_block)) @test.title",
    ),
    "php": """
(comment) @comment
(class_declaration) @class
(interface_declaration) @interface
(trait_declaration) @trait
(enum_declaration) @enum
(function_definition) @function
(method_declaration body: (_)) @function
(method_declaration !body) @prototype
(const_declaration) @const.const_element-name
(property_declaration) @property.php
(program (expression_statement (function_call_expression
  arguments: (arguments . (argument (string)) (argument [(anonymous_function) (arrow_function)]))) @test.title))
""",
    "scala": """
[(comment) (block_comment)] @comment
(class_definition) @class
[(object_definition) (package_object)] @object
(trait_definition) @trait
(enum_definition) @enum
(given_definition) @instance
(function_definition) @function
(function_declaration) @prototype
(type_definition) @type
(template_body [(val_definition) (var_definition) (val_declaration) (var_declaration)] @property.pattern)
(compilation_unit [(val_definition) (var_definition)] @const.pattern)
""",
    "kotlin": """
[(line_comment) (multiline_comment)] @comment
(class_declaration) @class.kotlin
(object_declaration) @object.type_identifier
(companion_object) @object.companion
(function_declaration) @function.extended
(secondary_constructor) @function.is_constructor
(type_alias) @type.type_identifier
(source_file (property_declaration) @const.extended)
(class_body (property_declaration) @property.extended)
""",
    "swift": """
[(comment) (multiline_comment)] @comment
(class_declaration) @class.swift
(protocol_declaration) @protocol
(function_declaration) @function
(init_declaration) @function.is_init
(deinit_declaration) @function.is_deinit
(subscript_declaration) @function.is_subscript
(protocol_function_declaration) @prototype
(typealias_declaration) @type
(source_file (property_declaration) @const)
(class_body (property_declaration) @property)
(enum_class_body (property_declaration) @property)
""",
    "haskell": """
[(comment) (haddock)] @comment
[(data_type) (newtype) (type_synomym) (type_family) (data_family)] @type
(class) @class
(instance) @instance.instance
(declarations [(signature) (function) (bind)] @function.haskell)
(class_declarations (signature) @prototype.haskell)
(instance_declarations [(function) (bind)] @function.haskell)
""",
    "elixir": """
(comment) @comment
(unary_operator operand: (call target: (identifier))) @comment.elixir_documentation
(unary_operator operand: (call target: (identifier))) @attach.elixir_attribute
(unary_operator operand: (call target: (identifier))) @type.elixir_type
(call target: (identifier) (arguments)) @function.elixir
""",
    "lua": """
(comment) @comment
(function_declaration) @function.lua
(assignment_statement (variable_list . name: (_)) (expression_list . value: (function_definition))) @function.lua
(chunk (variable_declaration (assignment_statement (variable_list . name: (identifier)))) @const.lua)
(field name: (identifier) value: (function_definition)) @method
(function_call arguments: (arguments . (string) (function_definition))) @test.title
""",
    "zig": """
[(line_comment) (doc_comment) (container_doc_comment)] @comment
(Decl) @function.zig
(TestDecl) @test.title
""",
    "bash": """
(comment) @comment
(function_definition) @function
(program (variable_assignment) @const)
(program (declaration_command (variable_assignment) @const))
""",
    "dart": """
[(comment) (documentation_comment)] @comment
(class_definition) @class
(mixin_declaration) @trait.identifier
(enum_declaration) @enum
(extension_declaration) @impl
(extension_type_declaration) @class
(type_alias) @type.type_identifier
(annotation) @attach
(program (function_signature) @function)
(program (getter_signature) @function)
(program (setter_signature) @function)
(method_signature) @method.dart
(declaration [(constructor_signature) (constant_constructor_signature) (factory_constructor_signature)]) @method.dart
(declaration [(function_signature) (getter_signature) (setter_signature)]) @prototype.dart
(declaration (initialized_identifier_list)) @property.initialized_identifier_list-initialized_identifier-identifier
(program (static_final_declaration_list (static_final_declaration)) @const.static_final_declaration-identifier)
(function_body) @tail
(expression_statement (identifier) (selector (argument_part (arguments . (argument (string_literal))
  (argument (function_expression)))))) @test.call
""",
    "julia": """
[(line_comment) (block_comment)] @comment
(source_file (string_literal) @comment)
(module_definition (block (string_literal) @comment))
(module_definition) @module
(struct_definition) @struct.julia
(abstract_definition) @type.julia
(primitive_definition) @type.julia
(function_definition) @function.julia
(macro_definition) @macro.julia
(assignment . [(call_expression) (typed_expression (call_expression)) (where_expression)]) @function.julia
(const_statement) @const.assignment-identifier
(macrocall_expression (macro_argument_list (function_definition))) @wrap
""",
    "r": """
(comment) @comment
(binary_operator lhs: [(identifier) (string)] operator: ["<-" "=" "<<-"] rhs: (function_definition)) @function.left
(program (binary_operator lhs: (identifier) operator: ["<-" "=" "<<-"]) @const.left)
(argument name: (identifier) value: (function_definition)) @method
(program (call function: (identifier) arguments: (arguments . (argument value: (string)))) @function.r)
""",
    "sql": """
[(comment) (marginalia)] @comment
(statement [(create_table) (create_view) (create_materialized_view) (create_type) (create_function) (create_trigger)
  (create_index) (create_schema)]) @class.sql
""",
    "protobuf": """
(comment) @comment
(message) @struct.message_name
(enum) @enum.enum_name
(service) @interface.service_name
(rpc) @method.rpc_name
(extend) @impl.message_or_enum_type
""",
}

QUERIES["vue"] = QUERIES["svelte"] = ""  # their scripts are in other languages

PREFIXES: dict[str, tuple[bytes, ...]] = {
    "elixir_documentation": (b"@doc ", b"@moduledoc ", b"@typedoc "),
    "elixir_attribute": (b"@spec ", b"@impl ", b"@tag ", b"@deprecated ", b"@since ", b"@callback ", b"@dialyzer "),
    "elixir_type": (b"@type ", b"@opaque ", b"@typep "),
}
"""What the nodes of some rules must begin with."""

GRAMMAR_NAMES = {"protobuf": "proto"}
"""Where tree_sitter_language_pack calls a grammar otherwise than we call the language."""

INNER: dict[str, tuple[bytes, ...]] = {"rust": (b"//!", b"/*!"), "zig": (b"//!",), "elixir": (b"@moduledoc",)}
"""How documentation begins that stands inside of what it documents."""

METHODS_IN = frozenset("class struct trait interface protocol object enum impl instance".split())
"""The kinds of definition whose functions are methods."""

PLAIN_NAMES = frozenset(("bash", "r"))
"""Languages where a dot is part of a name."""

MORE_METHODS_IN = {"ruby": frozenset(("module", "namespace"))}

CHUNK_KINDS = {
    **dict.fromkeys(
        "class struct trait interface protocol module object enum type impl namespace instance".split(), "class"
    ),
    **dict.fromkeys("function macro test".split(), "function"),
    "method": "method",
    "property": "class",
    **dict.fromkeys("const markup".split(), "module"),
}
"""A chunk's kind by its definition's."""

CLAUSES = frozenset(("haskell", "elixir"))
"""Languages where signature and clauses of one name, one after the other, are one definition."""
