"""Ranking: what makes a chunk a good answer, as named features with fitted weights; pure functions over arrays and names.

Code and documentation are scored by linear models of their own, then joined in one list by how likely it is that the
question asks for documentation. Every weight is explainable: a feature's share of a score is its value times its weight.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from codeseek import analysis
from codeseek.analysis import Question

Floats = NDArray[np.float32]

# BM25F: rows are the sets code, section, comment; columns text, comment, name, breadcrumb, file, directory
CHUNK_WEIGHT = np.array([[1, 0.7, 6, 2, 8, 1], [1, 1, 4, 2, 2, 1], [1, 1, 4, 2, 4, 1]], np.float32)
CHUNK_B = np.array([[0.75, 0.75, 0.75, 0.5, 1, 0.5], [0.6, 0.6, 0.5, 0.5, 0.5, 0.5], [0.6, 0.6, 0.5, 0.5, 0.5, 0.5]], np.float32)
CHUNK_K1 = np.array([4, 1.5, 1.5], np.float32)
FILE_WEIGHT = np.array([[1, 1.4, 8, 0, 40, 2], [1, 1, 2, 0, 10, 2], [1, 1, 1, 1, 1, 1]], np.float32)
FILE_B = np.array([[0.2, 0.2, 0.2, 0.2, 1, 0.5], [0.1, 0.1, 0.2, 0.2, 1, 0.5], [0.2, 0.2, 0.2, 0.2, 1, 0.5]], np.float32)
FILE_K1 = np.array([8, 4, 8], np.float32)

CODE_WEIGHTS: Mapping[str, float] = {
    "chunk words": 1.0,
    "file words": 1.1,
    "meaning": 0.5,
    "definition": 0.85,
    "title": 1.6,
    "title share": 2.0,
    "title run": 0.65,
    "folder": 3.6,
    "symbol": 0.65,
    "central": 0.5,
    "size": 0.8,
    "depth": -0.55,
    "test": -1.6,
    "old": -2.6,
    "example": -0.36,
}
SECTION_WEIGHTS: Mapping[str, float] = {
    "chunk words": 1.5,
    "file words": 0.4,
    "meaning": 0.45,
    "title": 0.3,
    "coverage": 0.8,
    "length": 1.2,
    "test": -1.0,
    "old": -0.5,
    "example": -0.5,
    "changelog": -0.5,
    "foreign": -1.0,
}

SYMBOL_KIND_WEIGHT: Mapping[str, float] = {
    **dict.fromkeys(("class", "struct", "trait", "interface", "protocol", "module", "object"), 1.0),
    "enum": 0.95, "type": 0.9, "function": 0.9, "macro": 0.85, "method": 0.75, "namespace": 0.6, "const": 0.6,
    "impl": 0.55, "property": 0.5, "instance": 0.4,
}  # fmt: skip

_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|testing|testdata|fixtures?|mocks?|__mocks__)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.[^/]*|[^/]*_test\.[^/]*|[^/]*_spec\.[^/]*|[^/]*\.(?:test|spec)\.[^/]*)$"
    r"|(?:^|/)[A-Z][A-Za-z0-9]*(?:Tests?|Spec|Suite)\.[a-z]+$"
)
_OLD = re.compile(
    r"(?:^|/)(?:compat|legacy|deprecated|deprecations|vendor|vendored|third_party|external|v1|v2|old|experimental)/", re.IGNORECASE
)
_EXAMPLE = re.compile(r"(?:^|/)(?:examples?|samples?|demos?|docs|docs_src|benchmarks?|playground|website)/", re.IGNORECASE)
_CHANGELOG = re.compile(
    r"(?:^|/)(?:changelog|changes|history|news|releases?|release[-_]notes|whats[-_]?new|upgrading)[^/]*(?:/|$)", re.IGNORECASE
)
_ASKS_TEST = re.compile(r"\b(?:tests?|testing|mocks?|fixtures?|specs?|unittest|conftest)\b|测试|单测|用例", re.IGNORECASE)
_ASKS_EXAMPLE = re.compile(r"\b(?:examples?|samples?|demos?|tutorials?|benchmarks?)\b|示例|例子|样例|教程|演示|基准", re.IGNORECASE)
_ASKS_CHANGE = re.compile(r"\b(?:releases?|changes?|changed|version|upgrad\w+|changelog|migrat\w+)\b|升级|版本|变更|更新日志|发布|迁移", re.IGNORECASE)
_LANGUAGE_CODE = re.compile(r"^(?:[a-z]{2}|[a-z]{2}[-_](?:[A-Za-z]{2}|hans|hant|Hans|Hant)|zh[-_].+)$")
_TRANSLATED_NAME = re.compile(r"[._-](zh|cn|zh[-_]?(?:cn|tw|hk|hans|hant)|ja|jp|ko|kr|es|fr|de|ru|pt|pt[-_]br|it|tr|vi|uk|id)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Names:
    """How well the words of a question fit a file's names; each between 0 and 1."""

    title: float
    title_share: float
    title_run: float
    folder: float


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
            for text, value in spelled.items():
                runs[text] = max(value, runs.get(text, 0.0))
    for text, value in list(runs.items()):
        one = analysis.singular(text)
        runs[one] = max(value, runs.get(one, 0.0))
    return runs


