from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeseek import walker
from codeseek.records import Skipped, SourceFile
from codeseek.walker import KnownDirectory, Unreadable, WalkOptions, find_root, read_text, walk

LONG_AGO = 1_600_000_000
DEFAULT = WalkOptions()
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")


def write(root: Path, *paths: str, text: str = "x = 1\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def files(root: Path, options: WalkOptions = DEFAULT, under: str = "") -> list[str]:
    items = walk(root, options, under=PurePosixPath(under))
    return [str(item.path) for item in items if isinstance(item, SourceFile)]


def skipped(root: Path, options: WalkOptions = DEFAULT) -> dict[str, str]:
    return {str(item.path): item.reason for item in walk(root, options) if isinstance(item, Skipped)}


def known(root: Path) -> dict[str, KnownDirectory]:
    """Return the folders as they come back from a store."""
    folders = [item for item in walk(root) if isinstance(item, KnownDirectory)]
    return {str(item.path): KnownDirectory(item.path, *json.loads(json.dumps(item[1:]))) for item in folders}


def age(root: Path, seconds: int = 0) -> None:
    """Make what was changed just now look long unchanged, so that times can be believed."""
    for folder, _, names in os.walk(root):
        for path in (os.path.join(folder, name) for name in [*names, ""]):
            if os.lstat(path).st_mtime > LONG_AGO + 1_000_000:
                os.utime(path, (LONG_AGO + seconds,) * 2, follow_symlinks=False)


def read(root: Path, name: str, data: bytes, language: str = "python") -> str:
    (root / name).write_bytes(data)
    return read_text(root, SourceFile(PurePosixPath(name), len(data), 0, language))


# ---------------------------------------------------------------- which files


def test_files_come_with_their_size_time_and_language(tmp_path: Path) -> None:
    write(tmp_path, "src/a.py", text="hello\n")
    os.utime(tmp_path / "src/a.py", ns=(5, 123_456_789))
    assert [item for item in walk(tmp_path) if isinstance(item, SourceFile)] == [
        SourceFile(PurePosixPath("src/a.py"), 6, 123_456_789, "python")
    ]


def test_the_order_is_always_the_same(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a.py", "z/a.py", "c/z.py", "c/d/a.py", "c/é.py")
    assert files(tmp_path) == ["a.py", "b.py", "c/z.py", "c/é.py", "c/d/a.py", "z/a.py"]


def test_strange_names_are_names_like_others(tmp_path: Path) -> None:
    names = ["a\nb.py", "\x1b[31m.py", " .py", "中文 目录/文件.py", "'\".py", "-rf.py", "*.py"]
    write(tmp_path, *names)
    assert sorted(files(tmp_path)) == sorted(names)


def test_a_name_that_is_not_utf8_is_skipped(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xd6\xd0.py", "wb"):
        pass
    assert skipped(tmp_path) == {os.fsdecode(b"\xd6\xd0.py"): "name is not UTF-8"}


def test_a_script_without_suffix_is_known_by_its_first_line(tmp_path: Path) -> None:
    write(tmp_path, "bin/tool", text="#!/usr/bin/env python3\n")
    write(tmp_path, "bin/other", text="just words\n")
    assert [item.language for item in walk(tmp_path) if isinstance(item, SourceFile)] == ["python"]
    assert skipped(tmp_path) == {"bin/other": "unknown kind of file"}


def test_links_are_never_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, "outside/secret.py", "root/a.py", "root/sub/b.py")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out.py").symlink_to(tmp_path / "outside/secret.py")
    (root / "twice.py").symlink_to("a.py")
    (root / "sub/loop").symlink_to("..")
    (root / "dangling.py").symlink_to("nowhere")
    assert files(root) == ["a.py", "sub/b.py"]
    assert set(skipped(root).values()) == {"link"}
    assert len(skipped(root)) == 5


def test_pipes_and_sockets_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.py")
        assert skipped(tmp_path) == {"pipe.py": "special file", "socket.py": "special file"}
    with pytest.raises(Unreadable, match="not a regular file"):
        read_text(tmp_path, SourceFile(PurePosixPath("pipe.py"), 1, 0, "python"))


def test_a_large_file_is_skipped_with_its_size(tmp_path: Path) -> None:
    write(tmp_path, "a.py", text="x" * 101)
    write(tmp_path, "b.py", text="x" * 100)
    options = WalkOptions(max_file_bytes=100)
    assert files(tmp_path, options) == ["b.py"]
    [item] = [item for item in walk(tmp_path, options) if isinstance(item, Skipped)]
    assert (item.reason, item.size) == ("too large", 101)


def test_a_folder_that_is_left_out_is_told_once(tmp_path: Path) -> None:
    write(tmp_path, "node_modules/a/b/c.js", "node_modules/d.js", "a.js")
    assert skipped(tmp_path) == {"node_modules": "vendored"}


def test_version_control_is_no_part_of_a_project(tmp_path: Path) -> None:
    write(tmp_path, ".git/hooks/a.py", ".hg/a.py", "a.py")
    assert (files(tmp_path), skipped(tmp_path)) == (["a.py"], {})


@pytest.mark.parametrize(
    ("output", "evidence"),
    [
        ("target/x/a.rs", "Cargo.toml"),
        ("target/x/a.rs", "target/CACHEDIR.TAG"),
        ("dist/a.js", "package.json"),
        ("build/classes/a.java", "build.gradle.kts"),
        ("build/a.c", "build/CMakeCache.txt"),
        ("build/lib/a.py", "build/bdist.linux-x86_64/x"),
        ("vendor/github.com/x/a.go", "vendor/modules.txt"),
        ("vendor/x/a.php", "vendor/autoload.php"),
        ("env/lib/a.py", "env/pyvenv.cfg"),
        ("bin/Debug/a.cs", "app.csproj"),
        ("deps/x/a.ex", "mix.exs"),
    ],
)
def test_a_tool_s_output_is_left_out_where_there_is_evidence_of_the_tool(
    tmp_path: Path, output: str, evidence: str
) -> None:
    write(tmp_path, f"apart/{output}")
    assert files(tmp_path) == [f"apart/{output}"]
    write(tmp_path, output, evidence)
    assert output not in files(tmp_path)
    assert skipped(tmp_path)[output.partition("/")[0]] in ("build output", "vendored", "cache")


def test_only_a_folder_and_what_is_below_is_walked_when_asked(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "docs/deep/b.md", "docs2/c.md", "d.md")
    (tmp_path / ".gitignore").write_text("b.md\n")
    assert files(tmp_path, under="docs") == ["docs/a.md"]
    folder, file = walk(tmp_path, under=PurePosixPath("docs/deep"))
    assert isinstance(folder, KnownDirectory)
    assert isinstance(file, Skipped)
    assert (str(folder.path), str(file.path)) == ("docs/deep", "docs/deep/b.md")


def test_files_that_are_current_come_as_their_paths_alone(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "b.py")
    asked = []

    def is_current(path: str, size: int, mtime_ns: int, language: str) -> bool:
        asked.append((path, size, mtime_ns, language))
        return path == "docs/a.md"

    current, other = [item for item in walk(tmp_path, is_current=is_current) if isinstance(item, str | SourceFile)][
        ::-1
    ]
    assert current == "docs/a.md"
    assert isinstance(other, SourceFile)
    assert (str(other.path), *other[1:]) in asked
    assert len(asked) == 2


def test_a_folder_within_one_that_is_left_out_stays_left_out_when_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "vendor/modules.txt", "vendor/x/a.go", "node_modules/x/a.js", "secret/x/a.py", "gone/x.py")
    (tmp_path / ".gitignore").write_text("/secret/\n")
    for folder, top in (("vendor/x", "vendor"), ("node_modules/x", "node_modules"), ("secret/x", "secret")):
        [item] = walk(tmp_path, under=PurePosixPath(folder))
        assert isinstance(item, Skipped)
        assert str(item.path) == top
    assert list(walk(tmp_path, under=PurePosixPath("nowhere"))) == []


def test_no_link_leads_out_of_the_root_when_a_folder_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "outside/deep/a.py", "root/b.py")
    (tmp_path / "root/link").symlink_to(tmp_path / "outside")
    for under in ("link", "link/deep"):
        [item] = walk(tmp_path / "root", under=PurePosixPath(under))
        assert item == Skipped(PurePosixPath("link"), "link")


