"""Text to search terms: identifiers whole and split, English stems, Chinese words and bigrams.

The same terms are made of files and of questions, so that a lookup is equality. Han, kana and hangul carry no spaces: a
run of them gives its overlapping bigrams and the dictionary words in it.
"""

from __future__ import annotations

import itertools
import operator
import re
import threading
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from codeseek import catalogue
from codeseek.records import Chunk

T = TypeVar("T")

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_ASCII_WORDS = re.compile(r"\w+(?:\+\+|#)?", re.ASCII)
_SPACED_WORDS = re.compile(r"\w+(?:\+\+|#)?")
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W_A-Za-z0-9]+")
_WHOLE = frozenset(
    (
        "c++",
        "c#",
        "f#",
        "i18n",
        "l10n",
        "k8s",
        "a11y",
        "x86",
        "utf8",
        "h264",
        "p2p",
        "e2e",
        "s3",
        "ec2",
        "oauth2",
        "http2",
    )
)

STOP_WORDS = frozenset(
    "a an and are as at be by do does did for from has have how i if in into is it its of on or that the their them then"
    " there these they this to was were what when where which who why will with you your can could should would via".split()
)
LARGEST_VOCABULARY = 150_000
"""So many words are remembered at most, with what they expand to."""


def words(text: str) -> Sequence[str]:
    """Cut text into words as written; runs of Chinese, Japanese or Korean stay whole."""
    if text.isascii():
        return _ASCII_WORDS.findall(text)
    return (_any_words() if _cjk().search(text) else _SPACED_WORDS).findall(text)


@cache
def _any_words() -> re.Pattern[str]:
    return re.compile(rf"[^\W{_CJK}]+(?:\+\+|#)?|[{_CJK}]+")  # compiled when first needed: wide ranges take long


@cache
def _cjk() -> re.Pattern[str]:
    return re.compile(rf"[{_CJK}]")


def is_cjk(word: str) -> bool:
    """Tell whether a word is a run of Chinese, Japanese or Korean."""
    return not word.isascii() and _cjk().match(word) is not None


def parts(word: str) -> tuple[str, ...]:
    """Split an identifier at case, digit and underscore boundaries, lower case: `HTTPServer2` -> http, server, 2."""
    lower = word.lower()
    if lower in _WHOLE:
        return (lower,)
    return tuple(part.lower() for part in _PARTS.findall(word))


def word_terms(word: str) -> tuple[str, ...]:
    """Return the terms of one word: stems of its parts, and the parts joined where there are several."""
    if word.isascii():
        if word.isalpha() and word.islower() and len(word) <= 64:
            return (stem(word),)
    else:
        word = fold(word)
        if _cjk().match(word):
            return cjk_terms(word)
        apart = unicodedata.normalize("NFKD", word)
        if apart != word:
            word = "".join(char for char in apart if not unicodedata.combining(char))
    pieces = parts(word)
    if len(pieces) == 1:
        piece = pieces[0]
        return (stem(piece),) if len(piece) <= 64 else ()
    terms = [stem(piece) for piece in pieces if len(piece) <= 64]
    joined = "".join(pieces)
    if len(terms) > 1 and len(joined) <= 96:
        terms.append(joined)
    return tuple(terms)


def cjk_terms(run: str) -> tuple[str, ...]:
    """Return the overlapping bigrams of a folded run and the longer dictionary words in it; one character is itself."""
    if len(run) == 1:
        return (run,)
    terms = list(map(operator.add, run, run[1:]))
    known, beginnings = term_table(), _beginnings()
    if not beginnings.isdisjoint(terms):
        begun = [at for at, term in enumerate(terms) if term in beginnings]
        for length in (3, 4):
            terms += [word for at in begun if len(word := run[at : at + length]) == length and word in known]
    return tuple(terms)


@lru_cache(maxsize=8192)  # the terms and the tokens of a batch's new words are asked for one after the other
def fold(text: str) -> str:
    """Map full-width forms to half-width and traditional characters to simplified ones."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_simplified())


def singular(part: str) -> str:
    """Strip an English plural's ending."""
    if len(part) < 4:
        return part
    if part.endswith("ies") and len(part) > 4:
        return part[:-3] + "y"
    if part.endswith(("sses", "shes", "ches", "xes", "zes")):
        return part[:-2]
    if part.endswith("s") and not part.endswith(("ss", "us", "is")):
        return part[:-1]
    return part


@cache
def stem(part: str) -> str:
    """Strip the commonest English endings; light, so that a stem stays recognisable (source: measured equal to Porter's)."""
    if len(part) < 4 or not part.isascii():
        return part
    part = singular(part)
    if len(part) > 5:
        if part.endswith("ization"):
            return part[:-5]
        for ending in ("ation", "ator", "ating", "ated", "ate"):
            if part.endswith(ending):
                return part[: -len(ending)] + "at"
        for ending in ("ing", "ed", "er", "or", "ion"):
            if part.endswith(ending) and len(part) - len(ending) >= 3:
                root = part[: -len(ending)]
                if root[-1] == root[-2] and root[-1] not in "lsaeiou":
                    root = root[:-1]
                return root.removesuffix("e")
    if len(part) > 4:
        if part.endswith("e"):
            return part[:-1]
        if part.endswith("y"):
            return part[:-1] + "i"
    return part


class Sense(NamedTuple):
    """In what sense words are counted: `expand` gives what each of some words stands for (terms, tokens), `number` its number."""

    expand: Callable[[Sequence[str]], Iterable[Sequence[Hashable]]]
    number: Callable[[Any], int]