def match_names(
    title: str, folders: Sequence[str], terms: Mapping[str, float], total: float, runs: Mapping[str, float]
) -> Names:
    """Compare a file's title and last folders with weighted terms (weight times idf); `total` is the sum of all of these."""
    total = total or 1.0
    parts = [analysis.stem(part) for part in analysis.parts(title.replace("-", "_"))]
    found, matched = 0.0, 0
    for part in parts:
        best = 0.0
        for term, weight in terms.items():
            if term == part:
                best = max(best, weight)
            elif term[:3] == part[:3] and weight * 0.7 > best:
                short, long = sorted((term, part), key=len)
                if len(short) >= 3 and 2 * len(short) >= len(long) and long.startswith(short):
                    best = weight * 0.7
        found += best
        matched += best > 0
    recall = min(1.0, found / total)
    name = "".join(analysis.parts(title.replace("-", "_")))
    in_folders = {analysis.stem(part) for folder in folders for part in analysis.parts(folder.replace("-", "_"))}
    return Names(
        title=recall * matched / max(1, len(parts)),
        title_share=min(1.0, matched / max(1, len(terms))),
        title_run=max(runs.get(name, 0.0), runs.get(analysis.singular(name), 0.0)),
        folder=min(1.0, sum(weight for term, weight in terms.items() if term in in_folders) / total),
    )


@dataclass(frozen=True, slots=True)
class Intent:
    """What kinds of files a question asks for by name, so that they are not held against an answer."""

    test: bool
    example: bool
    change: bool

    @classmethod
    def of(cls, text: str) -> Intent:
        """Read the intent from the question's words, English or Chinese."""
        return cls(bool(_ASKS_TEST.search(text)), bool(_ASKS_EXAMPLE.search(text)), bool(_ASKS_CHANGE.search(text)))


def path_priors(path: str, intent: Intent) -> dict[str, float]:
    """Say what a path alone speaks against: test, old, example, changelog; each 0 or 1, and 0 where the question asks for it."""
    return {
        "test": float(not intent.test and _TEST.search(path) is not None),
        "old": float(_OLD.search(path) is not None),
        "example": float(not intent.example and _EXAMPLE.search(path) is not None),
        "changelog": float(not intent.change and _CHANGELOG.search(path) is not None),
    }


def translation_of(path: str, siblings: Mapping[str, int]) -> str:
    """Return the language code of a page that is a translation (`docs/zh/…`, `README.ja.md`), or an empty string.

    `siblings` counts the folders with names like language codes beside each other, by parent: one alone means nothing.
    """
    parts = PurePosixPath(path).parts
    for at, part in enumerate(parts[:-1]):
        if _LANGUAGE_CODE.match(part) and siblings.get("/".join(parts[:at]), 0) >= 3:
            return part[:2].lower()
    if match := _TRANSLATED_NAME.search(PurePosixPath(path).name.split(".md")[0].split(".rst")[0]):
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


