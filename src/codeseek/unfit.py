"""What is not worth indexing, or must not be: told by a name, by a folder's entries, or by a text."""

from __future__ import annotations

import re
from collections.abc import Collection

from codeseek.languages import LANGUAGES

SECRET, LOCK, GENERATED, MINIFIED, VENDORED = "secret", "lock file", "generated", "minified", "vendored"
BUILT, CACHE, BINARY, DATA, UNKNOWN = "build output", "cache", "binary", "data", "unknown kind of file"

VERSION_CONTROL = frozenset((".git", ".hg", ".svn", ".bzr", ".jj", "CVS", "_darcs"))
"""Folders that are no part of a project, not even a skipped one."""


def _named(*groups: tuple[str, str]) -> dict[str, str]:
    return {name: reason for reason, names in groups for name in names.split()}


_FOLDERS = _named(
    (VENDORED, "node_modules bower_components jspm_packages .yarn .pnpm-store __pypackages__ site-packages .venv"),
    (VENDORED, ".bundle elm-stuff .dart_tool"),
    (CACHE, "__pycache__ .tox .nox .mypy_cache .pytest_cache .ruff_cache .hypothesis .eggs .ipynb_checkpoints .cache"),
    (CACHE, ".gradle .terraform .terragrunt-cache .parcel-cache .turbo .sass-cache .nyc_output .elixir_ls .metals"),
    (CACHE, ".bloop .direnv .stack-work .zig-cache zig-cache .idea .vs .fleet .angular .serverless deriveddata"),
    (BUILT, ".next .nuxt .output .svelte-kit .docusaurus .vercel .netlify dist-newstyle zig-out htmlcov"),
    (SECRET, ".ssh .gnupg .aws"),
)
_BESIDE = {
    # a folder of this name beside one of these files is what a tool makes of them
    "target": (BUILT, frozenset(("Cargo.toml", "pom.xml", "build.sbt", "project.clj"))),
    "build": (BUILT, frozenset(("build.gradle", "build.gradle.kts", "pubspec.yaml"))),
    "dist": (BUILT, frozenset(("package.json",))),
    "deps": (VENDORED, frozenset(("mix.exs", "rebar.config"))),
}
_EVIDENCE = (
    # what lies in a folder of some name (empty: of any) shows what it is
    ("", VENDORED, frozenset(("pyvenv.cfg", "conda-meta"))),
    ("", CACHE, frozenset(("CACHEDIR.TAG",))),
    ("", BUILT, frozenset(("CMakeCache.txt",))),
    ("vendor", VENDORED, frozenset(("modules.txt", "autoload.php"))),
    ("bundle", VENDORED, frozenset(("ruby",))),
    ("pods", VENDORED, frozenset(("Manifest.lock", "Pods.xcodeproj"))),
    ("carthage", VENDORED, frozenset(("Build", "Checkouts"))),
    (".build", BUILT, frozenset(("checkouts", "workspace-state.json"))),
    ("target", BUILT, frozenset((".rustc_info.json", "test-classes", "maven-status", "global-logging"))),
    ("build", BUILT, frozenset(("CMakeFiles", "build.ninja", "intermediates", "asset-manifest.json"))),
    ("_build", BUILT, frozenset(("dev", "prod", "default", "html", "doctrees"))),
    ("coverage", BUILT, frozenset(("lcov.info", "lcov-report", "coverage-final.json", ".last_run.json"))),
)
_FILES = _named(
    (SECRET, ".env .envrc .netrc _netrc .npmrc .pypirc .git-credentials .htpasswd .pgpass .my.cnf .dockercfg"),
    (SECRET, "id_rsa id_dsa id_ecdsa id_ed25519 credentials.json client_secret.json secrets.json secrets.yml"),
    (SECRET, "secrets.yaml secrets.toml .vault_pass .s3cfg .boto master.key"),
    (LOCK, "package-lock.json npm-shrinkwrap.json pnpm-lock.yaml bun.lockb go.sum go.work.sum gradle.lockfile"),
    (LOCK, "packages.lock.json package.resolved .terraform.lock.hcl conda-lock.yml cabal.project.freeze"),
    (LOCK, "buildscript-gradle.lockfile project.assets.json .package-lock.json"),
    (GENERATED, "aclocal.m4 ltmain.sh libtool.m4 config.guess config.sub depcomp install-sh"),
    (GENERATED, "gradlew gradlew.bat mvnw mvnw.cmd .ds_store thumbs.db"),
)
_SUFFIXES = _named(
    (SECRET, ".env .pem .p12 .pfx .jks .keystore .kdbx .ppk"),
    (LOCK, ".lock"),
    (GENERATED, ".map"),
    (DATA, ".csv .tsv .jsonl .ndjson .svg .snap .parquet .npy .npz .pkl .pickle .arrow .feather .orc .avro .h5 .hdf5"),
    (DATA, ".geojson .topojson .log .dump .diff .patch .po .pot .mo .xlf .xliff .rdb .sqlite .sqlite3 .db .mdb"),
    (DATA, ".dat .tok .ttok .golden .ics .bib .safetensors .gguf .onnx .pt .pth .ckpt .tfrecord .crt .cer .der .csr"),
    (BINARY, ".png .jpg .jpeg .gif .webp .bmp .ico .icns .tif .tiff .psd .ai .eps .heic .avif .xcf .sketch .fig"),
    (BINARY, ".mp3 .mp4 .m4a .mov .avi .mkv .webm .wav .flac .ogg .oga .ogv .opus .ttf .otf .woff .woff2 .eot"),
    (BINARY, ".zip .tar .gz .tgz .bz2 .xz .zst .br .7z .rar .jar .war .ear .aar .apk .ipa .whl .egg .gem .nupkg .deb"),
    (BINARY, ".rpm .dmg .iso .exe .dll .so .dylib .a .lib .o .obj .ko .pdb .class .pyc .pyo .pyd .wasm .bin .elc"),
    (BINARY, ".doc .xls .xlsx .ppt .odt .ods .odp .mobi .rlib .rmeta .hi .beam .swf .fla"),
)
_LARGEST = {"json": 64_000, "yaml": 256_000, "xml": 128_000, "sql": 256_000, "html": 400_000, "ini": 128_000}

