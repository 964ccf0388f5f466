"""Questions from commit messages: what was changed, answered by the files that were changed.

Git only reads here. Nothing in a repository's configuration is run: no hook, filter, pager, signature check, file system
monitor or text conversion is involved in `git log` with these options, and no object is fetched.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from codeseek.mining import wording
from codeseek.mining.question import Question, Target

_MOST_COMMITS = 3_000
_MOST_BYTES = 64 << 20
_TIMEOUT_S = 60
_MOST_FILES = 4
"""A commit that touches more is about more than its message says."""

_LONGEST_SUBJECT = 400
_START, _FIELD = "\x1e", "\x1f"
_OPTIONS = (
    "--no-pager", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-c", "core.attributesFile=",
    "-c", "core.hooksPath=/dev/null",
)  # fmt: skip
_LOG = (
    "log", "HEAD", f"--max-count={_MOST_COMMITS}", "--no-merges", "--no-ext-diff", "--no-textconv", "--no-renames",
    "--no-show-signature", "--no-color", "--no-decorate", "--no-notes", "--no-mailmap", "--encoding=UTF-8", "--relative",
    "--name-only", "-z", f"--format={_START}%an{_FIELD}%s{_FIELD}",
)  # fmt: skip

_BOT = re.compile(r"\[bot\]|dependabot|renovate|greenkeeper|snyk|github-actions|\bbot\b", re.IGNORECASE)
_PREFIX = re.compile(
    r"\A(?:\s*(?:\[[^\]]{1,30}\]|【[^】]{1,12}】|!\d+|[A-Z]{2,10}-\d+\s*:?|:\w+:|[\u2600-\u27bf\U0001f300-\U0001faff\ufe0f]"
    r"|(?:feat|fix|perf|refactor|improve|add|enhance\w*|bugfix|hotfix)(?:\([^)]*\))?!?:|fix(?:es|ed)?\s+#\d+\s*[:.-]?))+\s*"
)
_REFERENCE = re.compile(
    r"\s*[（(]?(?:(?:pr|issue|close[sd]?|fix(?:e[sd])?|refs?|see)?\s*!?#\w+(?:@\w+)?[,，\s]*)+[)）]?|\s*\[(?:ci skip|skip ci)\]"
    r"|\s*\([A-Z]{2,10}-\d+\)",
    re.IGNORECASE,
)
_ROUTINE = re.compile(
    r"\A\W*(?:"
    r"merge|revert|bump|release|version|v?\d+\.\d|prepare|start version|following the release|initial commit|init\b|minor\b"
    r"|update[sd]? (?:dependenc|dev|requirements|lock|readme|changelog|version|api|\S+\.\w+\Z)|upgrade|pin |wip\b"
    r"|fixup!|squash!|amend!|typos?\b|lint|reformat|format|apply (?:black|ruff|rustfmt|clippy|prettier|suggestion)"
    r"|run (?:black|ruff|rustfmt)|(?:move|rename) \S+ to|new translations|translat\w+|code review|address\w* (?:review|comment)"
    r"|cherry.pick|backport|sync\b|correct [0-9a-f]{7}"
    r"|(?:fix\w*|correct\w*|add\w*|update\w*|clean\w*|remove\w*|more|some|small)"
    r"(?: (?:up|some|a|the|more|minor|broken|failing|unused|missing|trailing|flaky|old|doc|code))* (?:tests?|typos?|lint\w*"
    r"|format\w*|style|whitespace|imports?|comments?|docs?|docstrings?|changelog|build|ci|warnings?|links?|examples?)\b"
    r"|(?:chore|ci|build|docs?|style|tests?|deps|release|revert)(?:\([^)]*\))?!?:"
    r"|发布|版本|升级|更新(?:依赖|版本|文档|日志|说明)|合并|回滚|修复?(?:拼写|注释|格式|测试)"
    r"|(?:增加|添加|补充|修改|优化)(?:注释|测试|文档|用例)|格式化"
    r")|\bbump(?:s|ed)?\b.*\bfrom\b.*\bto\b|pre-commit autoupdate|signed-off-by",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(?:^|/)(?:change(?:log|s)|history|news|releases?|release[-_]notes|contributors|authors|readme|version)[^/]*(?:/|$)"
    r"|lock\b|(?:^|/)(?:\.github|\.circleci|\.gitlab)/",
    re.IGNORECASE,
)


def questions(root: Path, paths: Collection[str], wanted: Collection[str]) -> Iterator[Question]:
    """Yield what commits say they changed, newest first, where these are a few of the files that there are still.

    Of these only those `wanted` are answers: whoever changes something changes its tests too.
    """
    if not os.path.lexists(root / ".git"):
        return
    known = frozenset(paths)
    for entry in _log(root).split(_START)[1:]:
        author, subject, names = [*entry.split(_FIELD, 2), "", ""][:3]
        touched = [name for part in names.split("\0") if (name := part.strip("\n")) and not _ASIDE.search(name)]
        changed = sorted(name for name in touched if name in wanted)
        asked = _asked(subject)
        if not asked or _BOT.search(author) or not 0 < len(changed) <= _MOST_FILES or len(touched) > 2 * _MOST_FILES:
            continue
        if not known.issuperset(touched):
            continue  # renamed or deleted since: what is left may not be what it was about
        yield Question(asked, "commit", wording.tongue(asked), tuple(Target(path) for path in changed))


def _asked(subject: str) -> str:
    """Return what a commit's first line asks for, an empty text where it is routine."""
    if len(subject) > _LONGEST_SUBJECT or _ROUTINE.search(subject):
        return ""
    text = wording.unmarked(_REFERENCE.sub(" ", _PREFIX.sub("", subject))).rstrip(".。 ")
    return "" if _ROUTINE.search(text) or not wording.is_question(text) else text


def _log(root: Path) -> str:
    """Return the newest commits; an empty text where git is not installed, refuses, or takes too long."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_ALLOW_PROTOCOL": "none",  # a repository that lacks objects must not fetch them
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PAGER": "cat",
        "LC_ALL": "C",
    }
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                ["git", "-C", os.fspath(root), *_OPTIONS, *_LOG],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        output.seek(0)
        return output.read(_MOST_BYTES).decode("utf-8", "replace")