def test_deep_folders_are_walked(tmp_path: Path) -> None:
    deep = "d/" * 900
    (tmp_path / deep).mkdir(parents=True)
    write(tmp_path, f"{deep}a.py")
    assert files(tmp_path) == [f"{deep}a.py"]


@as_root
def test_what_may_not_be_read_is_skipped(tmp_path: Path) -> None:
    write(tmp_path, "closed/a.py", "b.py")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "b.py").chmod(0)
    assert skipped(tmp_path) == {"closed": "unreadable: permission denied"}
    with pytest.raises(Unreadable, match="unreadable: permission denied"):
        read_text(tmp_path, SourceFile(PurePosixPath("b.py"), 1, 0, "python"))
    (tmp_path / "closed").chmod(0o700)


def test_an_empty_folder_is_an_empty_walk(tmp_path: Path) -> None:
    assert [type(item) for item in walk(tmp_path)] == [KnownDirectory]


# ---------------------------------------------------------------- what was known


def test_of_known_folders_only_stats_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.py", "b/c.py", "b/tool", "b/node_modules/x.js", "b/package-lock.json")
    age(tmp_path)
    before = known(tmp_path)
    expected = list(walk(tmp_path))

    def forbidden(*_: object) -> Iterator[os.DirEntry[str]]:
        raise AssertionError

    monkeypatch.setattr(os, "scandir", forbidden)
    after = list(walk(tmp_path, known=before))
    folders = [item for item in after if isinstance(item, KnownDirectory)]
    assert all(item is before[str(item.path)] for item in folders)
    assert [item for item in after if item not in folders] == [
        item for item in expected if not isinstance(item, KnownDirectory)
    ]


