"""What a question means: its terms with their weights, Chinese ones and what they may be called in English, its identifiers."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from codeseek import analysis

_IDENTIFIER = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:::|->|\\|\.|#)[A-Za-z_$][\w$]*)*[!?]?")
_STOP_WORDS_ZH = frozenset(
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
_STOP_CHARACTERS = "".join(word for word in _STOP_WORDS_ZH if len(word) == 1)
_PARTICLES = frozenset("的了吗呢吧啊么着和与及或而但是把被就都也还又很")  # no word of the asker's own has one in it
_BEGIN_WORDS = frozenset("上下内外前后中会")  # stop words, but in 上架, 下单, 外呼, 会签 a part of the word
_MEANINGLESS = frozenset("器化性式" + _STOP_CHARACTERS)  # by themselves
_LIKELY = 0.1  # that a translation is what a word stands for
_COUNT_OF_STOP_WORD = 300  # where the dictionary has none; about what it has of others


class Word(NamedTuple):
    """A word of a question: as typed, and the groups of words that it may stand for in code, each with its weight."""

    text: str
    alternatives: tuple[tuple[str, float], ...]


class Question(NamedTuple):
    """A question understood: terms with their weights, the words in order, identifiers with the strength of their claim.

    `typed` are all its words as they were written; `terms` holds English words and those that stand for Chinese ones with
    weights, `native` terms in Chinese script itself; `origins` the words as typed that terms come from, `places` which of
    the words it was, from 0.
    """

    text: str
    typed: Sequence[str]
    terms: dict[str, float]
    native: tuple[str, ...]
    words: tuple[Word, ...]
    identifiers: tuple[tuple[str, float], ...]
    origins: dict[str, str]
    places: dict[str, int]
    is_symbol: bool
    has_chinese: bool

    def only_native(self, word: Word) -> tuple[str, ...]:
        """Return the native terms of a word that nothing in English stands for, none of any other."""
        if word.alternatives:
            return ()
        return tuple(term for term in analysis.cjk_terms(word.text) if term in self.native)


def understand(text: str, knows: Callable[[str], bool]) -> Question:
    """Understand a question; `knows` tells whether the index holds a term, and limits native terms and translations to such.

    Chinese is looked for as it stands (overlapping pairs of characters and longer dictionary words) and by what its words
    may be called in English. Characters that make no word of the dictionary are one word of the asker's: only if the index
    does not know it either are they translated one by one. A word that only says in Chinese what the question has in English
    (`alias 别名`) adds nothing but itself.
    """
    folded = analysis.fold(text)
    every = analysis.words(folded)
    terms: dict[str, float] = {}
    native: dict[str, None] = {}
    origins: dict[str, str] = {}
    places: dict[str, int] = {}
    found: list[Word] = []
    has_chinese = False
    in_english = {term for typed in every if not analysis.is_cjk(typed) for term in analysis.word_terms(typed)}
    for typed in every:
        if analysis.is_cjk(typed):
            has_chinese = True
            for stretch in _stretches(typed, knows):
                known = dict.fromkeys(filter(knows, analysis.cjk_terms("".join(stretch))))
                native |= known
                origins |= {term: term for term in known}
                for word in _translatable(stretch, known):
                    translated = _translate(word, knows)
                    if any(term in in_english for term, probability, _ in translated if probability > _LIKELY):
                        continue
                    for term, probability, _ in translated:
                        weight = _weight_of(probability, translated[0][1])
                        if weight > terms.get(term, 0.0):
                            terms[term] = weight
                            origins[term] = word
                            places.setdefault(term, len(found))
                    found.append(Word(word, _spellings(word, translated)))
            continue
        pieces = analysis.parts(typed)
        if not pieces or (len(pieces) == 1 and pieces[0] in analysis.STOP_WORDS):
            continue
        for term in analysis.word_terms(typed):
            terms[term] = 1.0
            origins[term] = typed
            places.setdefault(term, len(found))
        found += [Word(piece, ((piece, 1.0),)) for piece in pieces]
    identifiers = tuple(_identifiers(folded))
    symbol = len(identifiers) == 1 and identifiers[0][1] == 1.0
    return Question(text, every, terms, tuple(native), tuple(found), identifiers, origins, places, symbol, has_chinese)


def _stretches(run: str, knows: Callable[[str], bool]) -> Iterator[list[str]]:
    """Cut a run of Chinese at its stop words, and yield the words of what lies between."""
    stretch: list[str] = []
    for word in _words_of(run, knows):
        if word not in _STOP_WORDS_ZH:
            stretch.append(word)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _words_of(run: str, knows: Callable[[str], bool]) -> Iterator[str]:
    """Cut a run of Chinese into words of the dictionary and what single characters between them spell together."""
    for is_single, pieces in itertools.groupby(segment(run), lambda piece: len(piece) == 1):
        if not is_single:
            yield from pieces
            continue
        for is_particle, characters in itertools.groupby(pieces, _PARTICLES.__contains__):
            together = "".join(characters)
            yield from together if is_particle else _without_ends(together, knows)


def _without_ends(characters: str, knows: Callable[[str], bool]) -> Iterator[str]:
    """Take characters for one word, but for stop words at its ends."""
    own = characters.strip(_STOP_CHARACTERS)
    before, after = characters.split(own) if own else (characters, "")
    if len(own) == 1 and before[-1:] in _BEGIN_WORDS and knows(before[-1] + own):
        before, own = before[:-1], before[-1] + own
    yield from before
    if own:
        yield own
    yield from after


def _translatable(stretch: Iterable[str], known: Container[str]) -> Iterator[str]:
    """Yield the words of a stretch that mean something; one of the asker's own that is not `known` character by character."""
    for word in stretch:
        whole = word in analysis.term_table() or any(term in known for term in analysis.cjk_terms(word))
        yield from (part for part in ((word,) if whole else word) if part not in _MEANINGLESS)


def segment(run: str) -> list[str]:
    """Cut a run of Chinese into dictionary words: the likeliest sequence under their counts (unigram Viterbi)."""
    counts, total = _counts(), _total_count()
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
        key = analysis.stem(english)
        before, spelling = by_stem.get(key, (0.0, english))
        by_stem[key] = (before + probability, spelling)
    known = [(term, probability, spelling) for term, (probability, spelling) in by_stem.items() if knows(term)]
    return sorted(known, key=lambda triple: -triple[1])[:most]


def _weight_of(probability: float, best: float) -> float:
    """Return what a translation weighs: the likeliest nearly as much as if it had been typed, however many there are."""
    return math.pow(best, 0.3) * math.sqrt(probability / best)


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
def _counts() -> dict[str, int]:
    return dict.fromkeys(_STOP_WORDS_ZH, _COUNT_OF_STOP_WORD) | analysis.dictionary()


@cache
def _total_count() -> int:
    return sum(analysis.dictionary().values())


def _translations(word: str) -> Iterable[tuple[str, float]]:
    _, _, translations = analysis.term_table().get(word, "").partition("\t")
    for entry in translations.split(" ")[:8]:
        english, _, probability = entry.rpartition(":")
        if english and float(probability) >= 0.04:
            yield english, float(probability)
