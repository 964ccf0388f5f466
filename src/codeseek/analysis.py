"""Text to search terms: identifiers whole and split, English stems, Chinese words and bigrams, and what questions mean.

The same terms are made of files and of questions, so that a lookup is equality. Han, kana and hangul carry no spaces: a
run of them gives its overlapping bigrams and the dictionary words in it.
"""

from __future__ import annotations

import itertools
import math
import re
import threading
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Sequence
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
_IDENTIFIER = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:::|->|\\|\.|#)[A-Za-z_$][\w$]*)*[!?]?")
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
STOP_WORDS_ZH = frozenset(
    (
        "的 了 吗 呢 吧 啊 么 着 和 与 及 或 或者 以及 并 并且 而 但 但是 是 为 为了 在 于 "
        "从 到 向 对 对于 把 被 让 使 由 给 用 以 按 根据 通过 就 都 也 还 又 再 才 只 很 "
        "更 最 不 没 没有 有 无 其 该 此 这 那 这个 那个 这些 那些 这里 那里 哪 哪里 哪个 "
        "哪些 哪儿 什么 怎么 怎样 怎么样 如何 为什么 为何 谁 几 多少 是否 能 能否 可以 会 要 想 "
        "需要 应该 应当 必须 我 我们 你 你们 他 它 他们 它们 一个 一种 一些 一下 某个 某种 每个 "
        "各 各种 所有 之 之间 中 里 上 下 内 外 时 时候 后 前 之后 之前 当 如果 则 那么 所 "
        "地 得 来 去 做 进行 实现 处理 使用 工作 工作原理 原理 机制 方式 方法是 相关 有关 关于 "
        "请 解释 说明 本文 功能 逻辑 代码 部分 地方 位置 位于 定义在 在哪里 在哪"
    ).split()
)
LARGEST_VOCABULARY = 150_000
"""So many words are remembered at most, with what they expand to."""

_STOP_CHARACTERS = "".join(word for word in STOP_WORDS_ZH if len(word) == 1)
_SUFFIXES_ZH = frozenset("器化性式")


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
    terms = list(map(str.__add__, run, run[1:]))
    known, beginnings = _dictionary(), _beginnings()
    begun = [at for at, term in enumerate(terms) if term in beginnings]
    for length in (3, 4):
        terms += [word for at in begun if len(word := run[at : at + length]) == length and word in known]
    return tuple(terms)


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

    def count(self) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """Return the distinct expansions, ascending, and for each (owner, expansion): its index, owner, count; owners ascend."""
        known = self._vocabulary.expansions(self._sense)
        words = np.array(self._words, np.int64)
        sizes = np.diff(known.starts)[words]
        ends = np.cumsum(sizes)
        places = np.repeat(known.starts[words] - ends + sizes, sizes)
        places += np.arange(len(places))
        bits = len(known.values).bit_length()
        keys = np.repeat(np.repeat(self._owners, self._lengths) << bits, sizes) | known.codes[places]
        keys.sort()
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        owners, codes = keys[first] >> bits, keys[first] & ((1 << bits) - 1)
        is_used = np.zeros(len(known.values), bool)
        is_used[codes] = True
        used = np.flatnonzero(is_used)
        used = used[np.argsort(known.values[used])]
        indices = np.zeros(len(known.values), np.int32)
        indices[used] = np.arange(len(used))
        return known.values[used], indices[codes], owners, np.diff(first, append=len(keys))


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


class Word(NamedTuple):
    """A word of a question: as typed, and the groups of words that it may stand for in code, each with its weight."""

    text: str
    alternatives: tuple[tuple[str, float], ...]


class Question(NamedTuple):
    """A question understood: terms with their weights, the words in order, identifiers with the strength of their claim.

    `terms` holds English words and those that stand for Chinese ones with weights, `native` terms in Chinese script itself;
    `origins` the words as typed that terms come from.
    """

    text: str
    terms: dict[str, float]
    native: tuple[str, ...]
    words: tuple[Word, ...]
    identifiers: tuple[tuple[str, float], ...]
    origins: dict[str, str]
    is_symbol: bool
    has_chinese: bool


def question(text: str, knows: Callable[[str], bool]) -> Question:
    """Understand a question; `knows` tells whether the index holds a term, and limits native terms and translations to such.

    Chinese is looked for as it stands (overlapping pairs of characters and longer dictionary words) and by what its words
    may be called in English. Characters that make no word of the dictionary are one word of the asker's: only if the index
    does not know it either are they translated one by one.
    """
    folded = fold(text)
    terms: dict[str, float] = {}
    native: dict[str, None] = {}
    origins: dict[str, str] = {}
    found: list[Word] = []
    has_chinese = False
    for typed in words(folded):
        if not typed.isascii() and _cjk().match(typed):
            has_chinese = True
            for stretch in _stretches(typed):
                known = dict.fromkeys(filter(knows, cjk_terms("".join(stretch))))
                native |= known
                origins |= {term: term for term in known}
                for word in _translatable(stretch, known):
                    translated = _translate(word, knows)
                    for term, probability, _ in translated:
                        weight = math.sqrt(probability)
                        if weight > terms.get(term, 0.0):
                            terms[term] = weight
                            origins[term] = word
                    found.append(Word(word, _spellings(word, translated)))
            continue
        pieces = parts(typed)
        if not pieces or (len(pieces) == 1 and pieces[0] in STOP_WORDS):
            continue
        for term in word_terms(typed):
            terms[term] = 1.0
            origins[term] = typed
        found += [Word(piece, ((piece, 1.0),)) for piece in pieces]
    identifiers = tuple(_identifiers(folded))
    symbol = len(identifiers) == 1 and identifiers[0][1] == 1.0
    return Question(text, terms, tuple(native), tuple(found), identifiers, origins, symbol, has_chinese)


