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
    names = (suffixes, filenames, interpreters)
    return Language(name, group, grammar, *(tuple(text.split()) for text in names))


def _code(
    name: str, suffixes: str, filenames: str = "", *, grammar: str | None = None, interpreters: str = ""
) -> Language:
    """Describe a programming language whose grammar is called as it is."""
    return _language(name, "code", suffixes, filenames, grammar=grammar or name, interpreters=interpreters)


_ALL = (
    # cut at definitions
    _code("python", ".py .pyi .pyw .pyx .pxd", "SConstruct SConscript wscript", interpreters="python pypy"),
    _code("javascript", ".js .mjs .cjs .jsx .es6", "Jakefile", interpreters="node nodejs bun"),
    _code("typescript", ".ts .mts .cts", interpreters="deno ts-node tsx"),
    _code("tsx", ".tsx"),
    _code("go", ".go"),
    _code("rust", ".rs"),
    _code("java", ".java"),
    _code("c", ".c .h"),
    _code("cpp", ".cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .inl .ipp .tpp .txx .inc .cu .cuh .ino"),
    _code("csharp", ".cs .csx"),
    _code(
        "ruby",
        ".rb .rake .gemspec .ru .podspec .builder .jbuilder .rbi .ruby",
        "Rakefile Gemfile Podfile Vagrantfile Guardfile Fastfile Appfile Capfile Brewfile Dangerfile .irbrc .pryrc",
        interpreters="ruby jruby",
    ),
    _code("php", ".php .phtml .php5 .php7", interpreters="php"),
    _code("scala", ".scala .sc .sbt", interpreters="scala amm"),
    _code("kotlin", ".kt .kts"),
    _code("swift", ".swift"),
    _code("haskell", ".hs .hsc .lhs", interpreters="runhaskell runghc"),
    _code("elixir", ".ex .exs", interpreters="elixir"),
    _code("lua", ".lua .rockspec", interpreters="lua luajit"),
    _code("zig", ".zig .zon"),
    _code(
        "bash",
        ".sh .bash .zsh .ksh .bats .ebuild",
        ".bashrc .bash_profile .bash_aliases .bash_logout .zshrc .zshenv .zprofile .profile PKGBUILD APKBUILD",
        interpreters="sh bash zsh dash ksh ash bats",
    ),
    _code("dart", ".dart", interpreters="dart"),
    _code("julia", ".jl", interpreters="julia"),
    _code("r", ".r .R", ".Rprofile", interpreters="Rscript"),
    _code("sql", ".sql .ddl .dml .pgsql .psql .mysql .plsql"),
    _code("vue", ".vue"),
    _code("svelte", ".svelte"),
    _code("protobuf", ".proto", grammar="proto"),
    # cut at lines
    _language("graphql", "code", ".graphql .gql .graphqls"),
    _language("thrift", "code", ".thrift"),
    _language("perl", "code", ".pl .pm .t", "cpanfile", interpreters="perl"),
    _language("tcl", "code", ".tcl .tk .exp", interpreters="tclsh wish expect"),
    _language("awk", "code", ".awk", interpreters="awk gawk mawk"),
    _language("fish", "code", ".fish", interpreters="fish"),
    _language("powershell", "code", ".ps1 .psm1 .psd1", interpreters="pwsh"),
    _language("batch", "code", ".bat .cmd"),
    _language("objc", "code", ".m .mm"),
    _language("ocaml", "code", ".ml .mli .mll .mly", interpreters="ocaml"),
    _language("erlang", "code", ".erl .hrl .escript", interpreters="escript"),
    _language("gleam", "code", ".gleam"),
    _language("clojure", "code", ".clj .cljs .cljc .edn .bb", interpreters="bb"),
    _language("fsharp", "code", ".fs .fsi .fsx"),
    _language("vb", "code", ".vb .bas .vbs"),
    _language("pascal", "code", ".pas .dpr .lpr .pp"),
    _language("fortran", "code", ".f .f77 .f90 .f95 .f03 .f08 .for"),
    _language("ada", "code", ".ada .adb .ads"),
    _language("cobol", "code", ".cob .cbl .cpy"),
    _language("d", "code", ".d .di"),
    _language("nim", "code", ".nim .nims"),
    _language("crystal", "code", ".cr", interpreters="crystal"),
    _language("v", "code", ".vsh"),
    _language("odin", "code", ".odin"),
    _language("elm", "code", ".elm"),
    _language("purescript", "code", ".purs"),
    _language("lean", "code", ".lean"),
    _language("agda", "code", ".agda"),
    _language("haxe", "code", ".hx"),
    _language("coffeescript", "code", ".coffee", "Cakefile"),
    _language("groovy", "code", ".groovy .gradle", "Jenkinsfile", interpreters="groovy"),
    _language("gdscript", "code", ".gd"),
    _language("verilog", "code", ".v .vh .sv .svh"),
    _language("vhdl", "code", ".vhd .vhdl"),
    _language("shader", "code", ".glsl .vert .frag .comp .geom .hlsl .metal .wgsl .shader"),
    _language("vim", "code", ".vim", ".vimrc .gvimrc"),
    _language("lisp", "code", ".el .lisp .lsp .cl .scm .ss .rkt .fnl", ".emacs", interpreters="guile racket sbcl"),
    _language("assembly", "code", ".s .S .asm"),
    _language("solidity", "code", ".sol"),
    _language("move", "code", ".move"),
    _language("cuelang", "code", ".cue"),
    _language("jsonnet", "code", ".jsonnet .libsonnet"),
    _language("rego", "code", ".rego"),
    _language("gherkin", "code", ".feature"),
    _language("starlark", "code", ".bzl .bazel .star", "BUILD WORKSPACE Tiltfile BUCK"),
    _language("cmake", "code", ".cmake", "CMakeLists.txt"),
    _language("meson", "code", "", "meson.build meson_options.txt meson.options"),
    _language("nix", "code", ".nix"),
    _language("autoconf", "code", ".ac .m4"),
    _language("astro", "code", ".astro"),
    _language(
        "template",
        "code",
        ".erb .ejs .j2 .jinja .jinja2 .tmpl .tpl .gotmpl .hbs .handlebars .mustache .liquid .njk .twig .tt .heex .eex"
        " .leex .haml .slim .pug .jade .ftl .vm .cshtml .razor .jsp .stub",
    ),
    # documentation
    _language("markdown", "docs", ".md .markdown .mdx .mdown .mkd .qmd .rmd .Rmd .cheatmd .livemd"),
    _language("rst", "docs", ".rst .rest"),
    _language("asciidoc", "docs", ".adoc .asciidoc .asc"),
    _language("org", "docs", ".org"),
    _language("rdoc", "docs", ".rdoc"),
    _language("man", "docs", ".1 .2 .3 .4 .5 .6 .7 .8 .9 .man .mdoc .roff"),
    _language("tex", "docs", ".tex .sty .cls"),
    _language("text", "docs", ".txt .text .textile .mediawiki .wiki .pod"),
    _language("html", "docs", ".html .htm .xhtml"),
    # documents whose text is read out of them
    _language("pdf", "docs", ".pdf"),
    _language("notebook", "docs", ".ipynb"),
    _language("docx", "docs", ".docx"),
    _language("pptx", "docs", ".pptx"),
    _language("epub", "docs", ".epub"),
    # configuration
    _language("css", "config", ".css .scss .sass .less .styl .pcss"),
    _language("dockerfile", "config", ".dockerfile .containerfile", "Dockerfile Containerfile"),
    _language("makefile", "config", ".mk .mak .make", "Makefile makefile GNUmakefile justfile Justfile"),
    _language("hcl", "config", ".hcl .tf .tfvars .nomad"),
    _language("toml", "config", ".toml", "Pipfile"),
    _language("yaml", "config", ".yml .yaml .cff", ".clang-format .clang-tidy .yamllint .gemrc"),
    _language("json", "config", ".json .jsonc .json5 .webmanifest", ".babelrc .eslintrc .prettierrc .swcrc .jshintrc"),
    _language(
        "ini",
        "config",
        ".ini .cfg .conf .properties .service .desktop .cabal .env .pro",
        ".editorconfig .gitconfig .gitmodules .flake8 .pylintrc .coveragerc go.mod go.work",
    ),
    _language("xml", "config", ".xml .xsd .xsl .xslt .csproj .fsproj .vbproj .vcxproj .props .targets .plist .wsdl"),
)

