"""The command line: what is asked of the engine, what is said on which stream, and with which status."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import pytest

from codeseek import __version__, settings
from codeseek.cli import main
from codeseek.errors import BusyError, ConfigError, ProjectError, StoreError
from codeseek.records import UNFINISHED, Progress, RefreshSummary, SearchRequest, SimilarRequest
from fake_engine import RESULT, FakeEngine


@dataclass
class Done:
    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def run(engine: FakeEngine, project: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command line on the fake engine in a small project."""

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        status = main(arguments, engine.open)
        return Done(status, *capfd.readouterr())

    return run


def asked(engine: FakeEngine) -> SearchRequest:
    request = engine.requests[-1]
    assert isinstance(request, SearchRequest)
    return request


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "codeseek", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, check=False, timeout=30)


# ------------------------------------------------------------ what is asked


@pytest.mark.parametrize(
    "words", [("search", "how is auth done"), ("how is auth done",), ("how", "is", "auth", "done")], ids=str
)
def test_a_query_needs_neither_command_nor_quotes(words: tuple[str, ...], run: Run, engine: FakeEngine) -> None:
    assert run(*words).status == 0
    assert asked(engine) == SearchRequest("how is auth done")


@pytest.mark.parametrize(
    ("words", "text", "query", "limited"),
    [
        ((), "how is auth done\n", "how is auth done", {}),
        ((), "def f(kind: str):\n\treturn path:x\x1b lang:go\n", "def f(kind: str): return path:x lang:go", {}),
        (("lang:py",), "a = 1", "a = 1", {"languages": ("python",)}),
        (("tests", "of", "-path:docs"), "a = 1", "tests of a = 1", {"exclude": ("docs",)}),
        (("src",), "a = 1", "a = 1", {"paths": ("src/**",)}),
        (("like", "src"), "ÿ缓存", "like ÿ缓存", {"paths": ("src/**",)}),
    ],
)
def test_a_question_or_code_is_read_from_standard_input(
    words: tuple[str, ...],
    text: str,
    query: str,
    limited: dict[str, tuple[str, ...]],
    run: Run,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("--stdin", *words).status == 0
    assert asked(engine) == SearchRequest(query)._replace(**limited)  # type: ignore[arg-type]


def test_nothing_on_standard_input_is_no_question(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b" \n")))
    done = run("--stdin")
    assert (done.status, "the query is empty" in done.err) == (2, True)


def test_a_first_word_that_is_a_command_is_the_command(run: Run, engine: FakeEngine, project: Path) -> None:
    run("status")
    assert engine.calls == ["status", "close"]
    run("-C", str(project / "src"), "--color=never", "status")
    assert engine.calls == ["status", "close"] * 2
    run("search", "status")
    assert asked(engine).query == "status"
    run("-n", "3", "status")
    assert asked(engine) == SearchRequest("status", limit=3)


def test_options_and_filters_in_the_query_narrow_together(run: Run, engine: FakeEngine) -> None:
    run(
        *("--lang", "py,go", "--kind", "function", "--path", "src/**", "--path", "!*.md", "--exclude", "old/**"),
        *("-n", "5", "--per-file", "2", "--why"),
        *("retry", "lang:rust", "kind:section", "path:docs", "-path:tests"),
    )
    assert asked(engine) == SearchRequest(
        "retry",
        limit=5,
        languages=("python", "go", "rust"),
        kinds=("function", "section"),
        paths=("src/**", "docs"),
        exclude=("*.md", "old/**", "tests"),
        per_file=2,
        explain=True,
    )
    run("--changed", "2026-01-01", "retry", "changed:2026-01-02")
    assert asked(engine).changed_since == datetime.fromisoformat("2026-01-02").astimezone().timestamp()


def test_the_last_word_is_a_path_if_it_is_a_folder_and_not_the_only_word(run: Run, engine: FakeEngine) -> None:
    run("retry", "docs")
    assert (asked(engine).query, asked(engine).paths) == ("retry", ("docs/**",))
    run("docs")
    assert (asked(engine).query, asked(engine).paths) == ("docs", ())
    run("retry docs")
    assert (asked(engine).query, asked(engine).paths) == ("retry docs", ())
    run("retry", ".")
    assert (asked(engine).query, asked(engine).paths) == ("retry", ())


