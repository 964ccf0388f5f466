"""Ranking: what makes a chunk a good answer, as named features with fitted weights; pure functions over arrays and names.

Code and documentation are scored by linear models of their own, then joined in one list by how likely it is that the
question asks for documentation. Every weight is explainable: a feature's share of a score is its value times its weight.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis
from codeseek.questions import Question
from codeseek.segments import file_title

Floats = NDArray[np.float32]

NATIVE_WEIGHT = (0.7, 0.4, 0.7)
"""Of a term in Chinese script, where one in English has 1, in code, sections and comments: code has such terms in its
comments alone, a translated page has them throughout, beside the page that it was made from."""

EMPHASIS = (0.6, 1.0, 0.6)
"""Of a question's last word where the first has 1, in code, sections and comments: "X for Y", "X and Y" and "how X does Y"
ask for X. Who asks documentation tells what he does first, and what he wants to know last."""

OWN_NAME = 0.4
"""What the project's own name weighs in a question: it is seldom what tells one of its files from another."""

LATER_IDENTIFIER = 0.7
"""What a claim to name a symbol is worth after the first in a question."""

FIRST_HALF = np.float32(0.3)
"""What the vector of an English question's first half counts beside that of the whole, among code."""

QUOTED = 12.0
"""What it adds to a score that a question stands in a chunk word for word: more than all else that tells answers apart."""

# BM25F: rows are the sets code, section, comment; columns text, comment, name, breadcrumb, file, directory
CHUNK_WEIGHT = np.array([[1, 0.7, 6, 2, 8, 1], [1, 1, 4, 2, 2, 1], [1, 1, 4, 2, 4, 1]], np.float32)
CHUNK_B = np.array(
    [[0.75, 0.75, 0.75, 0.5, 1, 0.5], [0.6, 0.6, 0.5, 0.5, 0.5, 0.5], [0.6, 0.6, 0.5, 0.5, 0.5, 0.5]], np.float32
)
CHUNK_K1 = np.array([4, 1.5, 1.5], np.float32)
FILE_WEIGHT = np.array([[1, 1.4, 8, 0, 40, 2], [1, 1, 2, 0, 10, 2], [1, 1, 1, 1, 1, 1]], np.float32)
FILE_B = np.array(
    [[0.2, 0.2, 0.2, 0.2, 1, 0.5], [0.1, 0.1, 0.2, 0.2, 1, 0.5], [0.2, 0.2, 0.2, 0.2, 1, 0.5]], np.float32
)
FILE_K1 = np.array([8, 4, 8], np.float32)

CODE_WEIGHTS: Mapping[str, float] = {  # fitted by tests/bench/fit.py
    "chunk words": 1.77,
    "file words": 2.47,
    "meaning": 0.86,
    "file meaning": 2.8,
    "comment meaning": 2.0,  # set by hand: fits give 1.0 to 1.9, Chinese comments are worth more (tests/bench/chinese.py)
    "definition": 2.33,
    "title": 2.56,
    "title share": 1.04,
    "title run": 0.83,
    "folder": 3.71,
    "symbol": 0.94,
    "central": 1.55,
    "size": 2.71,
    "depth": -0.51,
    "test": -3.28,
    "old": -3.37,
    "example": -3.69,
    "platform": -3.0,  # set by hand: one repository of the benchmark has such files; there fits give more
}
SECTION_WEIGHTS: Mapping[str, float] = {  # set by hand: fits to nine repositories do not hold on others
    "chunk words": 1.5,
    "file words": 0.4,
    "meaning": 0.45,
    "file meaning": 0.6,
    "title": 0.3,
    "coverage": 0.8,
    "length": 1.2,
    "test": -1.0,
    "old": -0.5,
    "example": -0.5,
    "changelog": -0.5,
    "licence": -3.0,
    "foreign": -1.0,
}

