"""Several projects at once: from the shell, with the engine that the full screen has too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from codeseek import settings
from codeseek.cli import formats, main
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal
from codeseek.errors import StoreError, UsageError
from codeseek.everywhere import Everywhere, locate, named
from codeseek.local import LocalEngine
from codeseek.records import Hit, SearchRequest, SimilarRequest
from fake_engine import RESULT, STORE, FakeEngine
from fakes import HashEmbedder

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shelf(tmp_path: Path) -> dict[str, Path]:
    """Return three folders of documents without git, two of them called alike."""
    folders = {"papers": tmp_path / "papers", "notes": tmp_path / "notes", "work-notes": tmp_path / "work" / "notes"}
    for name, root in folders.items():
        (root / "2024").mkdir(parents=True)
        (root / "retries.md").write_text(f"# Retries in {name}\n\nWhen a request fails, {name} try it again.\n")
        (root / "2024" / "old.md").write_text(f"# Caching in {name}\n\n{name} keep answers for a while.\n")
    return folders


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, engine: Callable[..., object] | None = None) -> tuple[int, str, str]:
        capfd.readouterr()
        open_engine = engine or (lambda root, chosen: LocalEngine(root, chosen, HashEmbedder))
        status = main(arguments, open_engine)  # type: ignore[arg-type]
        return status, *capfd.readouterr()

    return run


def hits(output: str) -> list[tuple[str, str]]:
    return [(hit["project"], hit["path"]) for hit in json.loads(output)["hits"]]


# ------------------------------------------------------------ from the shell


def test_folders_without_git_are_indexed_and_searched_together(
    run: Run, shelf: dict[str, Path], tmp_path: Path
) -> None:
    status, _, err = run("index", *map(str, shelf.values()))
    assert status == 0
    assert [line.split()[1] for line in err.splitlines()] == ["papers:", f"{tmp_path.name}-notes:", "work-notes:"]
    found = hits(run("--all", "retries request fails", "--format", "json", "-n", "3")[1])
    assert sorted(project for project, _ in found) == sorted(json_names(run))
    assert {path for _, path in found} == {"retries.md"}


def json_names(run: Run) -> list[str]:
    return [one["name"] for one in json.loads(run("list", "--json")[1])]


def test_projects_are_named_by_their_folders_and_may_be_asked_by_name(run: Run, shelf: dict[str, Path]) -> None:
    run("index", *map(str, shelf.values()))
    names = json_names(run)
    assert len(set(names)) == 3
    assert {"papers", "work-notes"} < set(names)
    other = next(name for name in names if name not in {"papers", "work-notes"})
    found = hits(run("-C", "work-notes", "--project", other, "retries", "--format", "json")[1])
    assert {project for project, _ in found} == {"work-notes", other}
    _, out, _ = run("search", "retries", "--project", "work-notes", "--format", "json")
    assert json.loads(out)["root"] == str(shelf["work-notes"])
    assert {project for project, _ in hits(out)} == {"notes"}
    assert run("status", "--project", "work-notes")[0] == 0


def test_a_name_that_several_projects_have_is_told_in_full(run: Run, shelf: dict[str, Path], tmp_path: Path) -> None:
    run("index", *map(str, shelf.values()))
    (tmp_path / "notes").rename(tmp_path / "away")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "away").rename(tmp_path / "elsewhere" / "notes")
    run("index", str(tmp_path / "elsewhere" / "notes"))
    status, _, err = run("search", "--project", "notes", "retries")
    assert status == 2
    assert "2 projects are called so: `elsewhere-notes`, `work-notes`" in err
    assert "check how it is spelt" in run("search", "--project", "nots", "retries")[2]


def test_a_folder_is_meant_before_a_project_of_its_name(run: Run, shelf: dict[str, Path], tmp_path: Path) -> None:
    run("index", str(shelf["work-notes"]))
    (tmp_path / "here" / "notes").mkdir(parents=True)
    (tmp_path / "here" / "notes" / "a.md").write_text("# Retries here\n\nOf this folder.\n")
    _, out, _ = run("-C", str(tmp_path / "here" / "notes"), "retries", "--format", "json")
    assert json.loads(out)["root"] == str(tmp_path / "here" / "notes")


def test_a_folder_in_an_indexed_one_belongs_to_it(
    run: Run, shelf: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", str(shelf["papers"]))
    monkeypatch.chdir(shelf["papers"] / "2024")
    status, out, _ = run("retries", "--format", "json")
    assert status == 0
    assert json.loads(out)["root"] == str(shelf["papers"])
    assert ("papers", "retries.md") in hits(out)
    monkeypatch.chdir(shelf["notes"] / "2024")
    assert json.loads(run("caching", "--format", "json")[1])["root"] == str(shelf["notes"] / "2024")


def test_every_format_names_the_project(run: Run, shelf: dict[str, Path]) -> None:
    run("index", str(shelf["papers"]), str(shelf["work-notes"]))
    for name in formats.FORMATS:
        _, out, _ = run("--all", "retries", "--format", name)
        assert "papers" in out, name
        assert "notes" in out, name
    _, out, _ = run("--all", "retries", "--format", "vimgrep")
    assert "papers/retries.md:1:1:[papers] # Retries in papers\n" in out
    _, out, _ = run("--all", "retries", "-0")
    assert all((Path.cwd() / path).is_file() for path in out.rstrip("\0").split("\0"))
    _, out, _ = run("--all", "retries", "--format", "sarif")
    (log,) = json.loads(out)["runs"]
    assert log["originalUriBaseIds"]["papers"]["uri"] == f"{shelf['papers'].as_uri()}/"
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in log["results"]]
    assert {"uri": "retries.md", "uriBaseId": "papers"} in places


def test_a_path_pattern_may_begin_with_a_project(run: Run, shelf: dict[str, Path]) -> None:
    run("index", str(shelf["papers"]), str(shelf["notes"]))
    found = hits(run("--all", "caching", "--format", "json", "--path", "papers/2024/**")[1])
    assert found == [("papers", "2024/old.md")]
    found = hits(run("--all", "caching", "-path:papers", "--format", "json")[1])
    assert {project for project, _ in found} == {"notes"}


def test_a_file_that_lies_in_two_projects_is_found_once(run: Run, shelf: dict[str, Path]) -> None:
    run("index", str(shelf["work-notes"]))
    run("index", str(shelf["work-notes"].parent))  # which holds it
    assert set(json_names(run)) == {"notes", "work"}
    out = run("--all", "retries caching", "--format", "json", "--per-file", "5")[1]
    assert sorted(hits(out)) == [("notes", "2024/old.md"), ("notes", "retries.md")]


def test_context_is_gathered_from_several(run: Run, shelf: dict[str, Path]) -> None:
    run("index", str(shelf["papers"]), str(shelf["notes"]))
    status, out, _ = run("context", "--all", "retries", "--tokens", "900")
    assert status == 0
    assert "in `papers`" in out
    assert "in `notes`" in out


def test_changes_are_seen_in_all_of_them(run: Run, shelf: dict[str, Path]) -> None:
    run("index", str(shelf["papers"]), str(shelf["notes"]))
    (shelf["notes"] / "new.md").write_text("# Zebras\n\nA zebra has stripes.\n")
    assert ("notes", "new.md") in hits(run("--all", "zebra stripes", "--format", "json")[1])
    (shelf["notes"] / "new.md").unlink()
    assert ("notes", "new.md") not in hits(run("--all", "zebra stripes", "--format", "json")[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--all", "x"), "no project is indexed"),
        (("--all", "-C", ".", "x"), "exclude each other"),
        (("-C", "nowhere", "x"), "there is no folder `nowhere`"),
        (("-C", ".", "-C", "nowhere", "x"), "there is no folder `nowhere`"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], message: str, run: Run) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_one_project_that_fails_does_not_keep_others_from_being_indexed(run: Run, shelf: dict[str, Path]) -> None:
    def engine(root: Path, chosen: settings.Settings) -> object:
        broken = StoreError("disk full", "make room") if root == shelf["notes"] else None
        return FakeEngine(refresh_error=broken)

    status, _, err = run("index", str(shelf["notes"]), str(shelf["papers"]), engine=engine)
    assert status == 2
    assert "notes: disk full" in err
    assert "papers: up to date" in err


def test_a_place_in_one_project_is_indexed_once(run: Run, shelf: dict[str, Path]) -> None:
    engine = FakeEngine()
    run("index", str(shelf["notes"]), str(shelf["notes"]), engine=engine.open)
    assert engine.calls == ["refresh", "close"]


# ------------------------------------------------------------ the engine


def test_names_are_short_and_differ() -> None:
    roots = [Path("/a/x"), Path("/b/x"), Path("/c/y"), Path("/d/b/x")]
    found = named(roots)
    assert sorted(map(str, found.values())) == sorted(map(str, roots))
    assert found["y"] == Path("/c/y")
    assert set(found) == {"a-x", "b-x", "b-x-2", "y"}
    assert named(reversed(roots)) == found


def test_a_path_is_taken_apart_into_its_project_and_the_rest() -> None:
    assert locate(PurePosixPath("a/b/c.py"), {"a": Path("/x/a")}) == ("a", Path("/x/a"), PurePosixPath("b/c.py"))


def test_hits_are_explained_only_where_that_is_asked_for() -> None:
    several = Everywhere({"one": Path("/one")}, lambda _: FakeEngine())
    assert not any(hit.why for hit in several.search(SearchRequest("x")).hits)
    assert any(hit.why for hit in several.search(SearchRequest("x", explain=True)).hits)


def test_the_likes_of_a_place_are_looked_for_in_its_project() -> None:
    engines = {Path("/one"): FakeEngine(), Path("/two"): FakeEngine()}
    several = Everywhere({root.name: root for root in engines}, engines.__getitem__)
    found = several.similar(SimilarRequest(PurePosixPath("two") / STORE.path, 12))
    assert found.hits[0].chunk.path == PurePosixPath("two") / STORE.path
    assert (engines[Path("/one")].calls, engines[Path("/two")].calls) == ([], ["similar"])
    with pytest.raises(UsageError, match="none of the projects"):
        several.similar(SimilarRequest(STORE.path, 12))


def test_documents_that_could_not_be_read_are_told_with_their_project() -> None:
    several = Everywhere({"one": Path("/one"), "two": Path("/two")}, lambda _: FakeEngine())
    unread = several.status().unread
    assert (len(unread), unread["two/papers/3.pdf"]) == (28, "encrypted")


def test_tokens_are_counted_by_the_model_of_all() -> None:
    several = Everywhere({"one": Path("/one"), "two": Path("/two")}, lambda _: FakeEngine())
    assert several.count_tokens(["a b", "c"]).counts == (2, 1)


def test_a_report_of_several_shows_where_each_file_lies() -> None:
    hit = Hit(STORE._replace(path=PurePosixPath("one/src/store.py")), 1.0)
    report = Report(RESULT._replace(hits=(hit,)), "x", Path(), Path("/home/me"), projects={"one": Path("/home/me/one")})
    assert report.path(hit.chunk.path) == "one/src/store.py"
    assert report.uri(hit.chunk.path) == "file:///home/me/one/src/store.py"
    (line,) = "".join(formats.render("jsonl", report, Terminal())).splitlines()
    assert (json.loads(line)["project"], json.loads(line)["path"]) == ("one", "src/store.py")
