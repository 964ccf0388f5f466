"""The segments of the lexical index: postings of terms over chunks, files and symbols; immutable, of whole files.

Postings keep raw counts, so that every statistic is taken over all live segments when a question is asked: how files are
spread over segments never changes a score.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis, arrays, inside
from codeseek.records import KINDS, Chunk, Definition, SourceFile
from codeseek.rows import content_key

FIELDS = ("text", "comment", "name", "breadcrumb", "file", "directory")
TEXT, COMMENT, NAME, BREADCRUMB, FILE, DIRECTORY = range(len(FIELDS))
CODE, SECTION, OVERLAY = range(3)
"""The sets of chunks that have statistics of their own: code and configuration, documentation, comments lying over code."""

SET_OF_KIND = np.array(
    [OVERLAY if kind == "comment" else SECTION if kind == "section" else CODE for kind in KINDS], np.uint8
)
KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
SYMBOL_KINDS = (
    "class struct trait interface protocol module object enum type function macro method namespace const impl property instance"
).split()
CHUNK_KIND_OF_SYMBOL = tuple(map(inside.kind_of, SYMBOL_KINDS))
"""By symbol kind, the kind of chunk that is asked for when such symbols are."""

_SYMBOL_NUMBER = {kind: number for number, kind in enumerate(SYMBOL_KINDS)}
_GENERIC_STEMS = frozenset(("index", "init", "__init__", "mod", "package", "package-info"))
_LONGEST_WORD_LIST = 60_000
_MOST = 0x7FFF

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Hashes = NDArray[np.uint64]


@lru_cache(maxsize=500_000)
def term_hash(term: str) -> int:
    """Return the 64 bits by which a term is known in an index."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def file_title(path: str) -> str:
    """Return the name that a file is known by: without its extension, its folder's where the name says nothing."""
    folders, _, name = path.rpartition("/")
    title = name.lstrip(".").split(".")[0] or name
    return folders.rpartition("/")[2] if title in _GENERIC_STEMS and folders else title


def title_hash(title: str) -> int:
    """Return the hash of the term by which text speaks of a file: its title's parts joined, or the stem of its one part."""
    terms = analysis.word_terms(title.replace("-", "_"))
    return term_hash(terms[-1]) if terms else 0


def joined(name: str) -> str:
    """Return a name in lower case without separators: `flat_hash_map`, `FlatHashMap` and `flat-hash-map` are one."""
    return name.lower().replace("_", "").replace("-", "")


_TERMS = analysis.Sense(functools.partial(map, analysis.word_terms), term_hash)


class Analysis(NamedTuple):
    """Files analysed, not yet placed in a segment: plain arrays that travel between processes.

    `keys` are the content keys of the chunks, of which the column `chunk_key` keeps 64 bits.
    """

    columns: Mapping[str, arrays.Array]
    keys: Sequence[bytes] = ()