SYMBOL_KIND_WEIGHT: Mapping[str, float] = {
    **dict.fromkeys(("class", "struct", "trait", "interface", "protocol", "module", "object"), 1.0),
    "enum": 0.95, "type": 0.9, "function": 0.9, "macro": 0.85, "method": 0.75, "namespace": 0.6, "const": 0.6,
    "impl": 0.55, "property": 0.5, "instance": 0.4,
}  # fmt: skip

_TEST = re.compile(
    r"(?:^|/)(?:(?:integration_?|e2e_?|unit_?)?tests?|__tests__|specs?|testing|testdata|fixtures?|mocks?|__mocks__|e2e)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.[^/]*|[^/]*_test\.[^/]*|[^/]*_spec\.[^/]*|[^/]*\.(?:test|spec)\.[^/]*)$"
    r"|(?:^|/)[A-Z][A-Za-z0-9]*(?:Tests?|Spec|Suite)\.[a-z]+$"
)
_OLD = re.compile(
    r"(?:^|/)(?:compat|legacy|deprecated|deprecations|vendor|vendored|third_party|external|v1|v2|old|experimental)/",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"(?:^|/)(?:examples?|samples?|demos?|bench(?:es|marks?)?|playground)/", re.IGNORECASE)
_BESIDE = re.compile(r"(?:^|/)(?:docs|docs_src|website)/", re.IGNORECASE)  # code there serves the documentation
_PLATFORMS = {
    "win32": "win|win32|win64|windows|winrt|mingw|cygwin|msvc",
    "darwin": "darwin|macos|osx",
    "linux": "linux",
    "posix": "unix|posix",
    "": "freebsd|netbsd|openbsd|dragonfly|solaris|sunos|illumos|aix|haiku|hurd|plan9|os390|ibmi|qnx",
}
"""Words in paths of code for one platform alone, by what Python calls it."""

_CHANGELOG = re.compile(
    r"(?:^|/)(?:changelog|changes|history|news|releases?|release[-_]notes|whats[-_]?new|upgrading)[^/]*(?:/|$)",
    re.IGNORECASE,
)
_LICENCE = re.compile(r"(?:^|/)(?:licen[cs]es?|copying|copyright|notice|patents)(?:[-_.][^/]*)?(?:/|$)", re.IGNORECASE)
_ASKS_TEST = re.compile(
    r"\b(?:tests?|testing|mocks?|fixtures?|specs?|unittest|conftest)\b|测试|单测|用例", re.IGNORECASE
)
_ASKS_EXAMPLE = re.compile(
    r"\b(?:examples?|samples?|demos?|tutorials?|benchmarks?)\b|示例|例子|样例|教程|演示|基准", re.IGNORECASE
)
_ASKS_PLATFORM = re.compile(
    rf"\b(?:{'|'.join(_PLATFORMS.values())}|window|mac|bsd|platforms?)\b|平台|操作系统|窗口|微软|苹果", re.IGNORECASE
)
_ASKS_CHANGE = re.compile(
    r"\b(?:releases?|changes?|changed|version|upgrad\w+|changelog|migrat\w+)\b|升级|版本|变更|更新日志|发布|迁移",
    re.IGNORECASE,
)
_ASKS_LICENCE = re.compile(
    r"\b(?:licen[cs]\w*|copyright\w*|copying|notice|patents?|legal|mit|apache|gpl|bsd)\b|许可|授权协议|版权|专利|开源协议|商用",
    re.IGNORECASE,
)
_LANGUAGE_CODE = re.compile(r"^(?:[a-z]{2}|[a-z]{2}[-_](?:[A-Za-z]{2}|hans|hant|Hans|Hant)|zh[-_].+)$")
_TRANSLATED_NAME = re.compile(
    r"[._-](zh|cn|zh[-_]?(?:cn|tw|hk|hans|hant)|ja|jp|ko|kr|es|fr|de|ru|pt|pt[-_]br|it|tr|vi|uk|id)$", re.IGNORECASE
)


