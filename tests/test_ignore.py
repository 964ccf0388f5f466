from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeseek import ignore
from codeseek.ignore import Rules
from codeseek.records import Skipped, SourceFile
from codeseek.walker import KnownDirectory, WalkOptions, walk

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git itself is what we compare with")


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True).stdout


def left(root: Path, *patterns: str) -> set[str]:
    """Return the files that the rules leave, whether they are worth indexing or not."""
    items = walk(root, WalkOptions(ignore=patterns))
    return {
        str(item.path)
        for item in items
        if not isinstance(item, KnownDirectory | str) and not (isinstance(item, Skipped) and item.reason == "ignored")
    }


def write(root: Path, **files: str) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def touch(root: Path, *paths: str) -> None:
    write(root, **dict.fromkeys(paths, ""))


# ---------------------------------------------------------------- git is the judge

NAMES = st.sampled_from(["a", "b", "ab", "abc", "a.b", ".a", "A", "é", "a b", "a ", "#", "!", "[", "a*", "-", "aé.b"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from(
    [
        *"a b c ab . * ** *** / ? **/ /** \\ \\* \\/ ! # é A -".split(),
        *"[ab] [!a] [^b] [a-c] []a] [ [a [a-] [\\]] [[:alpha:]] [[:x:]]".split(),
        *(" ", "\\ ", "\t"),
    ]
)
PATTERNS = st.lists(PIECES, min_size=1, max_size=6).map("".join)
IGNORE_FILES = st.lists(PATTERNS, max_size=8).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(lines))
)