def analyse(files: Sequence[tuple[SourceFile, Sequence[Chunk]]]) -> Analysis:
    """Analyse files with their chunks, in this order; files without chunks have no place in a segment."""
    tokens = analysis.Occurrences(_TERMS)
    chunk_file, chunk_kind, chunk_first, chunk_last, chunk_length = (array("i") for _ in range(5))
    symbol_chunk, symbol_kind, symbol_parts_count = (array("i") for _ in range(3))
    symbol_exact, symbol_folded, symbol_parts = (array("Q") for _ in range(3))
    paths, languages, titles, keys = [], [], array("Q"), []
    for number, (file, chunks) in enumerate((file, chunks) for file, chunks in files if chunks):
        paths.append(str(file.path))
        languages.append(file.language)
        title = file_title(str(file.path))
        titles.append(title_hash(title))
        directories = "/".join(file.path.parts[:-1][-4:])
        for chunk in chunks:
            document = len(chunk_file)
            owner = document * len(FIELDS)
            chunk_file.append(number)
            chunk_kind.append(KIND_NUMBER[chunk.kind])
            chunk_first.append(chunk.first_line)
            chunk_last.append(chunk.last_line)
            chunk_length.append(len(chunk.text))
            keys.append(content_key(chunk))
            text, comment = analysis.separate(chunk)
            tokens.add(owner + TEXT, text, _LONGEST_WORD_LIST)
            if comment:
                tokens.add(owner + COMMENT, comment, _LONGEST_WORD_LIST)
            names = [definition.name for definition in chunk.definitions] or [chunk.symbol]
            tokens.add(owner + NAME, " ".join(names))
            if chunk.breadcrumb:
                tokens.add(owner + BREADCRUMB, " ".join(chunk.breadcrumb))
            tokens.add(owner + FILE, title)
            tokens.add(owner + DIRECTORY, directories)
            if chunk.kind != "comment":
                for definition in chunk.definitions:
                    stems = _symbol_stems(definition)
                    symbol_chunk.append(document)
                    symbol_kind.append(_SYMBOL_NUMBER.get(definition.kind, _SYMBOL_NUMBER["const"]))
                    symbol_exact.append(term_hash("=" + definition.name))
                    symbol_folded.append(term_hash("~" + joined(definition.name)))
                    symbol_parts_count.append(len(stems))
                    symbol_parts.extend(term_hash(stem) for stem in stems)
    hashes, posting_term, posting_owner, posting_count = tokens.count(by_owner=False)
    return Analysis(
        {
            "terms": hashes,
            "posting_term": posting_term,
            "posting_owner": posting_owner,
            "posting_count": np.minimum(posting_count, _MOST).astype(np.uint16),
            "chunk_file": np.array(chunk_file, np.int32),
            "chunk_kind": np.array(chunk_kind, np.uint8),
            "chunk_first": np.array(chunk_first, np.int32),
            "chunk_last": np.array(chunk_last, np.int32),
            "chunk_length": np.array(chunk_length, np.int32),
            "chunk_key": np.frombuffer(b"".join(keys), "<u8")[::2],
            "symbol_chunk": np.array(symbol_chunk, np.int32),
            "symbol_kind": np.array(symbol_kind, np.uint8),
            "symbol_exact": np.array(symbol_exact, np.uint64),
            "symbol_folded": np.array(symbol_folded, np.uint64),
            "symbol_parts_count": np.array(symbol_parts_count, np.uint8),
            "symbol_parts": np.array(symbol_parts, np.uint64),
            "file_title": np.array(titles, np.uint64),
            "file_paths": _packed(paths),
            "file_languages": _packed(languages),
        },
        keys,
    )


