"""`codeseek eval`: what it prints and writes, its statuses, and the page as a browser sees it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import project
from codeseek.cli import main
from codeseek.cli.boards import plots, short
from codeseek.cli.boards.plots import Dot, Point, Series
from codeseek.mining import SHARES
from codeseek.scores import METRICS, Estimate

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = project.make(tmp_path / "<b>project & 中文")
    monkeypatch.chdir(root)
    monkeypatch.setenv("CODESEEK_WORKERS", "1")
    return root


@pytest.fixture
def run(root: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(["eval", *arguments])
        return status, *capfd.readouterr()

    return run


def test_the_tables_tell_every_arm_by_every_measure(run: Run, root: Path) -> None:
    status, out, err = run()
    assert (status, err) == (0, "")
    assert "questions  8 (" in out
    for arm in ("both", "dense", "lexical"):
        assert len(re.findall(rf"^(?:bundled)? +{arm} ", out, re.MULTILINE)) == 4
    assert all(name in out for name in METRICS)
    assert "English (7)" in out
    assert re.search(r"^bundled +int8 +256 +512", out, re.MULTILINE)
    assert not [*root.parent.glob("*.html")]


def test_the_json_is_a_baseline_for_the_next_run(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("--format", "json", "--seed", "7")
    table = json.loads(out)
    assert (status, table["version"], table["seed"]) == (0, 1, 7)
    assert [len(question["ranks"]) for question in table["questions"]] == [3] * 8
    assert {question["source"] for question in table["questions"]} <= {*SHARES, "file"}
    baseline = tmp_path / "baseline.json"
    baseline.write_text(out)
    status, out, err = run("--baseline", str(baseline), "--fail-below", "97%")
    assert (status, err) == (0, "")
    assert re.search(r"^baseline +bundled both \+\.000", out, re.MULTILINE)


def test_a_score_that_is_surely_too_low_fails(run: Run, tmp_path: Path) -> None:
    queries = tmp_path / "asked.jsonl"
    rows = [{"query": f"what is sent to host {n}", "targets": [{"file": "src/none.py"}]} for n in range(30)]
    queries.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, err = run("--queries", str(queries), "--questions", "0", "--fail-below", ".5")
    assert status == 3
    assert "questions  30 (30 file)" in out
    assert "bundled both has ndcg@10 0.000" in err
    assert "1 of the 1 files that answer given questions are not in the index" in err
    assert run("--fail-below", "0.01")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--fail-below", "x"), "cannot be"),
        (("--fail-below", "110%"), "cannot be"),
        (("--fail-below", "7"), "cannot be"),
        (("--fail-below", "90%"), "of a baseline"),
        (("--baseline", "none.json"), "is no evaluation"),
        (("--models", "nobody"), "unknown model"),
        (("--models", "bundled,bge-m3"), "not installed"),
        (("--queries", "none.jsonl"), "cannot read"),
        (("--html", "none/page.html"), "there is no folder"),
        (("--html", "."), "cannot write"),
        (("--questions", "-1"), "--questions"),
        (("nowhere",), "there is no folder"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(arguments: tuple[str, ...], wrong: str, run: Run) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert wrong in err
    assert "hint: " in err


@pytest.mark.skipif(os.name != "posix", reason="signals are sent")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_finds_nothing_left(number: int, root: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for count in range(400):
        (root / f"part_{count}.py").write_text(project.CLIENT.replace("Client", f"Client{count}") * 4)
    before = {path for path in tmp_path.rglob("*") if "temporary" not in path.parts}
    process = subprocess.Popen(
        [sys.executable, "-m", "codeseek", "eval"],
        env={**os.environ, "TMPDIR": str(temporary), "XDG_DATA_HOME": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not [*temporary.glob("*/project/*/*.py")]:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=50)
    assert process.returncode == 130
    assert b"nothing is kept" in err
    assert not [*temporary.iterdir()]
    assert {path for path in tmp_path.rglob("*") if "temporary" not in path.parts} == before


# ------------------------------------------------------------ the page


class Page(HTMLParser):
    """What a page is made of: its tags, balanced, and everything that could be fetched or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.outward: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.outward += [f"{name}={value}" for name, value in attrs if name in ("src", "href") or name.startswith("on")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    assert run("--html", str(path))[0] == 0
    return path


def test_the_page_is_whole_and_neither_fetches_nor_runs_anything(page: Path) -> None:
    text = page.read_text("utf-8")
    parsed = Page(text)
    assert not parsed.open
    assert not parsed.outward
    assert not {"script", "link", "img", "iframe", "object", "form"} & {*parsed.tags}
    assert parsed.tags.count("svg") == text.count('role="img" aria-label="') >= 4
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert "<b>project & 中文" in parsed.text
    assert "从磁盘读取缓存的条目" in parsed.text
    assert parsed.tags.count("details") == 3
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(svg)  # noqa: S314  it is ours


def test_a_hostile_name_does_no_harm() -> None:
    name = '"><script>alert(1)</script>\x1b[31m\u202e'
    value = Estimate(0.5, 0.4, 0.6, 10)
    series = Series(name, "dense", 1)
    for svg in (
        plots.intervals(name, [(name, [Dot(series, value)])]),
        plots.curves(name, [(series, [0.1, 0.2])], name),
        plots.speeds(name, [Point(series, value, 3.0, 100)]),
    ):
        ET.fromstring(svg)  # noqa: S314  it is ours
        assert "<script" not in svg
        assert "\x1b" not in svg


@pytest.mark.parametrize("mean", [0.0, 0.5, 1.0])
def test_plots_are_drawn_within_their_frame_whatever_the_values(mean: float) -> None:
    series = [Series(f"model {number} tiers", "tiers", number) for number in range(8)]
    value = Estimate(mean, max(mean - 0.01, 0), min(mean + 0.01, 1), 10)
    for svg in (
        plots.intervals("x", [("", [Dot(each, value) for each in series])]),
        plots.curves("x", [(each, [mean] * 10) for each in series], "x"),
        plots.speeds("x", [Point(each, value, 10.0**each.colour, 5) for each in series]),
    ):
        element = ET.fromstring(svg)  # noqa: S314  it is ours
        width, height = map(float, element.attrib["viewBox"].split()[2:])
        for text in element.iter("{http://www.w3.org/2000/svg}text"):
            assert 0 <= float(text.attrib["x"]) <= width
            assert -20 <= float(text.attrib["y"]) <= height + 20


def test_scores_are_written_as_they_are_read() -> None:
    assert [short(0.41), short(1.0), short(0.0)] == [".410", "1.000", ".000"]
    assert [short(-0.0211, signed=True), short(0.5, signed=True)] == ["-.021", "+.500"]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(("scheme", "dark"), [("1", False), ("0", True)])
def test_a_browser_shows_the_page_in_the_users_scheme(scheme: str, dark: bool, page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
            f"--user-data-dir={tmp_path / 'profile'}", "--window-size=900,1600", "--enable-logging=stderr",
            f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={picture}", page.as_uri(),
        ],
        capture_output=True, timeout=50, check=True,
    )  # fmt: skip
    assert b"CONSOLE" not in done.stderr  # nor a complaint about the policy on what may be fetched
    red, green, blue = corner(picture.read_bytes())
    assert (max(red, green, blue) < 60) is dark
    assert (min(red, green, blue) > 200) is not dark


def corner(png: bytes) -> tuple[int, int, int]:
    """Return the colour of a picture's first pixel: of the first line's first, every filter leaves the value as it is."""
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue
