"""Documents in a project: found by what they say, shown with their anchors, skipped with the reason, kept up to date."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import pytest
from textual.pilot import Pilot

import papers
import white_paper
from codeseek import documents
from codeseek.cli import formats
from codeseek.cli.report import Report
from codeseek.cli.terminal import Terminal
from codeseek.embedders import Choice, bundled
from codeseek.languages import LANGUAGES, language_of_name
from codeseek.local import LocalEngine
from codeseek.records import SearchRequest, SearchResult, SimilarRequest
from codeseek.serve.models import Models
from codeseek.settings import Settings
from codeseek.tui import source, viewer
from codeseek.tui.browser import Browser
from indexed import engine_of
from served import served
from tui_driver import drive, settle, workspace, write

QUESTIONS = {
    "Chinese": "请解释本文中关于多语言代码检索的设计思路?",
    "English": "Explain the design of multilingual code retrieval in this paper",
    "mixed": "multilingual code search 的设计思路是什么",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder without git: the white paper among other documents."""
    folder = tmp_path_factory.mktemp("library")
    font_file = folder.parent / "test.ttf"
    font_file.write_bytes(papers.font())
    (folder / "论文").mkdir()
    (folder / "论文" / "白皮书.pdf").write_bytes(white_paper.make(str(font_file)))
    (folder / "slides.pptx").write_bytes(papers.pptx([("Budget", ["money"], ""), ("Holiday", ["days off in May"], "")]))
    (folder / "contract.docx").write_bytes(papers.docx([(1, "Payment"), (0, "The invoice is due in thirty days.")]))
    (folder / "model.ipynb").write_bytes(
        papers.notebook([("markdown", "# Training"), ("code", "def train_model(rate):\n    return rate * 2\n")])
    )
    return folder