class Segment:
    """An immutable part of the index: whole files, their chunks and symbols, and the postings of all terms."""

    def __init__(self, columns: Mapping[str, arrays.Array]) -> None:
        self.columns = columns

    @property
    def chunk_ids(self) -> Ints:
        """The chunks' numbers in the store, ascending."""
        return self.columns["chunk_ids"]

    @classmethod
    def build(cls, analyses: Sequence[Analysis], chunk_ids: Ints) -> Segment:
        """Join analyses into a segment; `chunk_ids` are ascending, in the order of the analyses, their files and chunks."""
        parts = [analysis_.columns for analysis_ in analyses]
        terms = concatenated([part["terms"] for part in parts], np.uint64)
        terms.sort(kind="stable")
        terms = terms[begins(terms)]
        columns = _joined_tables(parts)
        ranks, documents, fields, counts = [], [], [], []
        first = 0
        for part in parts:
            ranks.append(np.searchsorted(terms, part["terms"])[part["posting_term"]])
            documents.append(part["posting_owner"] // len(FIELDS) + first)
            fields.append(part["posting_owner"] % len(FIELDS))
            counts.append(part["posting_count"])
            first += len(part["chunk_file"])
        if first != len(chunk_ids):
            raise ValueError(f"{len(chunk_ids)} ids for {first} chunks")
        columns["chunk_ids"] = np.asarray(chunk_ids, np.int64)
        return cls(_with_postings(columns, terms, *map(concatenated, (ranks, documents, fields, counts))))

    @classmethod
    def merge(cls, segments: Sequence[Segment], dead: Ints) -> Segment:
        """Join segments (in ascending order of their chunks' numbers) into one, leaving out dead chunks and their files."""
        parts = []
        for segment in segments:
            columns = segment.columns
            alive = ~np.isin(columns["chunk_ids"], dead)
            terms = columns["chunk_terms"]
            sizes = np.diff(columns["chunk_offsets"])
            postings = alive[columns["chunk_documents"]]
            new_number = np.cumsum(alive) - 1
            file_alive = np.zeros(len(columns["file_title"]), bool)
            file_alive[columns["chunk_file"][alive]] = True
            new_file = np.cumsum(file_alive) - 1
            symbols = alive[columns["symbol_chunk"]]
            owner = new_number[columns["chunk_documents"][postings]] * len(FIELDS) + columns["chunk_fields"][postings]
            parts.append(
                {
                    "terms": terms,
                    "posting_term": np.repeat(np.arange(len(terms), dtype=np.int32), sizes)[postings],
                    "posting_owner": owner,
                    "posting_count": columns["chunk_counts"][postings],
                    "chunk_ids": columns["chunk_ids"][alive],
                    "chunk_file": new_file[columns["chunk_file"][alive]].astype(np.int32),
                    **{
                        name: columns[name][alive]
                        for name in ("chunk_kind", "chunk_first", "chunk_last", "chunk_length", "chunk_key")
                    },
                    "symbol_chunk": new_number[columns["symbol_chunk"][symbols]].astype(np.int32),
                    **{
                        name: columns[name][symbols]
                        for name in ("symbol_kind", "symbol_exact", "symbol_folded", "symbol_parts_count")
                    },
                    "symbol_parts": columns["symbol_parts"][np.repeat(symbols, columns["symbol_parts_count"])],
                    "file_title": columns["file_title"][file_alive],
                    "file_paths": _packed(list(itertools.compress(segment.paths, file_alive))),
                    "file_languages": _packed(list(itertools.compress(segment.languages, file_alive))),
                }
            )
        return cls.build([Analysis(part) for part in parts], concatenated([part["chunk_ids"] for part in parts]))

    def save(self, path: Path) -> None:
        """Write the segment; raises OSError."""
        arrays.save(path, self.columns)

    @classmethod
    def load(cls, path: Path) -> Segment:
        """Map a segment, reading next to nothing; raises FileNotFoundError and `arrays.Damaged`."""
        return cls(arrays.load(path))

    @cached_property
    def paths(self) -> list[str]:
        """The files' paths, in the order of the segment's file numbers."""
        return _unpacked(self.columns["file_paths"])

    @cached_property
    def languages(self) -> list[str]:
        """The files' languages."""
        return _unpacked(self.columns["file_languages"])

    def postings(self, level: str, terms: Hashes) -> list[tuple[int, int]]:
        """Return where the postings of terms begin and end among those of a level (`chunk`, `file` or `symbol`)."""
        known, offsets = self.columns[f"{level}_terms"], self.columns[f"{level}_offsets"]
        if not len(known):
            return [(0, 0)] * len(terms)
        at = np.minimum(known.searchsorted(terms), len(known) - 1)
        starts = offsets[at]
        return list(zip(starts.tolist(), np.where(known[at] == terms, offsets[at + 1], starts).tolist(), strict=True))


def _symbol_stems(definition: Definition) -> list[str]:
    return list(dict.fromkeys(analysis.stem(part) for part in analysis.parts(definition.name)))[:32]


def _joined_tables(parts: Sequence[Mapping[str, arrays.Array]]) -> dict[str, arrays.Array]:
    """Join the tables of chunks, symbols and files; numbers that point into another table are moved along."""
    columns: dict[str, arrays.Array] = {}
    for name, dtype in (
        ("chunk_file", np.int32), ("chunk_kind", np.uint8), ("chunk_first", np.int32), ("chunk_last", np.int32),
        ("chunk_length", np.int32), ("chunk_key", np.uint64), ("symbol_chunk", np.int32), ("symbol_kind", np.uint8),
        ("symbol_exact", np.uint64), ("symbol_folded", np.uint64), ("symbol_parts_count", np.uint8),
        ("symbol_parts", np.uint64), ("file_title", np.uint64), ("file_paths", np.uint8), ("file_languages", np.uint8),
    ):  # fmt: skip
        target = {"chunk_file": "file_title", "symbol_chunk": "chunk_kind"}.get(name)
        first, pieces = 0, []
        for part in parts:
            pieces.append(part[name] + first if target else part[name])
            first += len(part[target]) if target else 0
        columns[name] = concatenated(pieces, dtype).astype(dtype, copy=False)
    return columns


def _with_postings(
    columns: dict[str, arrays.Array], terms: Hashes, ranks: Ints, documents: Ints, fields: Ints, counts: Ints
) -> dict[str, arrays.Array]:
    """Add the sorted postings of chunks, files and symbols, and the lengths of fields, to the tables."""
    postings = _postings_of(_keys(ranks, documents, fields, counts))
    for level, of_level, number in (
        ("chunk", postings, len(columns["chunk_file"])),
        ("file", _file_postings(columns, *postings), len(columns["file_title"])),
    ):
        columns |= _columns(level, terms, *of_level)
        lengths = np.bincount(of_level[1] * len(FIELDS) + of_level[2], of_level[3], number * len(FIELDS))
        columns[f"{level}_lengths"] = lengths.reshape(number, len(FIELDS)).astype(np.uint32)
    offsets, documents = columns["file_offsets"], columns["file_documents"]
    first_of_document = begins(documents)
    first_of_document[offsets[:-1]] = True
    columns["file_frequencies"] = (
        np.add.reduceat(first_of_document, offsets[:-1], dtype=np.int32) if len(documents) else documents
    )
    owners = np.repeat(np.arange(len(columns["symbol_kind"])), columns["symbol_parts_count"])
    names = np.unique(columns["symbol_parts"])
    ones = np.ones(len(owners), np.int64)
    keys = _keys(np.searchsorted(names, columns["symbol_parts"]), owners, ones * NAME, ones)
    return columns | _columns("symbol", names, *_postings_of(keys))


def _file_postings(
    columns: Mapping[str, arrays.Array], ranks: Ints, documents: Ints, fields: Ints, counts: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """Take the files as documents: all their chunks' text and names but overlays, their path once, no breadcrumbs."""
    chunk_file = columns["chunk_file"]
    is_first = begins(chunk_file)
    keep = (SET_OF_KIND[columns["chunk_kind"]] != OVERLAY)[documents] & (fields != BREADCRUMB)
    keep &= (fields < FILE) | is_first[documents]
    keys = _keys(ranks[keep], chunk_file[documents[keep]], fields[keep], counts[keep])
    ranks, documents, fields, counts = _postings_of(keys)
    places = (keys >> np.uint64(15)).view(np.int64)
    first = np.flatnonzero(begins(places))
    totals = np.add.reduceat(counts, first) if len(first) else counts
    return ranks[first], documents[first], fields[first], totals


def _columns(
    level: str, terms: Hashes, ranks: Ints, documents: Ints, fields: Ints, counts: Ints
) -> dict[str, arrays.Array]:
    """Return sorted postings as a segment has them; terms without postings are dropped."""
    starts = np.flatnonzero(begins(ranks))
    return {
        f"{level}_terms": terms[ranks[starts]],
        f"{level}_offsets": np.append(starts, len(ranks)).astype(np.int64),
        f"{level}_documents": documents.astype(np.int32),
        f"{level}_fields": fields.astype(np.uint8),
        f"{level}_counts": counts.astype(np.uint16),
    }


def _keys(ranks: Ints, documents: Ints, fields: Ints, counts: Ints) -> Hashes:
    """Return postings as sorted numbers: term 22 bits, document 24, field 3, count 15; quicker than any argsort.

    They come in few ascending runs, or nearly in order: this is what a stable sort is made for.
    """
    keys = (np.asarray(ranks, np.uint64) << np.uint64(42)) | (np.asarray(documents, np.uint64) << np.uint64(18))
    keys |= (np.asarray(fields, np.uint64) << np.uint64(15)) | np.minimum(counts, _MOST).astype(np.uint64)
    keys.sort(kind="stable")
    return keys


def _postings_of(keys: Hashes) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the terms, documents, fields and counts of keys."""
    ranks, documents, fields = keys >> np.uint64(42), keys >> np.uint64(18), keys >> np.uint64(15)
    columns = ranks, documents & np.uint64(0xFFFFFF), fields & np.uint64(7), keys & np.uint64(_MOST)
    return columns[0].view(np.int64), columns[1].view(np.int64), columns[2].view(np.int64), columns[3].view(np.int64)


def begins(values: arrays.Array) -> NDArray[np.bool_]:
    """Mark where each run of equal values begins."""
    marks = np.empty(len(values), bool)
    marks[:1] = True
    np.not_equal(values[1:], values[:-1], out=marks[1:])
    return marks


def concatenated(pieces: Sequence[arrays.Array], dtype: type = np.int64) -> arrays.Array:
    """Join arrays, of which there may be none."""
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype)


def _packed(strings: Sequence[str]) -> NDArray[np.uint8]:
    """Store strings as UTF-8, each ended by a NUL (which no path contains)."""
    return np.frombuffer("".join(f"{string}\0" for string in strings).encode(), np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode().split("\0")[:-1]