def test_a_change_of_a_known_file_is_seen(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    age(tmp_path)
    before = known(tmp_path)
    write(tmp_path, "a.py", text="longer than before\n")
    [item] = [item for item in walk(tmp_path, known=before) if isinstance(item, SourceFile)]
    assert item.size == 19
    write(tmp_path, "a.py", text="x" * 2_000_000)
    assert [item.reason for item in walk(tmp_path, known=before) if isinstance(item, Skipped)] == ["too large"]


def test_a_folder_that_was_listed_in_the_moment_of_its_change_is_listed_again(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    before = known(tmp_path)
    times = (tmp_path.stat().st_atime_ns, tmp_path.stat().st_mtime_ns)
    write(tmp_path, "b.py")
    os.utime(tmp_path, ns=times)
    before = {path: item._replace(ctime_ns=tmp_path.stat().st_ctime_ns) for path, item in before.items()}
    # so it is where a clock ticks seldom
    assert [item.path.name for item in walk(tmp_path, known=before) if isinstance(item, SourceFile)] == ["a.py", "b.py"]


def test_a_folder_in_the_place_of_another_is_listed_again(tmp_path: Path) -> None:
    write(tmp_path, "a/old.py", "b/new.py")
    age(tmp_path)
    before = known(tmp_path)
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "b").rename(tmp_path / "a")
    age(tmp_path)
    assert [item.path.name for item in walk(tmp_path, known=before) if isinstance(item, SourceFile)] == ["new.py"]


def test_other_rules_make_known_folders_worthless(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "x/b.py", "x/y/c.py")
    write(tmp_path, ".gitignore", text="")
    age(tmp_path)
    before = known(tmp_path)
    (tmp_path / ".gitignore").write_text("c.py\n")
    after = {item.path.name for item in walk(tmp_path, known=before) if isinstance(item, SourceFile)}
    assert after == {"a.py", "b.py"}
    options = WalkOptions(ignore=("b.py",))
    after = {item.path.name for item in walk(tmp_path, options, before) if isinstance(item, SourceFile)}
    assert after == {"a.py"}


def test_a_script_without_suffix_that_changes_is_looked_into_again(tmp_path: Path) -> None:
    write(tmp_path, "tool", text="words\n")
    age(tmp_path)
    before = known(tmp_path)
    write(tmp_path, "tool", text="#!/bin/sh\n")
    items = list(walk(tmp_path, known=before))
    assert [item.language for item in items if isinstance(item, SourceFile)] == ["bash"]
    assert items[0] is not before["."]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "remove", "folder", "ignore", "rename", "link"]),
        st.sampled_from(["a", "b.py", "c/a.py", "c/d/a.py", "c/d", "vendor/modules.txt", "vendor/a.go", "c/tool"]),
        st.sampled_from(["x = 1\n", "#!/bin/sh\n", "a.py\n", "/c/d\n!b.py\n", "*.go\n", "y" * 70_000]),
    ),
    max_size=12,
)