@pytest.fixture(scope="module")
def engine(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    opened = LocalEngine(library, Settings(data_dir=tmp_path_factory.mktemp("data"), workers=1))
    opened.refresh()
    yield opened
    opened.close()


def asked(engine: LocalEngine, query: str, **narrowed: object) -> SearchResult:
    return engine.search(SearchRequest(query, per_file=5, limit=5, **narrowed))  # type: ignore[arg-type] # any field


def right(pages: Sequence[str], language: str) -> bool:
    """Tell whether a page that answers is first, and to Chinese words the one beside it that has none of them."""
    chinese, english = f"page {white_paper.DESIGN_PAGE}", f"page {white_paper.ENGLISH_PAGE}"
    if language == "English":
        return pages[0] in (chinese, english)
    return pages[0] in (chinese, english)[: 1 + (language == "mixed")] and {chinese, english} <= set(pages[:3])


@pytest.mark.parametrize("language", QUESTIONS)
def test_a_question_finds_the_page_of_a_white_paper_that_answers(language: str, engine: LocalEngine) -> None:
    assert right([hit.chunk.anchor for hit in asked(engine, QUESTIONS[language]).hits], language)


@pytest.mark.parametrize("language", QUESTIONS)
def test_the_same_is_found_over_http(language: str, library: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, workers=1, refresh=False)
    engine = LocalEngine(library, settings)
    engine.refresh()
    with served({library: (settings, engine)}, Models({"bundled": Choice()}, lambda _: bundled())) as server:
        hits = server.search(QUESTIONS[language], limit=5, per_file=5).json["hits"]
        assert right([hit["anchor"] for hit in hits], language)
        chunk = server.ask("GET", f"/v1/chunks/{quote(hits[0]['id'])}").json
        assert (chunk["anchor"], chunk["text"]) == (hits[0]["anchor"], hits[0]["text"])


def test_every_kind_of_document_is_found_with_its_anchor(engine: LocalEngine) -> None:
    for query, path, anchor in (
        ("holiday in May", "slides.pptx", "slide 2"),
        ("when is the invoice due", "contract.docx", "paragraph 1"),
        ("train_model", "model.ipynb", "cell 2"),
    ):
        hit = asked(engine, query).hits[0]
        assert (str(hit.chunk.path), hit.chunk.anchor) == (path, anchor)
    assert {hit.chunk.anchor for hit in asked(engine, "数据库", languages=("pdf",)).hits} >= {"page 12"}


def test_a_line_of_a_document_has_its_likes(engine: LocalEngine) -> None:
    design = asked(engine, QUESTIONS["Chinese"]).hits[0].chunk
    found = engine.similar(SimilarRequest(design.path, design.first_line, 5)).hits
    assert f"page {white_paper.ENGLISH_PAGE}" in [hit.chunk.anchor for hit in found]


def test_the_full_screen_shows_what_was_read_out_of_a_document(engine: LocalEngine, library: Path) -> None:
    design = asked(engine, QUESTIONS["Chinese"]).hits[0].chunk
    chunks = engine.chunks(design.path, 1, 1 << 31)
    shown = source.of_chunks(library / design.path, design.path, chunks)
    assert not shown.problem
    assert "\n".join(shown.lines[design.first_line - 1 : design.last_line]) == design.text
    assert source.is_current(shown)
    assert source.of_chunks(library / "none.pdf", PurePosixPath("none.pdf"), ()).problem == "gone"


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_says_where_in_a_document(name: str, engine: LocalEngine, library: Path) -> None:
    result = asked(engine, QUESTIONS["Chinese"])
    report = Report(result, "x", library, library)
    text = "".join(formats.render(name, report, Terminal(width=100)))
    assert (f"page {white_paper.DESIGN_PAGE}" in text) == (name != "paths")
    linked = "".join(formats.render("text", report, Terminal(width=100, links=True)))
    assert f".pdf#page={white_paper.DESIGN_PAGE}\x1b" in linked


def test_a_hit_of_source_has_no_anchor(project: Path, tmp_path: Path) -> None:
    engine = engine_of(project, tmp_path / "data")
    engine.refresh()
    hits = engine.search(SearchRequest("line_1")).hits
    report = Report(SearchResult(hits[:1], tier=""), "x", project, project)
    assert json.loads("".join(formats.render("json", report, Terminal())))["hits"][0]["anchor"] == ""
    assert "properties" not in json.loads("".join(formats.render("sarif", report, Terminal())))["runs"][0]["results"][0]
    engine.close()


# ---------------------------------------------------------------- the index


def test_documents_are_skipped_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (root / "bomb.docx").write_bytes(papers.packed({"word/document.xml": b"<a>" + b" " * 70_000_000}))
    (root / "large.ipynb").write_bytes(b" " * 3_000)
    (root / "fine.pdf").write_bytes(papers.tiny_pdf("found by this text"))
    engine = LocalEngine(root, Settings(data_dir=tmp_path / "data", workers=1, max_document_bytes=2_000))
    engine.refresh()
    assert dict(engine.status().skipped) == {"damaged": 1, "too large": 2}
    assert engine.status().unread == {"bomb.docx": "too large", "broken.pdf": "damaged", "large.ipynb": "too large"}
    engine = LocalEngine(root, Settings(data_dir=tmp_path / "data", workers=1))
    engine.refresh()
    assert dict(engine.status().skipped) == {"damaged": 2, "too large when unpacked": 1}

    monkeypatch.setattr(documents, "find_spec", lambda name: None)
    engine.refresh()
    assert engine.status().skipped["needs `pip install codeseek[docs]`"] == 2
    assert not engine.search(SearchRequest("found by this text")).hits
    monkeypatch.undo()
    engine.refresh()
    assert engine.search(SearchRequest("found by this text")).hits
    engine.close()


def test_a_document_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.pdf").write_bytes(papers.tiny_pdf("the first text"))
    engine = engine_of(root, tmp_path / "data")
    assert engine.refresh().added == 1
    os.utime(root / "a.pdf", (1_600_000_000, 1_600_000_000))
    assert engine.refresh()[:4] == (0, 0, 0, 1)
    (root / "a.pdf").write_bytes(papers.tiny_pdf("the second text"))
    assert engine.refresh().changed == 1
    (chunk,) = engine.chunks(PurePosixPath("a.pdf"), 1, 10)
    assert chunk.text == "the second text 1"
    engine.close()


NAMES = ("论文 第一版.pdf", "🚀.pdf", "new\nline.pdf", "#page=7.pdf", "a'b\"c`.pdf", "UPPER.PDF")


def test_documents_of_any_name_are_indexed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in NAMES:
        (root / name).write_bytes(papers.tiny_pdf("under any name"))
    engine = engine_of(root, tmp_path / "data")
    engine.refresh()
    hits = engine.search(SearchRequest("under any name", limit=20)).hits
    assert {str(hit.chunk.path) for hit in hits} == set(NAMES)
    report = Report(SearchResult(tuple(hits), tier=""), "x", root, root)
    assert all(report.uri(hit.chunk.path, "page 1").count("#") == 1 for hit in hits)
    engine.close()


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_a_folder_of_documents_is_interrupted_and_resumed(count: int, tmp_path: Path) -> None:
    root, data = tmp_path / "root", tmp_path / "data"
    root.mkdir()
    for number in range(count):
        (root / f"{number}.pdf").write_bytes(papers.tiny_pdf(f"paper number {number} of many", pages=2))
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\nfrom codeseek import indexer\nfrom indexed import indexer_of\n"
        "indexer.COMMIT_CHUNKS = 50\n"
        "indexer_of(Path(sys.argv[2]), Path(sys.argv[3]), workers=2).refresh()\n"
    )
    place = Settings(data_dir=data).index_directory(root)
    rounds = 0
    for stop in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(Path(__file__).parent), str(root), str(data)], stderr=subprocess.DEVNULL
        )
        before = indexed_files(place, root)
        while process.poll() is None and indexed_files(place, root) <= before:
            time.sleep(0.02)
        process.send_signal(stop)
        process.wait()
        rounds += indexed_files(place, root) > before
    assert rounds
    engine = engine_of(root, data)
    done = indexed_files(place, root)
    assert engine.refresh().added == count - done
    status = engine.status()
    assert (status.files, status.chunks, dict(status.skipped)) == (count, 2 * count, {})
    engine.close()