class _Expansions:
    """What the words of a vocabulary stand for: word n for `values` at the places `codes[starts[n] : starts[n + 1]]`."""

    def __init__(self, sense: Sense) -> None:
        self.values = np.zeros(0, np.uint64)
        self.codes = np.zeros(0, np.int64)
        self.starts = np.zeros(1, np.int64)
        self._sense = sense
        self._known: dict[Hashable, int] = defaultdict(itertools.count().__next__)

    def add(self, words: Sequence[str]) -> None:
        """Expand more words."""
        found = list(self._sense.expand(words))
        codes = np.fromiter(map(self._known.__getitem__, itertools.chain.from_iterable(found)), np.int64)
        ends = len(self.codes) + np.cumsum(np.fromiter(map(len, found), np.int64, len(found)))
        new = map(self._sense.number, _latest(self._known, len(self._known) - len(self.values)))
        self.values = np.append(self.values, np.fromiter(new, np.uint64))
        self.codes, self.starts = np.append(self.codes, codes), np.append(self.starts, ends)


class Vocabulary:
    """Numbers words as they are met, and remembers what they expand to: a text is cut up once, a word looked at once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = defaultdict(itertools.count().__next__)
        self._expansions: dict[Sense, _Expansions] = {}
        self._recent = lru_cache(maxsize=4096)(self._read)

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, text: str) -> array[int]:
        """Return the numbers of a text's words."""
        return self._recent(text) if len(text) < 20_000 else self._read(text)  # soon comes again, for the vector

    def _read(self, text: str) -> array[int]:
        return array("i", list(map(self._numbers.__getitem__, words(text))))

    def expansions(self, sense: Sense) -> _Expansions:
        """Return what the words expand to."""
        known = self._expansions.setdefault(sense, _Expansions(sense))
        if new := len(self) + 1 - len(known.starts):
            known.add(_latest(self._numbers, new))
        return known


def _latest(numbers: dict[T, int], count: int) -> list[T]:
    """Return the keys that were added last, in order."""
    return list(itertools.islice(reversed(numbers), count))[::-1]


_of_thread = threading.local()


def vocabulary() -> Vocabulary:
    """Return this thread's vocabulary, a new one when it has grown too large."""
    known: Vocabulary | None = getattr(_of_thread, "vocabulary", None)
    if known is None or len(known) > LARGEST_VOCABULARY:
        known = _of_thread.vocabulary = Vocabulary()
    return known


class Occurrences:
    """Collects texts of documents and counts what their words expand to, all at once: a dictionary lookup a word, then numpy."""

    def __init__(self, sense: Sense) -> None:
        self._sense = sense
        self._vocabulary = vocabulary()
        self._words = array("i")
        self._owners = array("q")
        self._lengths = array("q")

    def add(self, owner: int, text: str, most: int | None = None) -> None:
        """Add a text's words, at most so many, to what `owner`, any number, is counted for."""
        words = self._vocabulary.read(text)[:most]
        if words:
            self._words.extend(words)
            self._owners.append(owner)
            self._lengths.append(len(words))

    def count(
        self, *, by_owner: bool
    ) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """Return the distinct expansions, ascending, and for each (owner, expansion): its index, owner and count.

        These come in the order of owners, or else of expansions.
        """
        known = self._vocabulary.expansions(self._sense)
        words = np.array(self._words, np.int64)
        sizes = np.diff(known.starts)[words]
        ends = np.cumsum(sizes)
        places = np.repeat(known.starts[words] - ends + sizes, sizes)
        places += np.arange(len(places))
        codes = known.codes[places]
        is_used = np.zeros(len(known.values), bool)
        is_used[codes] = True
        used = np.flatnonzero(is_used)
        used = used[np.argsort(known.values[used])]
        indices = np.zeros(len(known.values), np.int64)
        indices[used] = np.arange(len(used))
        owners = np.repeat(np.repeat(self._owners, self._lengths), sizes)
        first, second = (owners, indices[codes]) if by_owner else (indices[codes], owners)
        bits = int(second.max(initial=0)).bit_length()
        keys = first << bits | second
        keys.sort()
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        counts = np.diff(starts, append=len(keys))
        first, second = keys[starts] >> bits, keys[starts] & ((1 << bits) - 1)
        codes, owners = (second, first) if by_owner else (first, second)
        return known.values[used], codes.astype(np.int32), owners, counts


def separate(chunk: Chunk) -> tuple[str, str]:
    """Part a chunk's text into what is not comment and what is; an overlay and a section are text throughout."""
    if not chunk.comments or chunk.kind == "comment":
        return chunk.text, ""
    code, comments, at = [], [], 0
    for start, end in chunk.comments:
        code.append(chunk.text[at:start])
        comments.append(chunk.text[start:end])
        at = end
    code.append(chunk.text[at:])
    return " ".join(code), " ".join(comments)


@cache
def dictionary() -> dict[str, int]:
    """Return the Chinese words of the term table with how often each was met."""
    return {word: int(told.partition("\t")[0]) for word, told in term_table().items()}


@cache
def _beginnings() -> frozenset[str]:
    """Return the first two characters of all words of three and four in the term table."""
    return frozenset(word[:2] for word in term_table() if len(word) in (3, 4))


@cache
def term_table() -> dict[str, str]:
    """Read the Chinese-English term table: of each word its count, a tab, and English words with probabilities."""
    lines = (catalogue.model_directory() / "terms.tsv").read_bytes().decode().split("\n")
    return {word: told for word, _, told in (line.partition("\t") for line in lines if line)}


@cache
def _simplified() -> dict[int, str]:
    """Read the map from traditional to simplified characters."""
    rows: Sequence[str] = (catalogue.model_directory() / "t2s.txt").read_text("utf-8").split("\n")
    return {ord(traditional): simplified for row in rows if row for traditional, simplified in [row.split("\t")]}