_BEGINNING = 3  # letters in which a word and a longer form of it agree at least


def emphasised(question: Question, own_name: Container[str]) -> dict[str, tuple[float, ...]]:
    """Return the weight of each term of a question in each set: less for later ones, and for those of the project's name."""
    last = max(1, len(question.words) - 1)
    weights = {}
    for term, weight in question.terms.items():
        share, place = weight * (OWN_NAME if term in own_name else 1), question.places[term] / last
        weights[term] = tuple(share * (1 - (1 - least) * place) for least in EMPHASIS)
    return weights


def title_runs(question: Question) -> dict[str, float]:
    """Return the names that one to four neighbouring words of the question spell together, with their likelihood."""
    runs: dict[str, float] = {}
    for start in range(len(question.words)):
        spelled: dict[str, float] = {"": 1.0}
        for word in question.words[start : start + 4]:
            spelled = {
                before + text: min(value, weight)
                for before, value in spelled.items()
                for text, weight in word.alternatives
            }
            spelled = dict(sorted(spelled.items(), key=lambda item: -item[1])[:_MOST_SPELLINGS])
            for text, value in spelled.items():
                runs[text] = max(value, runs.get(text, 0.0))
    for text, value in list(runs.items()):
        one = analysis.singular(text)
        runs[one] = max(value, runs.get(one, 0.0))
    return runs


class _PathNames(NamedTuple):
    parts: tuple[str, ...]
    beginnings: frozenset[str]
    names: tuple[str, str]
    folders: frozenset[str]


@lru_cache(maxsize=100_000)
def _path_names(path: str) -> _PathNames:
    *folders, _ = path.split("/")
    parts = analysis.parts(file_title(path).replace("-", "_"))
    stems, name = tuple(map(analysis.stem, parts)), "".join(parts)
    near = " ".join(folders[-2:]).replace("-", "_")
    return _PathNames(
        stems,
        frozenset(stem[:_BEGINNING] for stem in stems),
        (name, analysis.singular(name)),
        frozenset(map(analysis.stem, analysis.parts(near))),
    )


class Names(NamedTuple):
    """How well the words of a question fit the names of files, one value for each; all between 0 and 1."""

    title: Floats
    title_share: Floats
    title_run: Floats
    folder: Floats


class NameMatcher:
    """Compares files' titles and last folders with a question's terms; `terms` are weighted by weight times idf.

    `nameless` are the weights of words that stand in no name: a title that has all others is still but a part of the question.
    """

    def __init__(self, terms: Mapping[str, float], runs: Mapping[str, float], nameless: Sequence[float] = ()) -> None:
        self._terms = terms
        self._runs = runs
        self._total = sum(terms.values()) + sum(nameless) or 1.0
        self._count = len(terms) + len(nameless)
        self._matched: dict[str, float] = {}  # by part of a title: what its best term weighs
        self._by_beginning: dict[str, list[str]] = {}
        for term in terms:
            self._by_beginning.setdefault(term[:_BEGINNING], []).append(term)

    def match(self, paths: Sequence[str]) -> Names:
        """Return how well the words fit paths."""
        names = Names(*np.zeros((4, len(paths)), np.float32))
        begun, terms, runs = self._by_beginning, self._terms, self._runs
        for at, path in enumerate(paths):
            parts, beginnings, (name, singular), folders = _path_names(path)
            if not beginnings.isdisjoint(begun):
                names.title[at], names.title_share[at] = self._match_title(parts)
            if name in runs or singular in runs:
                names.title_run[at] = max(runs.get(name, 0.0), runs.get(singular, 0.0))
            if not folders.isdisjoint(terms):
                names.folder[at] = min(1.0, sum([terms.get(folder, 0.0) for folder in folders]) / self._total)
        return names

    def _match_title(self, parts: Sequence[str]) -> tuple[float, float]:
        found, matched = 0.0, 0
        for part in parts:
            weight = self._matched.get(part)
            if weight is None:
                weight = self._matched[part] = self._match_part(part)
            found += weight
            matched += weight > 0
        return min(1.0, found / self._total) * matched / len(parts), min(1.0, matched / self._count)

    def _match_part(self, part: str) -> float:
        best = 0.0
        for term in self._by_beginning.get(part[:_BEGINNING], ()):
            weight = self._terms[term]
            if term == part:
                best = max(best, weight)
            elif weight * 0.7 > best:
                short, long = (term, part) if len(term) < len(part) else (part, term)
                if len(short) >= _BEGINNING and 2 * len(short) >= len(long) and long.startswith(short):
                    best = weight * 0.7
        return best


