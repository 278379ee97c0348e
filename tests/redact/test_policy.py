"""What is left of a span when contents or user ids are not to be stored, and who decides: its environment."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector import store
from collector.ingest import Ingest
from collector.model import (
    Batch,
    Content,
    Document,
    Event,
    LogRecord,
    Message,
    Reading,
    Refusal,
    Resource,
    Score,
    SpanPart,
    Tool,
    Usage,
    Value,
)
from collector.redact import Policy
from collector.settings import Settings
from collector.store.filters import Filter
from tests.redact.corpus import SECRETS

KEY = b"k" * 32
WORDS = "the quick brown fox"


def policy(**settings: Any) -> Policy:
    return Policy(replace(Settings(), **settings), key=lambda: KEY)


def messages(*said: str) -> tuple[Message, ...]:
    return tuple(Message("user", ({"type": "text", "text": text},)) for text in said)


def full_part(environment: str | None = None) -> SpanPart:
    """Contents (WORDS) in every place that has any, and beside them what is none."""
    call: dict[str, Any] = {"type": "tool_call", "id": "call_1", "name": "find", "arguments": {"q": WORDS, "n": 4711}}
    wire = [{"role": "user", "parts": [{"type": "text", "content": WORDS}]}]
    return SpanPart(
        "a" * 32,
        "b" * 16,
        name="chat gpt-4o",
        start_ns=1,
        end_ns=2,
        status="error",
        status_message=f"bad input: {WORDS}",
        attributes={
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.input.messages": json.dumps(wire),
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": WORDS,
            "llm.invocation_parameters": json.dumps({"temperature": 0.5, "stop": [WORDS]}),
            "input.value": WORDS,
            "output.value": json.dumps({"answer": WORDS, "n": 4711}),
            "retrieval.documents.0.document.content": WORDS,
            "embedding.embeddings.0.embedding.vector": [0.25] * 20,
            "what.nobody.knows": WORDS,
            "blob": WORDS.encode(),
            "user.id": "ada",
            "metadata": json.dumps({"tier": "premium", "user_id": "ada"}),
            "tag.tags": ["prod"],
        },
        events=(Event(1, "exception", {"exception.type": "ValueError", "exception.message": WORDS}),),
        logs=(LogRecord(1, "gen_ai.user.message", {"content": WORDS}, {"event.name": "gen_ai.user.message"}),),
        resource=Resource({"service.name": "api", "process.command_line": f"app {WORDS}"}),
        reading=Reading(
            kind="llm",
            model="gpt-4o",
            usage=Usage(12, 3),
            system=messages(WORDS),
            input=Content(messages(WORDS)),
            output=Content((Message("assistant", (call,), finish_reason="tool_calls"),)),
            tool=Tool("find", "call_1", {"q": WORDS}, [WORDS, 4711]),
            tool_definitions=[{"name": "find", "description": WORDS, "parameters": {"type": "object"}}],
            documents=(Document("d1", WORDS, 0.5, 0, {"title": WORDS}),),
            params={"temperature": 0.5, "stop": WORDS},
            session_id="s1",
            user_id="ada",
            tags=("prod",),
            metadata={"tier": "premium"},
            status_message=WORDS,
            environment=environment,
        ),
    )


def test_in_full_nothing_is_taken_away() -> None:
    part = full_part()
    assert policy(redact="off").part(part) is part


@pytest.mark.parametrize("mode", ["redacted", "metadata"])
def test_no_word_of_the_contents_is_left(mode: str) -> None:
    clean = repr(policy(capture_content=mode).part(full_part()))
    assert not [word for word in (*WORDS.split()[1:], "4711") if word in clean]


@pytest.mark.parametrize("mode", ["redacted", "metadata"])
def test_names_times_models_usage_status_ids_tags_and_metadata_stay(mode: str) -> None:
    part = full_part()
    clean = policy(capture_content=mode).part(part)
    for name in ("trace_id", "span_id", "name", "start_ns", "end_ns", "status"):
        assert getattr(clean, name) == getattr(part, name)
    for name in ("kind", "model", "usage", "session_id", "user_id", "tags", "metadata"):
        assert getattr(clean.reading, name) == getattr(part.reading, name)
    kept = "gen_ai.request.model gen_ai.operation.name gen_ai.usage.input_tokens user.id metadata tag.tags"
    assert {key: clean.attributes[key] for key in kept.split()} == {key: part.attributes[key] for key in kept.split()}
    assert clean.events[0].attributes["exception.type"] == "ValueError"
    assert clean.resource is not None
    assert clean.resource.attributes["service.name"] == "api"
    assert clean.reading.params == {"temperature": 0.5}


def test_redacted_keeps_the_form_so_that_conventions_still_read_it() -> None:
    clean = policy(capture_content="redacted").part(full_part())
    mark = r"\[TEXT:[0-9a-f]{4}:19\]"
    assert re.fullmatch(mark, str(clean.attributes["input.value"]))
    wire = json.loads(str(clean.attributes["gen_ai.input.messages"]))
    assert wire[0]["role"] == "user"
    assert wire[0]["parts"][0]["type"] == "text"
    assert re.fullmatch(mark, wire[0]["parts"][0]["content"])
    assert clean.attributes["llm.input_messages.0.message.role"] == "user"
    assert clean.attributes["embedding.embeddings.0.embedding.vector"] == "[NUMBERS:20]"
    assert clean.attributes["blob"] == "[BYTES:19]"
    assert json.loads(str(clean.attributes["output.value"]))["n"] == "[NUMBER]"
    assert clean.reading.output is not None
    call = clean.reading.output.messages[0].parts[0]
    assert (call["type"], call["id"], call["name"], set(call["arguments"])) == (
        "tool_call",
        "call_1",
        "find",
        {"q", "n"},
    )


def test_metadata_drops_contents_altogether() -> None:
    clean = policy(capture_content="metadata").part(full_part())
    r = clean.reading
    assert (r.system, r.input, r.output, r.documents, r.tool_definitions) == ((), None, None, (), None)
    assert r.tool == Tool("find", "call_1")
    assert clean.status_message is None
    assert not [key for key in clean.attributes if key.startswith(("input.", "output.", "llm.input", "what", "blob"))]
    assert clean.logs[0].body is None


def test_equal_texts_have_equal_marks_and_others_do_not() -> None:
    clean = policy(capture_content="redacted")
    first, again, other = (clean.part(SpanPart("a" * 32, "b" * 16, attributes={"input.value": text})).attributes
                           for text in (WORDS, WORDS, WORDS.upper()))  # fmt: skip
    assert first == again != other


@pytest.mark.parametrize("said", [{"role": WORDS}, {"type": WORDS}, {"id": WORDS}, {"name": WORDS, "arguments": 1}])
def test_no_key_lets_content_pass(said: dict[str, Value]) -> None:
    clean = policy(capture_content="redacted").part(SpanPart("a" * 32, "b" * 16, attributes={"input.value": [said]}))
    assert WORDS not in repr(clean)


@pytest.mark.parametrize("settings", [
    {}, {"capture_content": "redacted"}, {"capture_content": "metadata"}, {"hash_user_ids": True}, {"redact": "pii"},
])  # fmt: skip
def test_doing_it_twice_is_doing_it_once(settings: dict[str, Any]) -> None:
    clean = policy(**settings)
    once = clean.part(full_part())
    assert clean.part(once) == once


def test_scores_lose_their_comment_and_samples_their_text() -> None:
    clean = policy(capture_content="metadata")
    score = clean.score(Score("s", "quality", 1, value=1.0, comment=WORDS))
    assert (score.comment, score.value) == (None, 1.0)
    batch = clean.batch(Batch("otlp-http", refused=(Refusal("bad id", WORDS),)))
    assert batch.refused == (Refusal("bad id", ""),)


# --- user ids ---


def test_user_ids_become_stable_wherever_a_convention_puts_them() -> None:
    clean = policy(hash_user_ids=True).part(full_part())
    user = clean.reading.user_id
    assert user is not None
    assert re.fullmatch(r"user-[0-9a-f]{12}", user)
    assert clean.attributes["user.id"] == user
    assert json.loads(str(clean.attributes["metadata"])) == {"tier": "premium", "user_id": user}
    assert policy(hash_user_ids=True).part(full_part()).reading.user_id == user
    other = Policy(replace(Settings(), hash_user_ids=True), key=lambda: b"x" * 32)
    assert other.part(full_part()).reading.user_id != user


def test_a_part_without_a_user_is_the_same_object() -> None:
    part = SpanPart("a" * 32, "b" * 16, attributes={"http.method": "GET"})
    assert policy(redact="off", hash_user_ids=True).part(part) is part


# --- environments ---

TABLES = {"environments": {"production": {"capture_content": "metadata", "redact": "pii"}}}


@pytest.mark.parametrize(("environment", "mode"), [("production", "metadata"), ("staging", "full"), (None, "full")])
def test_an_environment_has_its_own_settings(environment: str | None, mode: str) -> None:
    clean = policy(**TABLES).part(full_part(environment))
    assert (clean.reading.input is None) == (mode == "metadata")


def test_a_span_without_an_environment_counts_as_of_this_process() -> None:
    assert policy(environment="production", **TABLES).part(full_part()).reading.input is None
    assert policy(environment="production", **TABLES).part(full_part("staging")).reading.input is not None


@pytest.mark.parametrize("place", ["attributes", "resource"])
def test_the_environment_is_read_from_what_was_sent(place: str) -> None:
    named = {"deployment.environment.name": "production"}
    part = SpanPart("a" * 32, "b" * 16, attributes={"input.value": WORDS})
    part = replace(part, resource=Resource(named)) if place == "resource" else replace(
        part, attributes={**part.attributes, **named}
    )  # fmt: skip
    assert "input.value" not in policy(**TABLES).part(part).attributes


def test_environments_that_anybody_may_send_cost_no_memory() -> None:
    clean = policy(**TABLES)
    for number in range(1_000):
        clean.part(SpanPart("a" * 32, "b" * 16, reading=Reading(environment=f"e{number}")))
    assert len(clean._rules) <= 2


# --- through the corridor ---


def stored(tmp_path: Path, *parts: SpanPart, **settings: Any) -> tuple[bytes, Any]:
    db = tmp_path / "traces.db"
    with Ingest(db, replace(Settings(), db=db, **settings)) as ingest:
        ingest.write(Batch("otlp-http", parts))
    with store.open_reader(db) as reader:
        found = next(iter(reader.parts(Filter())))
    return b"".join(path.read_bytes() for path in tmp_path.glob("traces.db*")), found


@pytest.mark.parametrize("mode", ["redacted", "metadata"])
def test_contents_do_not_reach_the_disk(tmp_path: Path, mode: str) -> None:
    raw, found = stored(tmp_path, full_part(), capture_content=mode)
    assert b"quick" not in raw
    assert found.name == "chat gpt-4o"


def test_a_mask_that_fails_is_told_by_the_ledger(tmp_path: Path) -> None:
    def mask(text: str) -> str:
        raise LookupError(text)

    raw, _ = stored(tmp_path, SpanPart("a" * 32, "b" * 16, attributes={"input.value": WORDS}), mask=mask)
    assert b"quick" not in raw
    with store.open_reader(tmp_path / "traces.db") as reader:
        told = [(row.outcome, row.n) for row in reader.ledger() if "mask failed" in row.reason]
    assert told == [("clipped", 1)]


def test_own_patterns_reach_the_corridor(tmp_path: Path) -> None:
    raw, _ = stored(tmp_path, full_part(), redact_patterns={"animal": "fox|dog"})
    assert b"fox" not in raw
    assert b"[ANIMAL:" in raw


def test_what_was_sampled_out_is_told_by_the_ledger(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    with Ingest(db, replace(Settings(), db=db)) as ingest:
        ingest.write(Batch("sdk", sampled_out=(Refusal("rate 0.1", "", 7),)))
    with store.open_reader(db) as reader:
        assert [(row.outcome, row.reason, row.n) for row in reader.ledger()] == [("sampled_out", "rate 0.1", 7)]


def test_a_secret_still_goes_where_contents_stay() -> None:
    part = SpanPart("a" * 32, "b" * 16, attributes={"input.value": SECRETS["openai"], "metadata": SECRETS["github"]})
    assert SECRETS["openai"] not in repr(policy().part(part))
    assert SECRETS["github"] not in repr(policy(capture_content="metadata").part(part))