_HEADER = re.compile(
    # comments and preprocessor lines before any code, without documentation strings, which may tell of other files
    r"(?:\s++|/\*.*?\*/|<!--.*?-->|--\[\[.*?\]\]|\{-.*?-\}|\(\*.*?\*\)|<\?(?:php|xml)\b[^\n]*"
    r"|(?:\#|//|--|;|%|\"[ ]|dnl\b|@?rem\b|::)[^\n]*)*+",
    re.DOTALL | re.IGNORECASE,
)
_SAYS_GENERATED = re.compile(
    r"@generated\b|<auto-?generated>"
    r"|\bthis (?:\w+ )?(?:file|code|module|class|source|header|script)\b[^.\n]{0,40}\b(?:is|was|has been|were)"
    r" (?:auto(?:matically)?[- ]?|machine[- ]?|programmatically )?generated\b"
    r"|\b(?:auto(?:matically)?|machine)[- ]?generated (?:by|from|with|using)\b"
    r"|\bgenerated (?:automatically|by (?:the protocol buffer|gnu autoconf|automake|cython|swig|bison|flex|re2c|antlr"
    r"|javacc|openapi|swagger|thrift|protoc|tree-sitter|wayland-scanner|gperf))"
    r"|\bgenerated\b.{0,100}\b(?:do not|don't|should not be|never)\s+(?:hand-?|manually\s+)?(?:edit|modif|change)"
    r"|\b(?:do not|don't|never)\s+(?:hand-?|manually\s+)?(?:edit|modify|change)\b.{0,100}\bgenerated\b",
    re.IGNORECASE | re.DOTALL,
)
_GENERATOR = re.compile(
    r"<!-- generated by (?:javadoc|doxygen)|/jazzy\.css|<meta name=.generator. content=.(?:doxygen|docutils|sphinx"
    r"|javadoc|jsdoc|typedoc|docusaurus|hugo|jekyll|mkdocs|vuepress|vitepress|gatsby|rustdoc|pdoc)",
    re.IGNORECASE,
)
_SECRETS = re.compile(
    r"\.env\.(?!(?:.*[._-])?(?:example|sample|template|tmpl|dist|defaults?|schema)$).*|.*\.key"
    r"|client_secret.*\.json|service[-_]account.*\.json|.*\.tfstate(?:\.backup)?|id_(?:rsa|dsa|ecdsa|ed25519)_.*"
)
_MINIFIED = re.compile(r".*(?:[.-]min|\.bundle)\.(?:js|mjs|cjs|css|html)")
_GENERATED = re.compile(
    r".*(?:\.pb\.(?:go|cc|h|gw\.go|validate\.go|swift|dart|ts)|_pb2(?:_grpc)?\.pyi?|_pb\.(?:js|ts|d\.ts|rb)"
    r"|\.(?:g|freezed|gr|config|mocks)\.dart|\.(?:designer|g|g\.i)\.cs|\.generated\.\w+|\.gen\.\w+"
    r"|_generated\.(?:h|go|rs|ts|cs)|\.pbobjc\.[hm]|\.tab\.[ch]|\.yy\.[ch])|zz_generated\..*"
)


