"""Cut a file into chunks: by its language's chunker, by lines where there is none."""

from __future__ import annotations

from codeseek.languages import LANGUAGES
from codeseek.records import Chunk, SourceFile


def chunk(file: SourceFile, text: str) -> list[Chunk]:
    """Return the chunks of a file: those that tile it in order, then the comments that lie over them."""
    language = LANGUAGES.get(file.language)
    group = language.group if language is not None else "code"
    if group == "docs":
        from codeseek.chunkers import prose

        return prose.chunk(file, text)
    if group == "config":
        from codeseek.chunkers import config

        return config.chunk(file, text)
    from codeseek.chunkers import code

    return code.chunk(file, text)
