"""English strings and their traditional Chinese translations, from the localisation files of git repositories.

XLIFF and gettext, which hold both, and what lies beside its English original: Java properties, JSON strings, Windows
resources (`*_zh_TW.properties`, `zh-TW/…` beside `en-US/…` or `en/…`, `*.zh-Hant.json` beside `*.en.json`).
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

_LONGEST = 300
_HAN = re.compile("[㐀-鿿]")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_GETTEXT = re.compile(r'(?:(msgid|msgstr|msgctxt|msgid_plural|msgstr\[\d\])\s+)?"(.*)"\s*$')
_HANT = ("zh-Hant", "zh_Hant", "zh-TW", "zh_TW", "zh-HK", "zh_HK")
_ENGLISH = ("en-US", "en", "")


def pairs(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (English, traditional Chinese), each pair once, files in order of their paths."""
    seen: set[tuple[str, str]] = set()
    for path in sorted(path for path in root.rglob("*") if any(mark in str(path) for mark in _HANT) and path.is_file()):
        for english, chinese in _of_file(path):
            pair = " ".join(english.split()), " ".join(chinese.split())
            if pair not in seen and all(2 <= len(text) <= _LONGEST for text in pair) and _HAN.search(pair[1]):
                seen.add(pair)
                yield pair


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    if path.suffix in {".xlf", ".po"}:
        yield from (_of_xliff if path.suffix == ".xlf" else _of_gettext)(path)
        return
    read = {".properties": _properties, ".json": _strings, ".resjson": _strings, ".resw": _resources}.get(path.suffix)
    if read is None:
        return
    for english in _english_of(path):
        if english.is_file() and english != path:
            source, target = read(english), read(path)
            yield from ((source[key], text) for key, text in target.items() if key in source)
            return


def _english_of(path: Path) -> Iterator[Path]:
    """Yield where the English original of a translated file may lie."""
    for mark in _HANT:
        if mark in str(path):
            for english in _ENGLISH:
                name = (
                    str(path)
                    .replace(f"_{mark}", f"_{english}".rstrip("_"))
                    .replace(f".{mark}", f".{english}".rstrip("."))
                )
                yield Path(name.replace(f"/{mark}/", f"/{english}/" if english else "/"))


def _of_xliff(path: Path) -> Iterator[tuple[str, str]]:
    try:
        tree = ET.parse(path)  # noqa: S314  what the pipeline is given was chosen by hand
    except ET.ParseError:
        return
    for unit in tree.iter():
        if unit.tag.endswith("trans-unit"):
            texts = {child.tag.rpartition("}")[2]: "".join(child.itertext()) for child in unit}
            if texts.get("source") and texts.get("target"):
                yield texts["source"], texts["target"]


def _of_gettext(path: Path) -> Iterator[tuple[str, str]]:
    for entry in re.split(r"\n\s*\n", path.read_text("utf-8", "replace")):
        texts = {"msgid": "", "msgstr": ""}
        at = ""
        for line in entry.splitlines():
            if match := _GETTEXT.match(line):
                at = match[1] or at
                texts[at] = texts.get(at, "") + match[2].replace('\\"', '"').replace("\\n", " ")
        if texts["msgid"] and texts["msgstr"] and "#, fuzzy" not in entry:
            yield texts["msgid"], texts["msgstr"]


def _resources(path: Path) -> Mapping[str, str]:
    try:
        tree = ET.parse(path)  # noqa: S314  as above
    except ET.ParseError:
        return {}
    return {str(unit.get("name")): unit.findtext("value") or "" for unit in tree.iter("data")}


def _properties(path: Path) -> Mapping[str, str]:
    text = re.sub(r"\\\r?\n[ \t]*", "", path.read_text("utf-8", "replace"))
    found = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.lstrip().startswith(("#", "!")):
            found[key.strip()] = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value.strip())
    return found


def _strings(path: Path) -> Mapping[str, str]:
    try:
        found = json.loads(path.read_text("utf-8-sig", "replace"))
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def main() -> None:
    """Write the pairs of all repositories in a folder: `localisations.py REPOSITORIES FILE.jsonl.gz`."""
    folder, target = map(Path, sys.argv[1:])
    with gzip.open(target, "wt", encoding="utf-8") as stream:
        for root in sorted(path for path in folder.iterdir() if path.is_dir()):
            for english, chinese in pairs(root):
                line = {"en": english, "zh": chinese, "src": root.name.replace("+", "/", 1)}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
