"""What a model of this kind is worth: retrieval by its vectors alone, between languages, between regions, of code."""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis, scores
from codeseek.embedders.static import StaticEmbedder
from codeseek.records import CODE_KINDS, Chunk
from corpus import Folder
from functions import cut_up, documented

HELD_OUT = Path(__file__).parent / "held_out"
PAIRS, FUNCTIONS = 2000, 1000
_DRAWINGS = 8  # of functions: which ones are drawn moves the figure by .02
_LEAST_TOKENS = 4  # of a held-out sentence, in either language
_LINES = 25
_SEED = 5

Floats = NDArray[np.float32]
Figures = dict[str, float]


class _Table(NamedTuple):
    """One way to hold a model's table: its name, and what embeds by it."""

    name: str
    embedder: StaticEmbedder


def main(arguments: argparse.Namespace) -> None:
    """Measure one model, and another beside it on the same questions."""
    found: dict[str, Figures] = {}
    for folder in filter(None, (arguments.beside, arguments.model)):
        for table in _tables(folder, arguments.rows if folder == arguments.model else None):
            found[f"{folder.name} {table.name}".strip()] = figures(table.embedder, arguments)
    width = max(len(name) for figures in found.values() for name in figures)
    print(f"{'':{width}}  " + "  ".join(f"{name:>16}" for name in found))
    for name in dict.fromkeys(itertools.chain.from_iterable(found.values())):
        print(f"{name:{width}}  " + "  ".join(f"{each.get(name, float('nan')):16,.4f}" for each in found.values()))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def _tables(folder: Path, rows: Path | None) -> Iterator[_Table]:
    """Yield a model as it is, by its first 128 and 64 dimensions, and before it was made int8."""
    whole = StaticEmbedder.load(folder)
    yield _Table("", whole)
    if rows is not None:
        yield _Table("128", whole.shortened(128))
        yield _Table("64", whole.shortened(64))
        yield _Table("float32", whole.with_rows(np.load(rows)))


def figures(model: StaticEmbedder, arguments: argparse.Namespace) -> Figures:
    """Return all that can be measured with what is given."""
    found = {**_terms(model), **_traditional(model), **_japanese(model), **_speed(model)}
    if arguments.data is not None:
        found |= _pairs(model, Folder(arguments.data))
    if arguments.repositories is not None:
        found |= _functions(model, arguments.repositories)
    if arguments.bench is not None and arguments.trees is not None:
        found |= _bench(model, arguments.bench, arguments.trees)
    return found


def _terms(model: StaticEmbedder) -> Figures:
    """Chinese terms to English ones, 300 at once, by group; and the other way."""
    rows = _read(HELD_OUT / "terms.tsv")
    right, back = _first([row[1] for row in rows], [row[2] for row in rows], model)
    groups = {group: [row[0] == group for row in rows] for group in dict.fromkeys(row[0] for row in rows)}
    by_group = {f"terms, {group}": float(right[np.array(among)].mean()) for group, among in groups.items()}
    return {"terms, zh to en": float(right.mean()), **by_group, "terms, en to zh": float(back.mean())}


def _traditional(model: StaticEmbedder) -> Figures:
    """Wording of Taiwan and Hong Kong to that of the mainland, 200 phrases at once."""
    rows = _read(HELD_OUT / "traditional.tsv")
    right, _ = _first([row[0] for row in rows], [row[1] for row in rows], model)
    return {"traditional wording": float(right.mean())}


def _japanese(model: StaticEmbedder) -> Figures:
    """Japanese terms to English ones, 50 at once: what a script that was not learned is worth."""
    rows = _read(HELD_OUT / "japanese.tsv")
    right, _ = _first([row[1] for row in rows], [row[2] for row in rows], model)
    return {
        f"japanese, {group}": float(right[np.array([row[0] == group for row in rows])].mean())
        for group in ("han", "kana")
    }


def _pairs(model: StaticEmbedder, data: Folder) -> Figures:
    """Sentences of sources that nothing was learned from, each to its translation among 2,000."""
    seen: set[str] = set()
    kept = []
    for pair in data.pairs(held_out=True):
        key = pair.english.casefold()
        if key not in seen and len(pair.english.split()) >= _LEAST_TOKENS and len(pair.chinese) >= _LEAST_TOKENS:
            seen.add(key)
            kept.append(pair)
    chosen = np.random.default_rng(_SEED).choice(len(kept), min(PAIRS, len(kept)), replace=False)
    right, back = _first([kept[at].english for at in chosen], [kept[at].chinese for at in chosen], model)
    return {"sentences, en to zh": float(right.mean()), "sentences, zh to en": float(back.mean())}