def folder_by_name(name: str, siblings: Collection[str]) -> str | None:
    """Return why a folder is left out, None if neither its name nor what lies beside it says so."""
    lower = name.lower()
    if reason := _FOLDERS.get(lower):
        return reason
    if (found := _BESIDE.get(lower)) and not found[1].isdisjoint(siblings):
        return found[0]
    if lower.endswith(".egg-info"):
        return BUILT
    if lower in ("bin", "obj") and any(sibling.endswith((".csproj", ".fsproj", ".vbproj")) for sibling in siblings):
        return BUILT
    return None


def folder_by_entries(name: str, entries: Collection[str]) -> str | None:
    """Return why a folder is left out, None if nothing that lies in it says so."""
    lower = name.lower()
    for called, reason, signs in _EVIDENCE:
        if called in ("", lower) and not signs.isdisjoint(entries):
            return reason
    if lower == "build" and any(entry.startswith(("bdist.", "temp.", "lib.")) for entry in entries):
        return BUILT
    return None


def file_by_name(name: str) -> str | None:
    """Return why a file is left out, None if its name does not say so."""
    lower = name.lower()
    dot = lower.rfind(".")
    if reason := _FILES.get(lower) or (_SUFFIXES.get(lower[dot:]) if dot >= 0 else None):
        return reason
    if _SECRETS.fullmatch(lower):
        return SECRET
    if dot > 0:
        if _MINIFIED.fullmatch(lower):
            return MINIFIED
        if _GENERATED.fullmatch(lower):
            return GENERATED
    return None


def file_by_size(language: str, size: int, limit: int) -> str | None:
    """Return why a file of so many bytes is left out, None if it is not too large."""
    if size > limit:
        return "too large"
    return DATA if size > _LARGEST.get(language, size) else None


def text_by_content(language: str, text: str) -> str | None:
    """Return why a text is left out, None if nothing in it says so."""
    group = LANGUAGES[language].group if language in LANGUAGES else "code"
    if text.startswith("-----BEGIN ") and "PRIVATE KEY" in text[:100]:
        return SECRET
    if len(text) > 2000:
        average = len(text) / (1 + text.count("\n") + text.count("\r"))
        if average > 400 and (group != "docs" or language == "html" or (average > 5000 and not _is_prose(text))):
            return MINIFIED
    if _says_generated(language, group, text[:3000]):
        return GENERATED
    return None


def _is_prose(text: str) -> bool:
    """Tell whether a text without line ends has words: spaces between them, or Chinese."""
    sample = text[:10_000]
    return sum(sign.isspace() or sign > "\u2e80" for sign in sample) > 0.1 * len(sample)


def _says_generated(language: str, group: str, head: str) -> bool:
    if language == "html":
        return bool(_GENERATOR.search(head))
    if group == "docs" or language == "template" or not ("enerated" in head or "ENERATED" in head):
        return False
    match = _HEADER.match(head)
    header = match.group() if match else ""
    # a database's schema as Rails dumps it is generated, and yet the place where people look it up
    return _SAYS_GENERATED.search(header) is not None and "current state of the database" not in header