# words that tell a question about use (documentation) from one about construction (code); counted, three at most
_DOC_WORDS = re.compile(
    r"\b(?:install\w*|setup|set up|configur\w+|upgrad\w+|migrat\w+|deploy\w*|tutorial|guide|quickstart|getting started|document\w*|docs?|readme"
    r"|faq|troubleshoot\w*|why|how (?:do|can|to|should)|should i|can i|do i|my|i|error|fails?|failing|not|cannot|can't|doesn't|don't|won't|isn't"
    r"|instead|difference|compared?|versus|vs|recommended|best practice|example|supported|deprecat\w+|licen[cs]e|contribut\w+|without|after|when)\b",
    re.IGNORECASE,
)
_CODE_WORDS = re.compile(
    r"\b(?:implement\w*|definition|defined|class|function|method|struct|trait|interface|enum|macro|internals?|source|code|parser|algorithm"
    r"|logic|handling|how .{0,40} works?|where is|constructor|builder)\b",
    re.IGNORECASE,
)
_DOC_WORDS_ZH = re.compile(
    r"安装|配置|升级|迁移|部署|教程|指南|入门|文档|报错|错误|不能|无法|为什么|不生效|没有|失败|怎么办|怎么用|如何使用|区别|推荐|示例|例子"
    r"|支持|版本|我|要|应该|需要|可以|能不能|能否|吗|时"
)
_CODE_WORDS_ZH = re.compile(r"实现|定义|源码|代码|类|函数|内部|逻辑|原理|机制|算法|解析器|接口|结构体|宏|工作的|处理")


def asks_documentation(
    question: Question,
    *,
    cosine_gap: float,
    word_gap: float,
    coverage: float,
    title_run: float,
    symbol: float,
    code_top: float,
    section_top: float,
) -> float:
    """Return the likelihood that documentation answers the question rather than code.

    The gaps are documentation's best minus code's; the rest are code's best values of the features of these names.
    """
    text = question.text
    one_token = float(len(question.words) <= 1)
    strongest = max((strength for _, strength in question.identifiers), default=0.0)
    value = (
        3
        - float(question.is_symbol)
        + 2 * strongest
        - title_run
        - 4.5 * symbol
        - one_token
        + 5 * cosine_gap
        + 3 * word_gap
        - 3 * coverage
        - 0.67 * code_top
        + 0.83 * section_top
        + 2 * min(3, len(_DOC_WORDS.findall(text)))
        - 2 * min(3, len(_CODE_WORDS.findall(text)))
        + 2 * min(3, len(_DOC_WORDS_ZH.findall(text)))
        - 1 * min(3, len(_CODE_WORDS_ZH.findall(text)))
        - 0.5 * float(question.has_chinese)
    )
    steep = max(-2.5, min(2.5, 0.75 * (max(-5.0, min(5.0, value)) - 1)))
    return 1 / (1 + math.exp(-steep))


def join(code: int, sections: int, documentation: float) -> list[tuple[bool, int]]:
    """Merge two ranked lists of these lengths: (is a section, rank from 0), by rank over each list's likelihood."""
    keyed = [((rank + 0.5) / (1 - documentation), False, rank) for rank in range(code)]
    keyed += [((rank + 0.5) / documentation, True, rank) for rank in range(sections)]
    return [(is_section, rank) for _, is_section, rank in sorted(keyed)]


def standardised(cosines: Floats, among: NDArray[np.bool_]) -> Floats:
    """Return how many standard deviations each cosine lies above the mean of those in `among`."""
    chosen = cosines[among]
    if len(chosen) < 2:
        return np.zeros_like(cosines)
    deviation = float(chosen.std()) or 1.0
    result: Floats = (cosines - float(chosen.mean())) / deviation
    return result


def weighted(features: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Return the weighted sum of features, one value for each candidate."""
    total: Floats = sum(features[name] * np.float32(weight) for name, weight in weights.items() if name in features)  # type: ignore[assignment]
    return total