def change(root: Path, kind: str, path: str, text: str) -> None:
    target = root / path
    if kind == "write":
        write(root, path, text=text)
    elif kind == "folder":
        target.mkdir(parents=True)
    elif kind == "ignore":
        write(root, f"{path}/.gitignore", text=text)
    elif kind == "link":
        target.symlink_to(text[:5])
    elif kind == "rename":
        target.rename(root / "renamed")
    elif target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDITS, min_size=1, max_size=4))
def test_a_walk_with_what_was_known_equals_a_fresh_one(rounds: list[list[tuple[str, str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        before: dict[str, KnownDirectory] = {}
        for number, edits in enumerate(rounds):
            for edit in edits:
                try:
                    change(root, *edit)
                except OSError:
                    continue
            age(root, number)
            fresh = [item for item in walk(root) if not isinstance(item, KnownDirectory)]
            again = list(walk(root, known=before))
            assert [item for item in again if not isinstance(item, KnownDirectory)] == fresh
            before = {str(item.path): item for item in again if isinstance(item, KnownDirectory)}


# ---------------------------------------------------------------- reading


def test_text_keeps_its_line_ends_and_loses_its_mark(tmp_path: Path) -> None:
    assert read(tmp_path, "a.py", b"\xef\xbb\xbfa\r\nb\rc\n\x0cd") == "a\r\nb\rc\n\x0cd"


def test_an_empty_file_is_an_empty_text(tmp_path: Path) -> None:
    assert read(tmp_path, "a.py", b"") == ""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x7fELF\x02\x00\x00", "binary"),
        (b"%PDF-1.7 words", "binary"),
        (b"var a=1;" * 1000, "minified"),
        (b"// Code generated by x. DO NOT EDIT.\npackage x\n", "generated"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMII\n", "secret"),
    ],
)
def test_what_shows_only_inside_is_told_when_reading(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        read(tmp_path, "a.go", data, "go")


def test_a_file_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no such file"):
        read_text(tmp_path, SourceFile(PurePosixPath("a.py"), 1, 0, "python"))


def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "a.py").symlink_to("outside")
    with pytest.raises(Unreadable):
        read_text(tmp_path, SourceFile(PurePosixPath("a.py"), 6, 0, "python"))


def test_a_file_that_grew_without_measure_is_read_only_so_far(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words\n" * 100_000)
    assert len(read_text(tmp_path, SourceFile(PurePosixPath("a.txt"), 6, 0, "text"))) < 100_000


# ---------------------------------------------------------------- the root


def test_the_root_is_the_nearest_repository_above(tmp_path: Path) -> None:
    (tmp_path / "a/.git").mkdir(parents=True)
    (tmp_path / "a/b/c").mkdir(parents=True)
    assert find_root(tmp_path / "a/b/c") == tmp_path / "a"
    (tmp_path / "a/b/.git").write_text("gitdir: ../.git/modules/b\n")
    assert find_root(tmp_path / "a/b/c") == tmp_path / "a/b"
    (tmp_path / "a/b/c/.codeseek.toml").write_text("")
    assert find_root(tmp_path / "a/b/c") == tmp_path / "a/b/c"


def test_without_a_mark_above_a_folder_is_its_own_root(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert find_root(tmp_path / "a/b") == tmp_path / "a/b"


def test_the_home_folder_is_never_found_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "notes").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_root(tmp_path / "notes") == tmp_path / "notes"
    assert find_root(tmp_path) == tmp_path


def test_the_marker_is_the_project_s_settings_file() -> None:
    from codeseek.settings import PROJECT_FILE

    assert walker.MARKER == PROJECT_FILE