def test_patterns_are_meant_from_the_folder_that_is_searched(run: Run, engine: FakeEngine) -> None:
    run("--path", "*.md", "--path", "a/b", "--exclude", "old", "retry", "docs")
    assert asked(engine).paths == ("docs/**/*.md", "docs/a/b")
    assert asked(engine).exclude == ("docs/**/old",)


def test_a_subfolder_shares_the_index_of_its_project(
    run: Run, engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "src")
    done = run("retry")
    assert engine.opened[0][0] == project
    assert asked(engine).paths == ()
    assert done.out.startswith("store.py:12")


def test_another_project_is_named_with_an_option(run: Run, engine: FakeEngine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    assert run("-C", str(other), "retry").out.startswith("../other/src/store.py:12")
    assert engine.opened[0][0] == other


def test_similar_asks_for_a_place_in_the_project(
    run: Run, engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "src")
    for place in ("store.py:12", "store.py:12:5", str(project / "src" / "store.py") + ":12"):
        assert run("similar", place, "--lang", "python").status == 0
        assert engine.requests[-1] == SimilarRequest(PurePosixPath("src/store.py"), 12, languages=("python",))


def test_a_blank_line_means_the_line_with_text_next_to_it(run: Run, engine: FakeEngine, project: Path) -> None:
    (project / "a.py").write_text("x = 1\n\n\n\ny = 2\n\n")
    for line, meant in ((1, 1), (2, 1), (3, 5), (4, 5), (6, 5)):
        run("similar", f"a.py:{line}")
        assert engine.requests[-1] == SimilarRequest(PurePosixPath("a.py"), meant)


def test_a_line_of_a_document_is_one_of_the_text_that_was_read_out_of_it(
    run: Run, engine: FakeEngine, project: Path
) -> None:
    (project / "a.docx").write_bytes(b"PK\x03\x04\n\n")
    assert run("similar", "a.docx:57").status == 0
    assert engine.requests[-1] == SimilarRequest(PurePosixPath("a.docx"), 57)


def test_index_is_limited_to_a_folder_that_is_named(run: Run, engine: FakeEngine) -> None:
    run("index")
    run("index", ".")
    run("index", "docs", "--workers", "1")
    assert [call for call in engine.calls if call != "close"] == ["refresh", "refresh", "refresh docs"]
    assert engine.opened[-1][1].workers == 1


def test_the_engine_is_closed_whatever_happens(run: Run, engine: FakeEngine) -> None:
    for error in (StoreError("no"), KeyboardInterrupt(), RuntimeError("bug")):
        engine.search_error = error
        run("retry")
        assert engine.calls[-1] == "close"


# ------------------------------------------------------------ refreshing first


def test_a_search_refreshes_the_index_first(run: Run, engine: FakeEngine) -> None:
    run("retry")
    assert engine.calls == ["refresh", "search", "close"]


def test_a_search_can_be_told_not_to_refresh(run: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    run("retry", "--no-refresh")
    monkeypatch.setenv("CODESEEK_REFRESH", "no")
    run("retry")
    assert engine.calls == ["search", "close"] * 2


def test_the_first_search_says_that_it_indexed(run: Run, engine: FakeEngine) -> None:
    engine.summary = RefreshSummary(added=2, skipped=1, chunks=9, elapsed_s=0.31)
    engine.progress = [Progress("scan", 3), Progress("index", 1, 2, 5), Progress("index", 2, 2, 9)]
    done = run("retry")
    assert done.err.splitlines()[0] == "codeseek: indexed 2 files, 9 chunks in 0.3 s (1 skipped)"
    assert "\r" not in done.err


def test_an_index_that_another_process_writes_still_answers(run: Run, engine: FakeEngine) -> None:
    engine.refresh_error = BusyError("another process is writing this index", "wait")
    done = run("retry")
    assert done.status == 0
    assert "index unknown" in done.err
    assert "codeseek: not refreshed: another process is writing this index" in done.err
    assert run("retry", "--strict").status == 3
    assert json.loads(run("retry", "--format", "json").out)["degraded"] == [
        "not refreshed: another process is writing this index"
    ]


@pytest.mark.parametrize("reason", [UNFINISHED, f"other: {UNFINISHED}"], ids=["one", "several"])
@pytest.mark.parametrize(
    "words", [("retry",), ("retry", "--format", "json"), ("retry", "-l"), ("context", "retry")], ids=str
)
def test_nothing_found_in_a_first_index_that_another_process_writes_is_a_failure(
    words: tuple[str, ...], reason: str, run: Run, engine: FakeEngine
) -> None:
    engine.refresh_error = BusyError("another process is writing this index", "wait")
    engine.result = RESULT._replace(degraded=(reason,))
    assert run(*words).status == 0
    engine.hits = ()
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("codeseek: nothing found yet: another process is writing this index\n  hint: wait")
    engine.refresh_error = None
    assert run(*words).status == 1
    engine.refresh_error = BusyError("another process is writing this index", "wait")
    engine.result = RESULT
    assert run(*words).status == 1


def test_the_reason_for_no_index_is_given_rather_than_its_absence(run: Run, engine: FakeEngine) -> None:
    engine.refresh_error = StoreError("the disk is full", "make room")
    engine.search_error = StoreError("there is no index")
    done = run("retry")
    assert (done.status, done.out) == (2, "")
    assert done.err == "codeseek: the disk is full\n  hint: make room\n"


# ------------------------------------------------------------ streams and statuses


def test_hits_go_to_stdout_and_their_footer_to_stderr(run: Run) -> None:
    done = run("retry")
    assert done.status == 0
    assert done.out.startswith("src/store.py:12  Store.replace")
    assert done.err.startswith("2 hits in 12 ms · index fresh (")
    assert done.err.endswith(" d ago) · bundled\n")


@pytest.mark.parametrize("name", ["json", "jsonl", "vimgrep", "paths", "markdown", "sarif"])
def test_formats_for_programs_leave_stderr_empty(name: str, run: Run) -> None:
    done = run("retry", "--format", name)
    assert done.out
    assert done.err == ""


def test_files_alone_are_listed_by_a_flag(run: Run) -> None:
    assert run("retry", "-l").out == "src/store.py\ndocs/说明.md\n"
    assert run("retry", "-0").out == "src/store.py\0docs/说明.md\0"


def test_nothing_found_has_its_own_status(run: Run, engine: FakeEngine) -> None:
    engine.hits = ()
    done = run("retry", "--strict")
    assert (done.status, done.out) == (1, "")
    assert "codeseek: nothing found\n  hint: use other words" in done.err
    assert "search without filters" in run("retry", "--lang", "go").err


@pytest.mark.parametrize("change", [{"freshness": "stale"}, {"degraded": ("words only",)}])
def test_weak_hits_have_their_own_status_where_asked(change: dict[str, object], run: Run, engine: FakeEngine) -> None:
    engine.result = RESULT._replace(**change)  # type: ignore[arg-type] # one field
    assert run("retry").status == 0
    assert run("retry", "--strict").status == 3
    assert "codeseek: " in run("retry", "--format", "paths").err


@pytest.mark.parametrize("error", [ProjectError("no", "do"), ConfigError("no", "do"), StoreError("no", "do")])
def test_an_error_is_a_message_with_a_hint(error: Exception, run: Run, engine: FakeEngine) -> None:
    engine.search_error = error
    done = run("retry", "--no-refresh")
    assert (done.status, done.out, done.err) == (2, "", "codeseek: no\n  hint: do\n")


def test_a_bug_shows_its_traceback_and_is_not_taken_for_nothing_found(run: Run, engine: FakeEngine) -> None:
    engine.search_error = ZeroDivisionError("oops")
    done = run("retry")
    assert done.status == 2
    assert "Traceback" in done.err
    assert "ZeroDivisionError: oops" in done.err


def test_an_interrupt_keeps_what_is_done(run: Run, engine: FakeEngine) -> None:
    engine.refresh_error = KeyboardInterrupt()
    done = run("index")
    assert done.status == 130
    assert "codeseek: interrupted\n  hint: what is done is kept\n" in done.err


def test_a_message_cannot_steer_the_terminal(run: Run) -> None:
    done = run("similar", "a\x1b]0;x\x07.py:3")
    assert "\x1b" not in done.err
    assert "\\x1b]0;x\\x07" in done.err


# ------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("search",), "the query is empty", "say what to look for"),
        (("",), "the query is empty", "say what to look for"),
        (("lang:python",), "the query has only filters", "add words that say what to look for"),
        (("context", "-path:tests", "path:src"), "the query has only filters", "add words"),
        (("???",), "the query `???` has no word in it", "use a letter"),
        (("🚀🔥",), "the query `🚀🔥` has no word in it", "use a letter"),
        (("x", "--lang", "pyhton"), "unknown language `pyhton`", "did you mean `python`?"),
        (("x", "--kind", "functoin"), "unknown kind `functoin`", "did you mean `function`?"),
        (("x", "--fromat", "json"), "no such option", "`codeseek search --help`"),
        (("x", "--format", "xml"), "`xml` is not one of", "`codeseek search --help`"),
        (("x", "-n", "0"), "0 is not in the range", "`codeseek search --help`"),
        (("x", "-C", "nowhere"), "there is no folder `nowhere`", "spelt"),
        (("index", "nowhere"), "there is no folder `nowhere`", "spelt"),
        (("index", "src/store.py"), "`src/store.py` is not a folder", "name the folder"),
        (("list", "all", "users"), "got unexpected extra arguments (all users)", "begin with `codeseek search`"),
        (("similar",), "missing argument", "`codeseek similar --help`"),
        (("similar", "src/store.py"), "`src/store.py` names no line", "PATH:LINE"),
        (("similar", "src/store.py:81"), "`src/store.py` has no line 81", "its lines are 1 to 80"),
        (("similar", "src/store.py:0"), "`src/store.py` has no line 0", "its lines are 1 to 80"),
        (("similar", "src/none.py:1"), "there is no file `src/none.py`", "spelt"),
        (("similar", "src:1"), "cannot read `src`: Is a directory", ""),
        (("similar", "src/store.py:1", "-C", "docs/.."), "", ""),
        (("forget",), "there is no index of", "`codeseek list`"),
        (("completions",), "name a shell", "`codeseek completions --help`"),
        (("completions", "tcsh"), "`tcsh` is not one of", "`codeseek completions --help`"),
    ],
)
def test_bad_input_gets_a_message_and_a_hint(arguments: tuple[str, ...], message: str, hint: str, run: Run) -> None:
    done = run(*arguments)
    if not message:
        assert done.status == 0
        return
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("codeseek: ")
    assert message in done.err.splitlines()[0]
    assert hint in done.err