LANGUAGES: Mapping[str, Language] = {language.name: language for language in _ALL}

_BY_SUFFIX = {suffix: language.name for language in _ALL for suffix in language.suffixes}
_BY_FILENAME = {filename: language.name for language in _ALL for filename in language.filenames}
_BY_INTERPRETER = {interpreter: language.name for language in _ALL for interpreter in language.interpreters}
_SHEBANG = re.compile(rb"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+|\w+=\S*\s+)*(?:\S*/)?)?([\w.+-]+)")
_VARIANT = re.compile(r"\.(?:in|dist|example|sample|template|default|orig|local)", re.IGNORECASE)
_DOCUMENT = re.compile(r"[A-Z][A-Z0-9_-]{2,}|(?:README|LICEN[SC]E|COPYING|CHANGE(?:S|LOG)|NOTICE|AUTHORS)[\w-]*")


def language_of(path: PurePosixPath, head: bytes = b"") -> str | None:
    """Name a file's language by its name, or by the interpreter in its first bytes; None: not worth indexing."""
    return language_of_name(path.name, head)


def language_of_name(name: str, head: bytes = b"") -> str | None:
    """Name the language of a file called so; `head` are its first bytes, which count where the name says nothing."""
    if found := _BY_FILENAME.get(name):
        return found
    dot = name.rfind(".")
    if dot >= 0:
        stem, suffix = name[:dot], name[dot:]
        if found := _BY_SUFFIX.get(suffix) or _BY_SUFFIX.get(suffix.lower()):
            return found if dot else None
        if stem and _VARIANT.fullmatch(suffix):  # `config.h.in`, `.env.example`
            return _BY_SUFFIX.get(stem) or language_of_name(stem)
        return _BY_FILENAME.get(stem) or ("text" if _DOCUMENT.fullmatch(stem) else None)
    if match := _SHEBANG.match(head):
        interpreter = match.group(1).decode("ascii", "replace")
        if found := _BY_INTERPRETER.get(interpreter) or _BY_INTERPRETER.get(interpreter.rstrip("0123456789.-")):
            return found
    return "text" if _DOCUMENT.fullmatch(name) else None
