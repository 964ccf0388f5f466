"""Cut a file into chunks: by its language's chunker, by lines where there is none."""

from __future__ import annotations

from codeseek.documents.record import Document
from codeseek.languages import LANGUAGES
from codeseek.records import Chunk, SourceFile


def chunk(file: SourceFile, text: str) -> list[Chunk]:
    """Return the chunks of a file: those that tile it in order, then the comments that lie over them."""
    language = LANGUAGES.get(file.language)
    group = language.group if language is not None else "code"
    if group == "docs":
        if file.language == "html":
            from codeseek.documents import html

            if page := html.page(text):
                return cut(file, page)
        from codeseek.chunkers import prose

        return prose.chunk(file, text)
    if group == "config":
        from codeseek.chunkers import config

        return config.chunk(file, text)
    from codeseek.chunkers import code

    return code.chunk(file, text)


def cut(file: SourceFile, document: Document) -> list[Chunk]:
    """Return the chunks of what was read out of a document."""
    from codeseek.chunkers import document as documents

    return documents.cut(file, document)
