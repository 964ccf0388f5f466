"""Mine questions whose answers are known from what a project says of itself: comments, documentation and commits."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from codeseek import ranking, walker
from codeseek.languages import LANGUAGES
from codeseek.mining.question import Hidden, Question, Source, shuffled_key
from codeseek.records import SourceFile

SHARES: Mapping[Source, float] = {"docstring": 0.4, "comment": 0.2, "documentation": 0.2, "commit": 0.2}
"""How many of all questions each source gives, where each has enough."""

_MOST_OF_FILE = 3  # questions of a source, or more in a project of few files: a few should not stand for all
_SPARE = 2.0  # candidates for each question wanted, since some say what is said elsewhere too
_MARKUP = frozenset(("markdown", "rst", "asciidoc", "org", "rdoc"))
_AROUND_LINE = " \t\r\n/*#\"'-;!<>=%.。"
_SHORTEST_LINE = 20
_LETTERS = re.compile(r"\w")


def mine(
    root: Path, files: Sequence[SourceFile], count: int, seed: int, advance: Callable[[int, str], None]
) -> list[Question]:
    """Return questions, about twice as many as are wanted, in a random order that depends on seed and question alone.

    Files are read in such an order too, and only until there are enough. `advance` hears of them.
    """
    enough = {source: int(share * count * _SPARE) + 1 for source, share in SHARES.items()}
    answering = {str(file.path) for file in files if _may_answer(file)}
    pool = _Pool(seed, max(_MOST_OF_FILE, 2 * max(enough.values()) // max(len(answering), 1)))
    for file in sorted(files, key=lambda file: shuffled_key(seed, str(file.path))):
        language, wanted = LANGUAGES.get(file.language), str(file.path) in answering
        advance(1, str(file.path))
        if language is not None and language.group == "code" and wanted and pool.lacks(enough, "docstring", "comment"):
            from codeseek.mining import comments

            pool.add(comments.questions(file, text_of(root, file)))
        elif file.language in _MARKUP and wanted and pool.lacks(enough, "documentation"):
            from codeseek.mining import sections

            pool.add(sections.questions(file, text_of(root, file)))
    from codeseek.mining import commits

    by_file: dict[str, list[Question]] = defaultdict(list)
    for question in commits.questions(root, {str(file.path) for file in files}, answering):
        by_file[question.targets[0].path].append(question)
    for asked in by_file.values():
        pool.add(asked)
    every = [question for questions in pool.of.values() for question in questions]
    told = Counter(_folded(question.text) for question in every)
    every = [question for question in every if told[_folded(question.text)] == 1]
    return sorted(every, key=lambda question: shuffled_key(seed, question.key))


def choose(pool: Iterable[Question], count: int) -> list[Question]:
    """Return so many of the questions, each source's share of them; what one source lacks the others give."""
    by_source: dict[Source, list[Question]] = defaultdict(list)
    for question in pool:
        by_source[question.source].append(question)
    taken = dict.fromkeys(SHARES, 0)
    while (left := count - sum(taken.values())) > 0:
        open_ = [source for source in SHARES if taken[source] < len(by_source[source])]
        if not open_:
            break
        whole = sum(SHARES[source] for source in open_)
        for source in open_:
            more = min(max(round(left * SHARES[source] / whole), 1), count - sum(taken.values()))
            taken[source] = min(taken[source] + more, len(by_source[source]))
    return [question for source, number in taken.items() for question in by_source[source][:number]]


def text_of(root: Path, file: SourceFile) -> str:
    """Return a file's text as the index has it, an empty one where it is not worth indexing."""
    try:
        return walker.read_text(root, file).encode("utf-8", "replace").decode()
    except walker.Unreadable:
        return ""


def telling_lines(question: Question, texts: Mapping[str, str]) -> list[str]:
    """Return the lines, bare of comment signs, that would tell the answer wherever else they stand."""
    lines = [
        bare_line(line)
        for hidden in question.hidden
        for line in texts[hidden.path][hidden.start : hidden.end].splitlines()
    ]
    return [line for line in lines if len(line) >= _SHORTEST_LINE][:2]


def bare_line(line: str) -> str:
    """Return a line without the signs that make it a comment."""
    return line.strip(_AROUND_LINE)


def blanked(text: str, hidden: Iterable[Hidden]) -> str:
    """Return a text with every letter and digit of what is to be hidden made a space; lines stay where they are."""
    for _, start, end in hidden:
        text = text[:start] + _LETTERS.sub(" ", text[start:end]) + text[end:]
    return text


def _may_answer(file: SourceFile) -> bool:
    """Tell whether a file is one that people look for: no test, example, changelog or copy of another's code."""
    path, intent = [str(file.path)], ranking.Intent.of("")._replace(platform=True)  # the same on every machine
    signs = ranking.path_priors(path, intent, is_code=False)
    if file.language not in _MARKUP:
        signs |= ranking.path_priors(path, intent, is_code=True)
    return not any(values.any() for values in signs.values())


class _Pool:
    """The questions so far, by source, no more than `most_of_file` of each file and source."""

    def __init__(self, seed: int, most_of_file: int) -> None:
        self.of: dict[Source, list[Question]] = defaultdict(list)
        self._seed = seed
        self._most = most_of_file

    def lacks(self, enough: Mapping[Source, int], *sources: Source) -> bool:
        """Tell whether there are fewer of a source than are enough."""
        return any(len(self.of[source]) < enough[source] for source in sources)

    def add(self, found: Iterable[Question]) -> None:
        """Add a file's questions."""
        taken: Counter[Source] = Counter()
        for question in sorted(found, key=lambda question: shuffled_key(self._seed, question.key)):
            taken[question.source] += 1
            if taken[question.source] <= self._most:
                self.of[question.source].append(question)


def _folded(text: str) -> str:
    return "".join(_LETTERS.findall(text.lower()))
