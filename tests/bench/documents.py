"""Time the reading of documents, and watch the memory of the process that reads them.

    python tests/bench/documents.py [FILE…] [--pages 1000]

Without a FILE it makes two sets of PDF files of so many pages: many of 20 pages each, and one that has them all. Of each
set it prints pages, seconds, pages in a second, and the resident memory of the reading process after each tenth.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import papers
import white_paper
from codeseek.documents.extractor import Extractor
from codeseek.documents.record import Unfit
from codeseek.languages import language_of_name


def main() -> None:
    """Measure the files named, or those made for it."""
    options = argparse.ArgumentParser(description="Time the reading of documents")
    options.add_argument("files", nargs="*", type=Path, metavar="FILE")
    options.add_argument("--pages", type=int, default=1_000)
    chosen = options.parse_args()
    if chosen.files:
        named = [(language_of_name(path.name) or "pdf", path.read_bytes()) for path in chosen.files]
        measure("named", named)
        return
    with tempfile.TemporaryDirectory() as folder:
        font_file = Path(folder) / "test.ttf"
        font_file.write_bytes(papers.font())
        few = ("pdf", made(str(font_file), 20))
        measure("of 20 pages", [few] * (chosen.pages // 20))
        measure("of all pages", [("pdf", made(str(font_file), chosen.pages))])


def made(font_file: str, pages: int) -> bytes:
    """Return a PDF file with pages full of Chinese and English text, two columns on every third."""
    paper = papers.Paper("A running header 页眉", font_file=font_file)
    text = f"{white_paper.DESIGN_TEXT}{white_paper.ENGLISH_TEXT} "
    words = white_paper.ENGLISH_TEXT.split()
    for number in range(1, pages + 1):
        paper.page()
        paper.heading(f"{number} {white_paper.DESIGN}")
        if number % 3:
            for _ in range(4):
                paper.text(text)
        else:
            lines = [" ".join(words[at % 50 : at % 50 + 7]) for at in range(36)]
            paper.columns(lines, lines)
    return paper.data()


def measure(name: str, files: Sequence[tuple[str, bytes]]) -> None:
    """Read files one after the other, and say how that went."""
    parts = characters = refused = 0
    memory: list[float] = []
    started = time.perf_counter()
    with Extractor() as extractor:
        for number, (language, data) in enumerate(files, 1):
            try:
                document = extractor.read(language, data)
            except Unfit:
                refused += 1
                continue
            parts += len(document.parts)
            characters += sum(len(line) for part in document.parts for line in part.lines)
            if number * 10 // len(files) > len(memory) and extractor.pid:
                memory.append(resident_mb(extractor.pid))
    seconds = time.perf_counter() - started
    print(
        f"{name}: {len(files):,} files ({refused} refused), {parts:,} pages or parts, {characters:,} characters, "
        f"{seconds:.1f} s, {parts / seconds:,.0f} a second, {' '.join(f'{megabytes:.0f}' for megabytes in memory)} MB"
    )


def resident_mb(pid: int) -> float:
    """Return how much memory a process holds; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