@needs_git
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paths=st.lists(PATHS, min_size=5, max_size=40),
    ignore_files=st.dictionaries(st.sampled_from(["", "a/", "b/", "a/b/"]), IGNORE_FILES, min_size=1, max_size=3),
    exclude=IGNORE_FILES,
    excludes_file=IGNORE_FILES,
)
def test_what_is_left_is_what_git_leaves(
    paths: list[str], ignore_files: dict[str, str], exclude: str, excludes_file: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        git(root, "init", "--quiet", "--template=")
        for path in paths:
            try:
                touch(root, path)
            except OSError:  # one path's file is another's folder
                continue
        for folder, text in ignore_files.items():
            if (root / folder).is_dir():
                (root / folder / ".gitignore").write_bytes(text.encode())
        (root / ".git/info").mkdir()
        (root / ".git/info/exclude").write_bytes(exclude.encode())
        config = Path(os.environ["XDG_CONFIG_HOME"]) / "git"
        config.mkdir(parents=True, exist_ok=True)
        (config / "ignore").write_bytes(excludes_file.encode())
        listed = git(root, "ls-files", "--others", "--exclude-standard", "-z").decode("utf-8", "surrogateescape")
        assert left(root) == {path for path in listed.split("\0") if path}


BRACKETS = [
    *"[ab] [!a] [^a] [a-c] [c-a] []a] [!]a] [a-] [-a] [a [ [] [!] [\\]] [\\a-c] [a-\\c] [a\\ [a-\\".split(),
    *(f"[[:{name}:]]" for name in "alnum alpha blank cntrl digit graph lower print punct space upper xdigit x".split()),
    *("[[:]", "[[:a]", "[[:alpha]", "[[::]]", "[![:digit:]]", "[[:digit:]a-]", "[[:alpha", "[[a]", "*[ab]*", "?[^b]?"),
]


@needs_git
def test_brackets_mean_what_they_mean_to_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--template=")
    signs = [chr(code) for code in range(1, 127) if chr(code) not in "/."]
    for number, pattern in enumerate(BRACKETS):
        folder = f"f{number:02}"
        touch(tmp_path, *(f"{folder}/{sign}" for sign in signs), f"{folder}/abc", f"{folder}/a-b", f"{folder}/é")
        (tmp_path / folder / ".gitignore").write_text(f"{pattern}\n")
    listed = git(tmp_path, "ls-files", "--others", "--exclude-standard", "-z").decode("utf-8", "surrogateescape")
    assert left(tmp_path) == {path for path in listed.split("\0") if path}


@needs_git
def test_brackets_mean_what_they_mean_to_git_where_it_ignores_case(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--template=")
    git(tmp_path, "config", "core.ignorecase", "true")
    for number, pattern in enumerate(BRACKETS):
        folder = f"f{number:02}"
        touch(tmp_path, *(f"{folder}/{sign}" for sign in "aBcxZ09_-~ é"), f"{folder}/ABC", f"{folder}/a-B")
        (tmp_path / folder / ".gitignore").write_text(f"{pattern}\n")
    listed = git(tmp_path, "ls-files", "--others", "--exclude-standard", "-z").decode("utf-8", "surrogateescape")
    assert left(tmp_path) == {path for path in listed.split("\0") if path}


@needs_git
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATTERNS.filter(lambda pattern: "/" not in pattern), st.lists(NAMES, min_size=3, max_size=8, unique=True))
def test_where_git_ignores_case_we_do(pattern: str, names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        git(root, "init", "--quiet", "--template=")
        git(root, "config", "core.ignorecase", "true")
        touch(root, *names)
        (root / ".gitignore").write_text(f"{pattern}\nB\n*.B\n")
        listed = git(root, "ls-files", "--others", "--exclude-standard", "-z").decode("utf-8", "surrogateescape")
        assert left(root) == {path for path in listed.split("\0") if path}


# ---------------------------------------------------------------- by hand


def test_the_last_matching_pattern_decides(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "b.txt", "c.txt")
    write(tmp_path, **{".gitignore": "*.txt\n!b.txt\n!c.txt\nc.txt\n"})
    assert left(tmp_path) == {".gitignore", "b.txt"}


def test_what_lies_in_an_ignored_folder_cannot_be_taken_in_again(tmp_path: Path) -> None:
    touch(tmp_path, "build/a.txt", "logs/a.txt")
    write(tmp_path, **{".gitignore": "build/\n!build/a.txt\nlogs/*\n!logs/a.txt\n"})
    assert left(tmp_path) == {".gitignore", "logs/a.txt"}


def test_a_nested_ignore_file_is_stronger_and_counts_only_below(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.txt", "y/a.txt", "x/deep/b.txt", "b.txt")
    write(tmp_path, **{".gitignore": "a.txt\n", "x/.gitignore": "!a.txt\n/deep/b.txt\n"})
    assert left(tmp_path) == {".gitignore", "b.txt", "x/.gitignore", "x/a.txt"}


def test_ignore_files_count_without_git(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "b.txt")
    write(tmp_path, **{".gitignore": "a.txt"})
    assert left(tmp_path) == {".gitignore", "b.txt"}


def test_our_own_ignore_file_lies_on_top_of_git_s(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "b.txt", "kept/c.txt")
    write(tmp_path, **{".gitignore": "a.txt\nkept/\n", ".codeseekignore": "b.txt\n!kept/\n"})
    assert left(tmp_path) == {".gitignore", ".codeseekignore", "kept/c.txt"}


def test_patterns_given_by_hand_are_the_strongest(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "x/b.txt", "x/c.txt")
    write(tmp_path, **{".codeseekignore": "a.txt\n"})
    assert left(tmp_path, "!a.txt", "x/*", "!/x/c.txt") == {".codeseekignore", "a.txt", "x/c.txt"}


def test_a_folder_that_our_own_rules_take_in_is_walked_even_if_it_looks_vendored(tmp_path: Path) -> None:
    touch(tmp_path, "node_modules/ours/a.js", "package-lock.json")
    assert left(tmp_path) == {"node_modules", "package-lock.json"}
    write(tmp_path, **{".codeseekignore": "!node_modules/\n"})
    assert [str(item.path) for item in walk(tmp_path) if isinstance(item, SourceFile)] == ["node_modules/ours/a.js"]


def test_the_user_s_excludes_file_is_found_in_git_s_settings(tmp_path: Path) -> None:
    root, home = tmp_path / "root", Path(os.environ["HOME"])
    touch(root, "a.txt", "b.swp", "c.orig", "d.bak")
    (home / ".gitconfig").write_text(
        '[user]\n\tname = X\n[core "x"]\nexcludesFile = wrong\n'
        '[include]\n\tpath = "more config" ; there it is\n[includeIf "gitdir:/x"]\n path = wrong\n'
    )
    (home / "more config").write_text('[Core] # comment\n  excludesfile = ~/my\\\n \\"ignore\\" # so it is called\n')
    (home / 'my "ignore"').write_text("*.swp\n")
    assert left(root) == {"a.txt", "c.orig", "d.bak"}
    (root / ".git/info").mkdir(parents=True)
    (root / ".git/info/exclude").write_text("*.orig\n")
    assert left(root) == {"a.txt", "d.bak"}
    (root / ".git/config").write_text("[core]\nexcludesFile =\n")
    assert left(root) == {"a.txt", "b.swp", "d.bak"}


def test_a_project_within_a_repository_obeys_the_rules_around_it(tmp_path: Path) -> None:
    touch(tmp_path, "pkg/sub/a.txt", "pkg/sub/b.txt", "pkg/sub/c.txt", "pkg/sub/d.txt")
    (tmp_path / ".git/info").mkdir(parents=True)
    (tmp_path / ".git/info/exclude").write_text("/pkg/sub/d.txt\n")
    write(tmp_path, **{".gitignore": "/pkg/*/a.txt\n", "pkg/.gitignore": "/sub/b.txt\n"})
    assert left(tmp_path / "pkg/sub") == {"c.txt"}


def test_a_project_that_is_itself_ignored_around_it_is_walked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    touch(tmp_path, "scratch/mine/a.txt")
    write(tmp_path, **{".gitignore": "scratch/\n"})
    assert left(tmp_path / "scratch/mine") == {"a.txt"}


def test_a_submodule_has_its_own_rules_and_keeps_ours(tmp_path: Path) -> None:
    touch(tmp_path, "sub/a.txt", "sub/b.txt", "sub/c.txt", "sub/d.txt")
    write(
        tmp_path,
        **{
            ".gitignore": "a.txt\n",
            ".codeseekignore": "b.txt\n",
            "sub/.git": "gitdir: ../.git/modules/sub\n",
            ".git/modules/sub/info/exclude": "/c.txt\n",
        },
    )
    assert left(tmp_path) == {".gitignore", ".codeseekignore", "sub/a.txt", "sub/d.txt"}


@needs_git
def test_a_worktree_s_excludes_lie_with_the_repository(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    main.mkdir()
    git(main, "init", "--quiet")
    git(main, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "--allow-empty", "-m", "x")
    git(main, "worktree", "add", "--quiet", str(tree))
    (main / ".git/info/exclude").write_text("a.txt\n")
    touch(tree, "a.txt", "b.txt")
    assert left(tree) == {"b.txt"}


def test_an_ignore_file_that_is_a_link_a_pipe_or_a_folder_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("a.txt\n")
    touch(tmp_path, "a.txt", "x/a.txt", "y/a.txt")
    (tmp_path / ".gitignore").symlink_to("rules")
    os.mkfifo(tmp_path / "x/.gitignore")
    (tmp_path / "y/.gitignore").mkdir()
    assert {"a.txt", "x/a.txt", "y/a.txt"} <= left(tmp_path)


@pytest.mark.parametrize(
    "pattern", ["*a" * 30 + "b", "**/a" * 30 + "/b", "a*" * 15 + "**/" * 15 + "*b", "*?" * 40 + "x"]
)
@pytest.mark.timeout(20)  # were it exponential, it would take for ever
def test_no_pattern_takes_long(pattern: str) -> None:
    assert Rules(pattern.encode()).verdict("a/" * 100 + "a" * 200, "a" * 200, is_folder=False) is None


def test_thousands_of_patterns_are_no_trouble(tmp_path: Path) -> None:
    touch(tmp_path, *(f"file{number}.txt" for number in range(200)))
    kinds = ["name{}", "*.x{}", "/at/path{}", "pre*{}x", "a/*/b{}"]
    lines = [kinds[number % 5].format(number) for number in range(3000)]
    write(tmp_path, **{".gitignore": "\n".join([*lines, "file7*.txt"])})
    assert len(left(tmp_path)) == 201 - 11


def test_rules_are_about_paths_below_their_folder() -> None:
    rules = Rules(b"/x/*.py\n", "sub/")
    assert rules.verdict(str(PurePosixPath("sub/x/a.py")), "a.py", is_folder=False)
    assert rules.verdict("sub/y/x/a.py", "a.py", is_folder=False) is None


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer sends signals here")
def test_no_interrupt_is_lost_while_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"text\n" * 20)
    arrived = 0

    def interrupt(*_: object) -> None:
        nonlocal arrived
        arrived += 1
        raise KeyboardInterrupt

    def read_until(number: int) -> None:
        while arrived < number:
            assert ignore.read_regular(f"{tmp_path}/a.py") == b"text\n" * 20

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for number in range(1, 301):
            signal.setitimer(signal.ITIMER_REAL, 0.0005 + number * 1e-6)
            with pytest.raises(KeyboardInterrupt):
                read_until(number)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(bytes(range(256)) * 300)
    (tmp_path / "empty.py").touch()
    assert ignore.read_regular(f"{tmp_path}/a.py") == bytes(range(256)) * 300
    assert ignore.read_regular(f"{tmp_path}/a.py", 1000) == (bytes(range(256)) * 4)[:1000]
    assert ignore.read_regular(f"{tmp_path}/empty.py") == b""
    with pytest.raises(OSError, match="not a regular file"):
        ignore.read_regular(str(tmp_path))
