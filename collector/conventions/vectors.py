"""Vector databases, as OpenLLMetry, OpenLIT and Langtrace write them: a search in one is a retrieval.

What was found comes as events (`db.query.result`, `db.search.result`, `db.chroma.query.result`), one a hit; what was
asked only from some. Whatever else such a database does (adding, deleting) stays a call to a database.
Names: opentelemetry-semantic-conventions-ai, openlit and langtrace-python-sdk on PyPI.
"""

from __future__ import annotations

import re
from typing import Any

from collector.conventions.events import HITS
from collector.conventions.found import Convention, Found
from collector.conventions.values import mapping, pythonic, text
from collector.model import Event, SpanPart

_SEARCHES = frozenset({
    "query", "search", "query_points", "query_batch_points", "search_batch", "search_groups", "recommend", "discover",
    "hybrid_search", "similarity_search", "bm25", "hybrid", "near_text", "near_vector", "near_object",
})  # fmt: skip
_CONTENT = ("document", "text", "content", "page_content", "chunk", "body")
"""Where a hit's text stands, in itself or in what was kept beside its vector."""
_NO_TEXT = re.compile(r"(?:embeddings|vectors?)=\d+ vectors?|\[?-?\d[\d.eE, -]*\]?")


def _prepare(found: Found, part: SpanPart) -> None:
    slots = found.slots
    hits = [_hit(event) for event in part.events if event.name.endswith(HITS)]
    if not hits and "vectors.top_k" not in slots and not _searches(found, part.name or ""):
        slots.setdefault("kind", "db")
        return
    slots.setdefault("kind", "retriever")
    if hits:
        slots.setdefault("documents", hits)
    if "vectors.top_k" in slots:
        found.params.setdefault("top_k", slots["vectors.top_k"])
    asked = text(slots.get("vectors.query")) or _text_of(slots.get("vectors.asked"))
    if asked is not None and _NO_TEXT.fullmatch(asked) is None:
        slots.setdefault("query", asked)


def _text_of(arguments: Any) -> str | None:
    """The first text among Langtrace's copy of a query's arguments."""
    texts = (mapping(arguments) or {}).get("query_texts")
    return text(texts[0] if isinstance(texts, list) and texts else texts)


def _searches(found: Found, name: str) -> bool:
    """By the operation's name, else by the last words of the span's ("qdrant.query_points", Weaviate's "query.get")."""
    operation = text(found.slots.get("vectors.operation")) or name.rpartition(".")[2]
    return operation.lower() in _SEARCHES or ".query." in name


def _hit(event: Event) -> dict[str, Any]:
    """One hit. A distance is its database's number, too: it counts as the score where there is no other."""
    said = {key.removeprefix(event.name + "."): value for key, value in event.attributes.items()}
    beside = pythonic(said.pop("metadata", None) or said.pop("entity", None))
    meta: dict[str, Any] = beside if isinstance(beside, dict) else {}
    out: dict[str, Any] = {
        "id": said.pop("id", said.pop("_id", None)),
        "score": said.pop("score", said.pop("_score", said.get("distance"))),
    }
    if isinstance(meta.get("entity"), dict):
        meta = meta["entity"]
    said.pop("vector", None)
    out["content"] = next((where[key] for where in (said, meta) for key in _CONTENT if text(where.get(key))), None)
    out["metadata"] = {**meta, **{key: value for key, value in said.items() if value not in (None, out["content"])}}
    return out


_OF_OPENLLMETRY = ("chromadb", "qdrant", "pinecone", "weaviate", "milvus", "lancedb", "marqo")

VECTORS = Convention(
    "vector-db",
    own=("db.vector.", "db.chroma.", "db.milvus.", "db.pinecone.", "db.marqo.", "db.weaviate.", "pinecone.", "qdrant."),
    slots={
        "vectors.top_k": "db.vector.query.top_k pinecone.query.top_k db.top_k db.chroma.query.n_results"
        " db.milvus.search.limit",
        "vectors.operation": "db.operation.name db.operation",
        "vectors.query": "db.marqo.search.query db.query.text",
        "vectors.asked": "db.query",
    },
    heard="pinecone. qdrant. chroma. milvus. weaviate.",
    scopes=tuple(f"opentelemetry.instrumentation.{name}" for name in _OF_OPENLLMETRY),
    prepare=_prepare,
)
