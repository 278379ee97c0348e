"""Documents that a model put in order, from what it was given and what it said of it."""

from __future__ import annotations

from typing import Any

from collector.model import Document
from collector.protocols.llm.plainly import fields, text


def documents(candidates: Any, ranked: Any) -> tuple[Document, ...]:
    """Those that came back, the best first, or all that were given where none did. `ranked` holds {"index",
    "relevance_score"}, and some the document again."""
    given = candidates if isinstance(candidates, list) else []
    if not isinstance(ranked, list) or not ranked:
        return tuple(Document(content=_words(one), rank_before=at) for at, one in enumerate(given))
    return tuple([_ranked(given, at, fields(one)) for at, one in enumerate(ranked)])


def _ranked(given: list[Any], at: int, said: dict[str, Any]) -> Document:
    index, score = said.get("index"), said.get("relevance_score")
    before = index if isinstance(index, int) and 0 <= index < len(given) else None
    content = _words(said.get("document")) or (_words(given[before]) if before is not None else None)
    number = float(score) if isinstance(score, int | float) else None
    return Document(content=content, score=number, rank=at, rank_before=before)


def _words(document: Any) -> str | None:
    return text(document) or text(fields(document).get("text"))