def indexed_files(place: Path, root: Path) -> int:
    from codeseek.errors import StoreError
    from codeseek.store import Store

    try:
        with Store.open(place, root, read_only=True) as store:
            return store.size()[0]
    except StoreError:
        return 0


def test_every_format_of_documents_is_a_language() -> None:
    for language in documents.FORMATS:
        (suffix,) = LANGUAGES[language].suffixes
        assert LANGUAGES[language].group == "docs"
        assert language_of_name(f"a{suffix}") == language


# ---------------------------------------------------------------- opening


@pytest.fixture
def desktop(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return what makes an environment with programs of some names."""

    def make(*programs: str, **variables: str) -> dict[str, str]:
        for name in programs:
            path = tmp_path / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.touch(mode=0o755)
        return {"PATH": str(tmp_path / "bin"), "DISPLAY": ":0", **variables}

    return make


def test_enter_opens_a_document_at_its_page_in_the_viewer(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = project / "opened"
    for name in ("okular", "code"):
        (project / name).write_text(f'#!/bin/sh\necho {name} "$@" >> "{opened}"\n')
        (project / name).chmod(0o755)
    monkeypatch.setenv("CODESEEK_VIEWER", str(project / "okular"))
    monkeypatch.setenv("EDITOR", str(project / "code"))
    (project / "a.pdf").write_bytes(papers.tiny_pdf("replace words", pages=3))
    (project / "b.ipynb").write_bytes(papers.notebook([("markdown", "replace the words of a cell")]))
    engine = LocalEngine(project, Settings(data_dir=project / "data", workers=1))
    engine.refresh()

    async def script(pilot: Pilot[Any], browser: Browser) -> None:
        await write(pilot, "replace words path:*.pdf")
        await pilot.press("enter")
        await settle(pilot)
        shown = browser.preview.source
        assert shown is not None
        assert shown.lines[0] == "replace words 1"
        await pilot.press("ctrl+u")
        await write(pilot, "replace words path:*.ipynb")
        await pilot.press("enter")
        for _ in range(100):
            if opened.exists() and opened.read_text().count("\n") == 2:
                break
            await pilot.pause(0.05)

    drive(workspace(project, engine), script)
    first, second = sorted(opened.read_text().splitlines())
    assert first == f"code --goto {project}/b.ipynb:1"
    assert re.fullmatch(rf"okular --page [123] {re.escape(str(project))}/a.pdf", second)


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="these open documents in their own way")
def test_a_pdf_file_is_opened_at_its_page_where_the_viewer_can(desktop: Callable[..., dict[str, str]]) -> None:
    file = Path("/论文/a b.pdf")
    assert viewer.command(file, "page 3", desktop()) is None
    opened = viewer.command(file, "page 3", desktop("xdg-open"))
    assert opened is not None
    assert opened[1:] == (str(file),)
    assert viewer.command(file, "page 3", desktop("evince")) == ("evince", "--page-index=3", str(file))
    assert viewer.command(file, "page 3", desktop("zathura")) == ("zathura", "--page=3", str(file))
    assert viewer.command(file, "page 3", {"PATH": ""}) is None
    slides = viewer.command(Path("/a.pptx"), "slide 3", desktop())
    assert slides is not None
    assert slides[1:] == ("/a.pptx",)


def test_the_viewer_of_ones_choice_is_taken() -> None:
    file = Path("/论文/a b.pdf")

    def of(viewer_of_choice: str, anchor: str = "page 3") -> tuple[str, ...] | None:
        return viewer.command(file, anchor, {"CODESEEK_VIEWER": viewer_of_choice})

    assert of("okular --presentation") == ("okular", "--presentation", "--page", "3", str(file))
    assert of("/usr/bin/firefox") == ("/usr/bin/firefox", f"{file.as_uri()}#page=3")
    assert of("my-viewer", "part 2") == ("my-viewer", str(file))


# ---------------------------------------------------------------- plain text


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030", "big5", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_notes_in_any_encoding_are_found_by_their_lines(encoding: str, end: str, tmp_path: Path) -> None:
    lines = [
        "# 筆記" if encoding == "big5" else "# 笔记",
        "",
        "第一行文字在這裡",
        "",
        "## Budget",
        "",
        "The sum is due in May",
    ]
    text = end.join([*lines, ""])
    if encoding.startswith("gb"):
        text = text.replace("這裡", "这里")
    root = tmp_path / "root"
    root.mkdir()
    (root / "notes.md").write_bytes(text.encode(encoding))
    engine = engine_of(root, tmp_path / "data")
    engine.refresh()
    first = engine.search(SearchRequest("第一行文字")).hits[0].chunk
    assert first.text.split(end)[2 - first.first_line + 1] == text.split(end)[2]
    budget = engine.search(SearchRequest("when is the sum due in May")).hits[0].chunk
    assert "The sum is due in May" in budget.text
    assert budget.first_line <= 7 <= budget.last_line
    engine.close()


def test_a_note_in_one_very_long_line_is_found(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "一行.txt").write_text(
        "每句话都写在同一行里。" * 2_000 + "水位在五月最高。" + "后面还有很多。" * 2_000, encoding="utf-8"
    )
    (root / "dump.txt").write_text("x0" * 20_000, encoding="utf-8")
    engine = engine_of(root, tmp_path / "data")
    engine.refresh()
    hit = engine.search(SearchRequest("水位在五月最高")).hits[0]
    assert (hit.chunk.first_line, hit.chunk.last_line) == (1, 1)
    assert "水位在五月最高。" in hit.chunk.text
    assert len(hit.chunk.text) < 5_000
    assert dict(engine.status().skipped) == {"minified": 1}
    engine.close()
