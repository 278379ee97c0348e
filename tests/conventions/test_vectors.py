"""Searches in vector databases, as several instrumentations write them."""

from __future__ import annotations

from typing import Any

import pytest

from collector import conventions
from collector.model import Document, Event, Reading, SpanPart, Usage

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def read(name: str, attributes: dict[str, Any], *events: tuple[str, dict[str, Any]]) -> Reading:
    happened = tuple(Event(1, event, said) for event, said in events)
    return conventions.read(SpanPart(TRACE, SPAN, name=name, attributes=attributes, events=happened))


@pytest.mark.parametrize(("name", "attributes"), [
    ("qdrant.query_points", {"db.system": "Qdrant", "qdrant.search.collection_name": "docs"}),
    ("qdrant.search", {"db.system": "Qdrant", "qdrant.search.collection_name": "docs"}),
    ("milvus.search", {"db.system": "milvus", "db.operation": "search", "db.milvus.search.collection_name": "docs"}),
    ("GET docs", {"db.system.name": "chroma", "db.operation.name": "GET", "db.vector.query.top_k": 3}),
    ("pinecone.query", {"db.system": "Pinecone", "pinecone.query.top_k": 2}),
])  # fmt: skip
def test_a_search_is_a_retrieval(name: str, attributes: dict[str, Any]) -> None:
    assert read(name, attributes).kind == "retriever"


@pytest.mark.parametrize(("name", "attributes"), [
    ("qdrant.upsert", {"db.system": "Qdrant", "qdrant.upsert.points_count": 2}),
    ("chroma.get", {"db.system": "chroma", "db.operation": "get", "db.chroma.get.ids_count": 1}),
    ("SELECT users", {"db.system": "postgresql", "db.operation": "query"}),
])  # fmt: skip
def test_anything_else_is_a_call_to_a_database(name: str, attributes: dict[str, Any]) -> None:
    assert read(name, attributes).kind == "db"


def test_hits_of_milvus_and_marqo_are_documents() -> None:
    milvus = read("milvus.search", {"db.system": "milvus"}, ("db.search.result", {
        "db.search.query.id": 0, "db.search.result.id": "7", "db.search.result.distance": 0.75,
        "db.search.result.entity": "{'text': 'sunny', 'page': 3}",
    }))  # fmt: skip
    assert milvus.documents == (
        Document("7", "sunny", 0.75, 0, {"text": "sunny", "page": 3, "db.search.query.id": 0, "distance": 0.75}),
    )
    hit: tuple[str, dict[str, Any]] = ("db.query.result", {"_id": "d", "_score": 0.5, "text": "x"})
    marqo = read("marqo.search", {"db.marqo.search.query": "where?"}, hit)
    assert marqo.documents == (Document("d", "x", 0.5, 0, None),)
    assert marqo.input is not None
    assert marqo.input.value == "where?"


def test_vectors_are_no_question() -> None:
    said = read("GET docs", {"db.vector.query.top_k": 3, "db.query.text": "embeddings=1 vectors"})
    assert said.input is None
    assert read("GET docs", {"db.vector.query.top_k": 3, "db.query.text": "Where is it sunny?"}).input is not None


@pytest.mark.parametrize(("given", "wanted"), [
    ({"input": 93, "output": 53, "cached": 8, "total": 154}, Usage(101, 53, cache_read_tokens=8)),
    ({"input": 101, "output": 53, "cached": 8, "total": 154}, Usage(101, 53, cache_read_tokens=8)),
    ({"input": 101, "output": 37, "thought": 16, "total": 154}, Usage(101, 53, reasoning_tokens=16)),
    ({"input": 93, "output": 37, "cached": 8, "thought": 16, "total": 154},
     Usage(101, 53, cache_read_tokens=8, reasoning_tokens=16)),
    ({"input": 101, "output": 37, "total": 154}, Usage(101, 37)),
])  # fmt: skip
def test_a_total_says_what_stands_beside_input_and_output(given: dict[str, int], wanted: Usage) -> None:
    keys = {"input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens",
            "cached": "gen_ai.usage.cache_read.input_tokens", "thought": "gen_ai.usage.reasoning.output_tokens",
            "total": "gen_ai.usage.total_tokens"}  # fmt: skip
    said = read("x", {"gen_ai.operation.name": "chat"} | {keys[key]: count for key, count in given.items()})
    assert said.usage == wanted