def test_similar_outside_the_project_says_how_to_name_the_project(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("x\n")
    assert "is not in the project" in run("similar", f"{other}:1", "-C", ".").err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_named(run: Run, project: Path) -> None:
    (project / "src").chmod(0)
    done = run("index", "src")
    (project / "src").chmod(0o755)
    assert done.status == 2
    assert "permission denied" in done.err.lower()


@pytest.mark.parametrize("word", ["检索" * 50_000, "x" * 100_000, "word " * 20_000, "🚀a" * 10_000, "a\x1b\x00b\udcff"])
def test_an_odd_query_is_searched_for(word: str, run: Run, engine: FakeEngine) -> None:
    done = run(word)
    assert done.status == 0
    assert len(done.err) < 200
    assert asked(engine).query.isprintable()


def test_an_empty_project_is_told_apart_from_a_failure(run: Run, engine: FakeEngine) -> None:
    engine.summary = RefreshSummary()
    done = run("index")
    assert done.status == 1
    assert "no file worth indexing" in done.err


def test_a_search_does_not_index_the_home_folder_by_accident(
    run: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path.home())
    done = run("retry")
    assert done.status == 2
    assert "is no project" in done.err
    assert engine.calls == []
    settings.load().index_directory(Path.home()).mkdir(parents=True)
    assert run("retry").status == 0


@pytest.mark.parametrize("command", ["tui", "duplicates", "watch", "mcp", "serve --http 127.0.0.1:0"])
@pytest.mark.parametrize("folder", [Path("/"), None], ids=["disk", "home"])
def test_no_command_but_index_indexes_a_whole_disk_or_the_home_folder(
    command: str, folder: Path | None, run: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder or Path.home())
    searched, done = run("retry"), run(*command.split())
    assert (done.status, done.out, done.err) == (2, "", searched.err)
    assert "is no project" in done.err
    assert engine.calls == []


# ------------------------------------------------------------ the other commands


def test_the_program_alone_gives_an_overview(run: Run, engine: FakeEngine) -> None:
    done = run()
    assert done.status == 0
    assert "codeseek how is auth done" in done.out
    assert engine.calls == []


@pytest.mark.parametrize("arguments", [("-h",), ("--help",), ("search", "-h"), ("x", "--help"), ("index", "--help")])
def test_help_is_data(arguments: tuple[str, ...], run: Run) -> None:
    done = run(*arguments)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Usage: codeseek")


def test_status_shows_what_is_indexed_and_why_not(run: Run) -> None:
    done = run("status")
    assert done.status == 0
    for text in ("/project", "fresh", "markdown 1, python 1", "method 5, section 4", "binary 3, too large 1", "exact"):
        assert text in done.out
    told = [line[11:] for line in done.out.splitlines() if line[:11].strip() in ("", "not read")]
    assert (told[0], told[11]) == ("papers/0.pdf: encrypted", "papers/11.pdf: encrypted")
    assert told[12] == "and 2 more: `codeseek status --json`"


def test_status_as_json_has_every_field(run: Run) -> None:
    record = json.loads(run("status", "--json").out)
    assert record["skipped"] == {"binary": 3, "too large": 1}
    assert record["unread"]["papers/13.pdf"] == "encrypted"
    assert record["indexed_at"] == "2023-11-14T22:13:20+00:00"


def test_config_tells_where_each_value_came_from(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".codeseek.toml").write_text('ignore = ["gen/**"]\n')
    monkeypatch.setenv("CODESEEK_LIMIT", "7")
    out = run("config").out
    assert 'ignore = ["gen/**"]\n' in out
    assert f"from {project / '.codeseek.toml'}:1\n" in out
    assert "limit = 7\n  the most hits to show; from CODESEEK_LIMIT\n" in out
    assert json.loads(run("config", "--json").out)["limit"] == {"value": 7, "origin": "CODESEEK_LIMIT"}


def test_a_wrong_setting_stops_every_command_with_its_place(run: Run, project: Path) -> None:
    (project / ".codeseek.toml").write_text("model = 'x'\n")
    for command in (("retry",), ("index",), ("status",), ("config",)):
        done = run(*command)
        assert done.status == 2
        assert f"{project / '.codeseek.toml'}:1: a project may not set `model`" in done.err


def test_a_machine_without_indexes_lists_nothing(run: Run) -> None:
    done = run("list")
    assert (done.status, done.out) == (1, "")
    assert "`codeseek index` makes one" in done.err
    assert run("list", "--json").out == "[]\n"


# ------------------------------------------------------------ the real program


def test_the_version_is_the_packages_own() -> None:
    done = program("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"codeseek {__version__}\n".encode(), b"")


def test_a_closed_pipe_is_no_failure(project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "codeseek", "config"], stdout=closed, stderr=subprocess.PIPE, check=False, timeout=30
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_colours_follow_the_terminal_and_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in run("retry").out
    assert "\x1b[" in run("retry", "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("retry").out
    assert "\x1b[" not in run("retry", "--color", "never").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("retry").out


def test_a_pipe_is_utf8_in_every_locale(project: Path) -> None:
    (project / ".codeseek.toml").write_text('ignore = ["说明/**"]\n', encoding="utf-8")
    done = program("config", LC_ALL="C", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "说明/**" in done.stdout.decode()
