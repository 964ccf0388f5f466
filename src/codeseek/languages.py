"""The languages we know: how a file is recognised by its name, and how it is cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

Group = Literal["code", "docs", "config"]


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its name in filters and output, its tree-sitter grammar if it is cut by one, and its files."""

    name: str
    group: Group
    grammar: str | None = None
    suffixes: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()


def _language(
    name: str, group: Group, suffixes: str, filenames: str = "", *, grammar: str | None = None, interpreters: str = ""
) -> Language:
    return Language(name, group, grammar, tuple(suffixes.split()), tuple(filenames.split()), tuple(interpreters.split()))


_ALL = (
    _language(
        "python", "code", ".py .pyi .pyw .pyx",
        "SConstruct SConscript", grammar="python", interpreters="python python2 python3"
    ),
    _language("javascript", "code", ".js .mjs .cjs .jsx", grammar="javascript", interpreters="node nodejs deno bun"),
    _language("typescript", "code", ".ts .mts .cts", grammar="typescript"),
    _language("tsx", "code", ".tsx", grammar="tsx"),
    _language("go", "code", ".go", grammar="go"),
    _language("rust", "code", ".rs", grammar="rust"),
    _language("java", "code", ".java", grammar="java"),
    _language("c", "code", ".c .h", grammar="c"),
    _language("cpp", "code", ".cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .inl .ipp .tpp .cu .cuh", grammar="cpp"),
    _language("csharp", "code", ".cs .csx", grammar="csharp"),
    _language(
        "ruby", "code", ".rb .rake .gemspec .ru",
        "Rakefile Gemfile Podfile Vagrantfile Guardfile", grammar="ruby", interpreters="ruby"
    ),
    _language("php", "code", ".php .phtml .php5", grammar="php", interpreters="php"),
    _language("scala", "code", ".scala .sc .sbt", grammar="scala", interpreters="scala"),
    _language("kotlin", "code", ".kt .kts", grammar="kotlin"),
    _language("swift", "code", ".swift", grammar="swift"),
    _language("haskell", "code", ".hs .hsc", grammar="haskell", interpreters="runhaskell"),
    _language("elixir", "code", ".ex .exs", grammar="elixir", interpreters="elixir"),
    _language("lua", "code", ".lua", grammar="lua", interpreters="lua luajit"),
    _language("zig", "code", ".zig .zon", grammar="zig"),
    _language(
        "bash", "code", ".sh .bash .zsh .ksh .bats",
        ".bashrc .bash_profile .zshrc .profile PKGBUILD", grammar="bash", interpreters="sh bash zsh dash ksh"
    ),
    _language("dart", "code", ".dart", grammar="dart"),
    _language("julia", "code", ".jl", grammar="julia", interpreters="julia"),
    _language("r", "code", ".r .R", grammar="r", interpreters="Rscript"),
    _language("sql", "code", ".sql .ddl .pgsql", grammar="sql"),
    _language("vue", "code", ".vue", grammar="vue"),
    _language("svelte", "code", ".svelte", grammar="svelte"),
    _language("protobuf", "code", ".proto", grammar="proto"),
    _language("graphql", "code", ".graphql .gql"),
    _language("perl", "code", ".pl .pm", interpreters="perl"),
    _language("fish", "code", ".fish", interpreters="fish"),
    _language("powershell", "code", ".ps1 .psm1", interpreters="pwsh"),
    _language("objc", "code", ".m .mm"),
    _language("ocaml", "code", ".ml .mli"),
    _language("erlang", "code", ".erl .hrl"),
    _language("clojure", "code", ".clj .cljs .cljc .edn"),
    _language("fsharp", "code", ".fs .fsi .fsx"),
    _language("nim", "code", ".nim"),
    _language("groovy", "code", ".groovy .gradle", "Jenkinsfile"),
    _language("vim", "code", ".vim", ".vimrc"),
    _language("lisp", "code", ".el .lisp .cl .scm .rkt"),
    _language("assembly", "code", ".s .S .asm"),
    _language("cmake", "code", ".cmake", "CMakeLists.txt"),
    _language("solidity", "code", ".sol"),
    _language("template", "code", ".erb .ejs .j2 .jinja .jinja2 .tmpl .hbs .mustache .twig .tt .heex .eex .leex"),
    _language("markdown", "docs", ".md .markdown .mdx .mdown .qmd .rmd .Rmd"),
    _language("rst", "docs", ".rst"),
    _language("asciidoc", "docs", ".adoc .asciidoc .asc"),
    _language("org", "docs", ".org"),
    _language(
        "text", "docs", ".txt .text",
        "README LICENSE LICENCE COPYING NOTICE AUTHORS CONTRIBUTING CHANGELOG CHANGES NEWS HACKING INSTALL TODO"
    ),
    _language("html", "docs", ".html .htm .xhtml"),
    _language("css", "config", ".css .scss .sass .less"),
    _language("dockerfile", "config", ".dockerfile", "Dockerfile Containerfile"),
    _language("makefile", "config", ".mk .mak", "Makefile makefile GNUmakefile justfile Justfile"),
    _language("hcl", "config", ".hcl .tf .tfvars"),
    _language("toml", "config", ".toml"),
    _language("yaml", "config", ".yml .yaml"),
    _language("json", "config", ".json .jsonc .json5"),
    _language("ini", "config", ".ini .cfg .conf .properties .editorconfig"),
    _language("xml", "config", ".xml .xsd .xsl .csproj .props .targets .plist"),
)  # fmt: skip

LANGUAGES: Mapping[str, Language] = {language.name: language for language in _ALL}

_BY_SUFFIX = {suffix: language.name for language in _ALL for suffix in language.suffixes}
_BY_FILENAME = {filename: language.name for language in _ALL for filename in language.filenames}
_BY_INTERPRETER = {interpreter: language.name for language in _ALL for interpreter in language.interpreters}
_SHEBANG = re.compile(rb"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*)?([\w.+-]+)")


def language_of(path: PurePosixPath, head: bytes = b"") -> str | None:
    """Name a file's language by its name, or by the interpreter in its first bytes; None: not worth indexing."""
    return language_of_name(path.name, head)


def language_of_name(name: str, head: bytes = b"") -> str | None:
    """Name the language of a file called so; `head` are its first bytes, which count where the name says nothing."""
    if found := _BY_FILENAME.get(name):
        return found
    dot = name.rfind(".")
    if dot > 0:
        suffix = name[dot:]
        return _BY_SUFFIX.get(suffix) or _BY_SUFFIX.get(suffix.lower()) or _BY_FILENAME.get(name[:dot])
    if match := _SHEBANG.match(head):
        interpreter = match.group(1).decode("ascii", "replace")
        return _BY_INTERPRETER.get(interpreter) or _BY_INTERPRETER.get(interpreter.rstrip("0123456789."))
    return None