class Intent(NamedTuple):
    """What kinds of files a question asks for by name, so that they are not held against an answer."""

    test: bool
    example: bool
    change: bool
    platform: bool
    licence: bool

    @classmethod
    def of(cls, text: str) -> Intent:
        """Read the intent from the question's words, English or Chinese."""
        signs = (_ASKS_TEST, _ASKS_EXAMPLE, _ASKS_CHANGE, _ASKS_PLATFORM, _ASKS_LICENCE)
        return cls(*(bool(sign.search(text)) for sign in signs))


@cache
def _platforms(platform: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds code for the platform that Python calls so, and code for others alone."""
    own = {platform} if platform == "win32" else {platform, "posix"}
    patterns = (
        "|".join(words for name, words in _PLATFORMS.items() if (name in own) is ours) for ours in (True, False)
    )
    first, second = (re.compile(rf"(?:^|[/_.-])(?:{words})[/_.-]", re.IGNORECASE) for words in patterns)
    return first, second


@lru_cache(maxsize=100_000)
def _path_signs(path: str, platform: str) -> bytes:
    own, other = _platforms(platform)
    patterns = (_TEST, _OLD, _EXAMPLE, _BESIDE, _CHANGELOG, _LICENCE, own, other)
    return bytes(pattern.search(path) is not None for pattern in patterns)


def path_priors(
    paths: Sequence[str], intent: Intent, *, is_code: bool, platform: str = sys.platform
) -> dict[str, Floats]:
    """Say what paths alone speak against: each 0 or 1, and 0 where the question asks for it.

    Tests, old code, examples, changelogs, licences; and code for another platform than this one where there is some for this one.
    """
    signs = np.frombuffer(b"".join([_path_signs(path, platform) for path in paths]), np.uint8).reshape(-1, 8)
    test, old, example, beside, changelog, licence, own, other = signs.T.astype(np.float32)
    priors = {
        "test": test * (not intent.test),
        "old": old,
        "example": (np.maximum(example, beside) if is_code else example) * (not intent.example),
    }
    if is_code:
        return priors | {"platform": other * (not intent.platform and own.any())}
    return priors | {"changelog": changelog * (not intent.change), "licence": licence * (not intent.licence)}


def translation_of(path: str, siblings: Mapping[str, int]) -> str:
    """Return the language code of a page that is a translation (`docs/zh/…`, `README.ja.md`), or an empty string.

    `siblings` counts the folders with names like language codes beside each other, by parent: one alone means nothing.
    """
    *folders, name = path.split("/")
    for at, folder in enumerate(folders):
        if _LANGUAGE_CODE.match(folder) and siblings.get("/".join(folders[:at]), 0) >= 3:
            return folder[:2].lower()
    if match := _TRANSLATED_NAME.search(name.split(".md")[0].split(".rst")[0]):
        return {"cn": "zh", "jp": "ja", "kr": "ko"}.get(match.group(1).lower(), match.group(1)[:2].lower())
    return ""


def language_folders(paths: Iterable[str]) -> dict[str, int]:
    """Count by parent folder the folders whose names look like language codes."""
    seen: dict[str, set[str]] = {}
    for folder in {path.rpartition("/")[0] for path in paths}:
        parts = folder.split("/")
        for at, part in enumerate(parts):
            if _LANGUAGE_CODE.match(part):
                seen.setdefault("/".join(parts[:at]), set()).add(part)
    return {parent: len(codes) for parent, codes in seen.items()}


# Words by which a question about use (documentation) differs from one about construction (code): a reader's own
# situation, trouble, wishes and commands speak for documentation; mechanisms and constructs speak for code.
_USE_WORDS = frozenset(
    "i my me we our us you your not no never nothing without instead anymore still only just error: errors: fail fails"
    " failed failing failure unexpected ignore ignored lost missing stuck stale wrong broken hang hangs stops stopped"
    " refused denied throws raises warning warnings should can may must could need want why which when do did install"
    " uninstall installing uninstalling installation setup configure configuring tutorial guide quickstart doc docs readme"
    " faq license licence deprecated supported recommended difference versus vs compared alternative production behind"
    " offline docker nginx issue release changelog example".split()
)
_USE_BEGINNINGS = ("vanish", "complain", "crash", "trouble", "upgrad", "migrat", "deploy", "contribut", "compatib")
_USE_PHRASES = (
    "any more", "is it", "are there", "what is", "what are", "what do", "what does", "what should", "set up",
    "getting started", "best practice", "pull request", "how to",
)  # fmt: skip
_COMMANDS = frozenset(
    "add access accept allow apply attach avoid build bypass call cap carry change check choose close completely convert"
    " create customise customize debug define detect disable download enable exclude export extend find force get give"
    " handle hide ignore import include increase keep kick limit list load make mock move open override pass pin prevent"
    " print publish read reduce register remove rename replace rerun reset restrict retry return reuse run save send"
    " separate serve set share show skip specify speed split spread start stop store stream swap switch tell test throttle"
    " treat trust turn update upload use validate verify wait write".split()
)
_CONSTRUCTION_WORDS = frozenset(
    "internal internals definition algorithm logic mechanism struct trait class enum macro interface function method"
    " handling parsing management generation registration serialization resolution propagation initialization dispatch"
    " dispatching binding".split()
)
_NOT_MECHANISM = frozenset("to do can should could would long many much".split())
_VERSION = re.compile(r"\bv?\d+\.\d+\b|\bv\d+\b")
_EXCEPTION = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Warning)\b")


@cache
def _use_in_chinese() -> re.Pattern[str]:
    return re.compile(
        r"安装失败|怎么安装|卸载|升级|迁移到|部署|教程|指南|入门|报错|(?<!汇)报(?!告|文)|不能|无法|不了"
        r"|不(?:生效|触发|执行|支持|认|兼容|到|用|想|让|会|再|住|上|应)|没|为什么"
        r"|(?:^|[,，。?？;；]\s*)(?:怎么|怎样)|怎么(?:办|用|修|装|配|设|开|关|改|指定|调|查)"
        r"|哪(?:个|些|里|种)|什么(?:时候|情况|原因|意思|区别|问题)|会不会|能不能|能否|可不可以|要不要|吗|我|该|需要|可以|应该|想"
        r"|才|却|而不是|丢|挂了|只|时$|之后|以后|后[,，]|了(?:$|[,，])|推荐|示例|例子|区别|如果|多少|为准|顺序|优先级"
    )


@cache
def _construction_in_chinese() -> re.Pattern[str]:
    return re.compile(
        r"实现|定义|源码|源代码|内部|逻辑|原理|机制|算法|结构体|接口|函数|类型|宏|是(?:怎么|如何)|(?<=[^\s，,。？?])\s*如何"
        r"|(?:处理|解析|管理|注册|生成|序列化|渲染|调度|分发)$"
    )


def _count_use(text: str) -> int:
    """Count the words and forms of a question that speak of use."""
    lower = text.lower()
    spaced = lower.replace(",", " ").replace("?", " ").split()
    count = sum(word in _USE_WORDS or word.startswith(_USE_BEGINNINGS) or word.endswith("n't") for word in spaced)
    count += sum(word == "does" and before != "how" for before, word in pairwise(["", *spaced]))
    count += sum(phrase in lower for phrase in _USE_PHRASES)
    count += len(_VERSION.findall(lower)) + len(_EXCEPTION.findall(text))
    if text.isascii():
        return count + (len(spaced) > 1 and spaced[0] in _COMMANDS)
    return count + len(_use_in_chinese().findall(text))


def _count_construction(text: str) -> int:
    """Count the words and forms of a question that speak of construction."""
    spaced = text.lower().split()
    count = sum(word in _CONSTRUCTION_WORDS or word.startswith("implement") for word in spaced)
    if "how" in spaced:
        following = spaced[spaced.index("how") + 1 :]
        asks = bool(following) and following[0] not in _NOT_MECHANISM
        count += asks and (following[0] in ("is", "are", "does") or any(word.endswith("s") for word in following[1:6]))
    return count if text.isascii() else count + len(_construction_in_chinese().findall(text))


DOCUMENTATION_WEIGHTS: Mapping[str, float] = {
    "use words": 2.5, "construction words": -0.9, "symbol query": -1.5, "identifiers": 0.75, "one word": -0.75,
    "cosine gap": 4.7, "coverage": -2.8, "title run": -1.2, "symbol": -2.6, "section top": 0.9, "bias": -2.9,
}  # fmt: skip
CHOSEN_SHARE = np.float32(0.6)
"""How much of the meaning is the chosen model's; see `tests/bench/tiers.py`."""

_MOST_SPELLINGS = 16  # of one run of words, the likeliest: a Chinese word has several
_SUREST = 3.0  # log odds


def documentation_features(question: Question) -> dict[str, float]:
    """Say what the words of a question tell of whether it asks for documentation."""
    return {
        "use words": min(3.0, _count_use(question.text)),
        "construction words": min(2.0, _count_construction(question.text)),
        "symbol query": float(question.is_symbol),
        "identifiers": max((strength for _, strength in question.identifiers), default=0.0),
        "one word": float(len(question.words) <= 1),
        "bias": 1.0,
    }


def asks_documentation(features: Mapping[str, float]) -> float:
    """Return the likelihood, by a logistic model, that documentation answers a question rather than code."""
    odds = sum(features[name] * weight for name, weight in DOCUMENTATION_WEIGHTS.items())
    return 1 / (1 + math.exp(-max(-_SUREST, min(_SUREST, odds))))


def of_quotation(documentation: float, in_code: float, in_sections: float) -> float:
    """Return the likelihood that documentation answers a question of which so much is quoted in code and in sections."""
    if in_code:
        likely, surely = (0.45 if in_sections else 0.2), in_code
        return min(documentation, surely * likely + (1 - surely) * documentation)
    return max(documentation, in_sections * 0.8 + (1 - in_sections) * documentation)


def join(code: int, sections: int, documentation: float) -> list[tuple[bool, int]]:
    """Merge two ranked lists of these lengths: (is a section, rank from 0), by rank over each list's likelihood."""
    keyed = [((rank + 0.5) / (1 - documentation), False, rank) for rank in range(code)]
    keyed += [((rank + 0.5) / documentation, True, rank) for rank in range(sections)]
    return [(is_section, rank) for _, is_section, rank in sorted(keyed)]


def of_two_models(bundled: Floats, chosen: Floats) -> Floats:
    """Join two models' standard scores; where the chosen one knows nothing (NaN) the bundled one's stand alone."""
    return np.where(np.isnan(chosen), bundled, (1 - CHOSEN_SHARE) * bundled + CHOSEN_SHARE * chosen)


def weighted(values: Floats, weights: Sequence[float]) -> Floats:
    """Return the weighted sum of features, [features, candidates], one value for each candidate."""
    total: Floats = (values * np.array(weights, np.float32)[:, None]).sum(0)
    return total