def _functions(model: StaticEmbedder, folder: Path) -> Figures:
    """Chinese comments to the functions that they stood in, among 1,000 of repositories that nothing was learned from."""
    found = [each for root in sorted(folder.iterdir()) if root.is_dir() for each in documented(root)]
    if len(found) < FUNCTIONS:
        raise SystemExit(f"error: {folder} has {len(found)} functions with Chinese comments, not {FUNCTIONS:,}")
    vectors = model.embed([each.chunk for each in found])
    asked = np.array([model.embed_query(each.question) for each in found])
    generator = np.random.default_rng(_SEED)
    values = []
    for _ in range(_DRAWINGS):
        chosen = generator.choice(len(found), FUNCTIONS, replace=False)
        cosines = asked[chosen] @ vectors[chosen].T
        ranks = (cosines > np.diagonal(cosines)[:, None]).sum(axis=1) + 1
        values.append(float((1 / ranks).mean()))
    return {"comment to function, MRR": fmean(values)}


def _speed(model: StaticEmbedder) -> Figures:
    """Chunks of 25 lines a second of processor time, of this project's own code."""
    source = Path(analysis.__file__).parent
    chunks = [chunk for path in sorted(source.glob("*.py")) for chunk in by_lines(path.name, path.read_text("utf-8"))]
    model.embed(chunks)
    started = time.process_time()
    for _ in range(5):
        model.embed(chunks)
    return {"chunks of 25 lines a second": 5 * len(chunks) / (time.process_time() - started)}


def _bench(model: StaticEmbedder, bench: Path, trees: Path) -> Figures:
    """NDCG@10 by vectors alone, the best chunk of each file, mean over repositories; two ways to cut files."""
    asked: dict[str, list[dict[str, object]]] = {}
    for line in (bench / "queries.dev.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        asked.setdefault(item["repo"], []).append(item)
    values: dict[str, list[float]] = {}
    for repository in json.loads((bench / "repos.dev.json").read_text("utf-8")):
        name, inner = repository["name"], repository["root"]
        if not (trees / name).is_dir():
            continue
        for way, chunks in _chunks(trees / name / inner).items():
            if not chunks:
                continue
            vectors = model.embed(chunks)
            paths = [str(PurePosixPath(inner) / chunk.path) for chunk in chunks]
            for language in ("en", "zh", "mixed"):
                found = [
                    _ndcg(vectors @ model.embed_query(str(text)), paths, item["targets"])
                    for item in asked[name]
                    if (text := item["query"] if language == "en" else item.get(language)) is not None
                ]
                if found:
                    values.setdefault(f"code by {way}, {language}", []).append(fmean(found))
    return {name: fmean(each) for name, each in values.items()}


def _chunks(root: Path) -> Mapping[str, list[Chunk]]:
    ways: dict[str, list[Chunk]] = {"25 lines": [], "chunks": []}
    for entry, text, chunks in cut_up(root):
        own = [chunk for chunk in chunks if chunk.kind in CODE_KINDS]
        if own:
            ways["chunks"] += own
            ways["25 lines"] += by_lines(str(entry.path), text, own)
    return ways


def by_lines(path: str, text: str, own: Sequence[Chunk] = ()) -> list[Chunk]:
    """Cut a text every 25 lines; the definitions of its own chunks are those of the piece in which they begin."""
    lines = text.splitlines(keepends=True)
    definitions = [definition for chunk in own for definition in chunk.definitions]
    pieces = []
    for start in range(0, len(lines), _LINES):
        end = min(start + _LINES, len(lines))
        within = tuple(definition for definition in definitions if start < definition.line <= end)
        body = "".join(lines[start:end])
        pieces.append(Chunk(PurePosixPath(path), start + 1, end, "", "module", "", body, (), within))
    return pieces


def _ndcg(cosines: Floats, paths: Sequence[str], targets: object) -> float:
    best: dict[str, float] = {}
    for path, cosine in zip(paths, cosines.tolist(), strict=True):
        best[path] = max(cosine, best.get(path, -2.0))
    order = sorted(best, key=lambda path: (-best[path], path))[: scores.CUTOFF]
    wanted = [target["file"] for target in targets]  # type: ignore[attr-defined]
    ranks = tuple(rank for rank, path in enumerate(order, 1) if path in wanted)
    return scores.ndcg(scores.Ranks(len(wanted), ranks, ranks))


def _first(questions: Sequence[str], answers: Sequence[str], model: StaticEmbedder) -> tuple[Floats, Floats]:
    """Tell for each question whether its own answer is nearest, and for each answer whether its question is."""
    cosines = model.embed_texts(questions) @ model.embed_texts(answers).T
    own = np.arange(len(cosines))
    return (cosines.argmax(axis=1) == own).astype(np.float32), (cosines.argmax(axis=0) == own).astype(np.float32)


def _read(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