def _stretches(run: str) -> Iterator[list[str]]:
    """Cut a run of Chinese at its stop words, and yield the words of what lies between."""
    stretch: list[str] = []
    for word in _words_of(run):
        if word not in STOP_WORDS_ZH:
            stretch.append(word)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _words_of(run: str) -> Iterator[str]:
    """Cut a run of Chinese into words of the dictionary and what single characters between them spell together."""
    for is_single, pieces in itertools.groupby(segment(run), lambda piece: len(piece) == 1):
        if not is_single:
            yield from pieces
            continue
        characters = "".join(pieces)
        own = characters.strip(_STOP_CHARACTERS)
        before, after = characters.split(own) if own else (characters, "")
        yield from before
        if own:
            yield own
        yield from after


def _translatable(stretch: Iterable[str], known: Container[str]) -> Iterator[str]:
    """Yield the words of a stretch but suffixes; one of the asker's own that is not `known` character by character."""
    for word in stretch:
        whole = word in _dictionary() or any(term in known for term in cjk_terms(word))
        yield from (part for part in ((word,) if whole else word) if part not in _SUFFIXES_ZH)


def segment(run: str) -> list[str]:
    """Cut a run of Chinese into dictionary words: the likeliest sequence under their counts (unigram Viterbi)."""
    counts, total = _dictionary(), _total_count()
    unknown = math.log(0.5 / total)
    best = [0.0] + [-math.inf] * len(run)
    cut = [0] * (len(run) + 1)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - 8), end):
            count = counts.get(run[start:end])
            if count is None:
                if end - start > 1:
                    continue
                score = best[start] + unknown
            else:
                score = best[start] + math.log(count / total)
            if score > best[end]:
                best[end], cut[end] = score, start
    pieces = []
    end = len(run)
    while end:
        pieces.append(run[cut[end] : end])
        end = cut[end]
    return pieces[::-1]


def _translate(word: str, knows: Callable[[str], bool], *, most: int = 4) -> list[tuple[str, float, str]]:
    """Return the likeliest stems for a Chinese word that the index knows: stem, probability, commonest spelling; best first."""
    by_stem: dict[str, tuple[float, str]] = {}
    for english, probability in _translations(word):
        key = stem(english)
        before, spelling = by_stem.get(key, (0.0, english))
        by_stem[key] = (before + probability, spelling)
    known = [(term, probability, spelling) for term, (probability, spelling) in by_stem.items() if knows(term)]
    return sorted(known, key=lambda triple: -triple[1])[:most]


def _spellings(word: str, translated: Sequence[tuple[str, float, str]]) -> tuple[tuple[str, float], ...]:
    """Return what may stand for a Chinese word in a name: its best translations, and for a compound two of them joined."""
    if not translated:
        return ()
    best = translated[0][1]
    single = [(english, math.sqrt(probability / best)) for _, probability, english in translated[:3]]
    if len(word) < 3 or len(single) < 2:
        return tuple(single)
    (first, _), (second, likelihood) = single[:2]
    return (*single, (first + second, likelihood), (second + first, likelihood))


def _identifiers(text: str) -> Iterator[tuple[str, float]]:
    """Yield what may name a symbol with its strength: 1 alone, .5 camelCase or qualified, .25 Capitalised, .15 ACRONYM."""
    tokens = text.split()
    if len(tokens) == 1 and (match := _IDENTIFIER.fullmatch(tokens[0].strip("`'\"()"))):
        yield match.group(), 1.0
        return
    for at, token in enumerate(tokens):
        for match in _IDENTIFIER.finditer(token):
            name = match.group()
            if len(name) < 2:
                continue
            if re.search(r"[a-z0-9][A-Z]|[A-Za-z0-9]_[A-Za-z0-9]|::|->|\\|\w\.\w|#\w", name):
                yield name, 0.5
            elif name.isupper():
                yield name, 0.15
            elif name[0].isupper() and at > 0:
                yield name, 0.25


@cache
def _dictionary() -> dict[str, int]:
    return {word: count for word, (count, _) in _term_table().items()}


@cache
def _beginnings() -> frozenset[str]:
    """Return the first two characters of all dictionary words of three and four."""
    return frozenset(word[:2] for word in _dictionary() if len(word) in (3, 4))


@cache
def _total_count() -> int:
    return sum(_dictionary().values())


def _translations(word: str) -> Iterable[tuple[str, float]]:
    row = _term_table().get(word)
    if row is None:
        return
    for entry in row[1].split(" ")[:8]:
        english, _, probability = entry.rpartition(":")
        if english and float(probability) >= 0.04:
            yield english, float(probability)


@cache
def _term_table() -> dict[str, tuple[int, str]]:
    """Read the Chinese-English term table: word, count, English words with probabilities, tab-separated."""
    table: dict[str, tuple[int, str]] = {}
    for line in (catalogue.model_directory() / "terms.tsv").read_text("utf-8").splitlines():
        word, count, translations = line.split("\t")
        table[word] = (int(count), translations)
    return table


@cache
def _simplified() -> dict[int, str]:
    """Read the map from traditional to simplified characters."""
    rows: Sequence[str] = (catalogue.model_directory() / "t2s.txt").read_text("utf-8").split("\n")
    return {ord(traditional): simplified for row in rows if row for traditional, simplified in [row.split("\t")]}
