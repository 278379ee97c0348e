"""Langfuse's events become spans that read as its own product shows them, in any order; scores become scores."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import conventions, ids
from collector.errors import DecodeError, TooLarge
from collector.model import Reading, Score, SpanPart
from collector.protocols import langfuse
from collector.protocols.limits import Limits
from collector.store.merge import fold

RECORDED = Path(__file__).parents[1] / "payloads" / "langfuse"
NOW = 1_795_000_000_000_000_000
TIME = "2026-11-21T02:23:40.{:06d}Z"


def event(kind: str, n: int = 0, **body: Any) -> dict[str, Any]:
    return {"id": f"event {n}", "type": kind, "timestamp": TIME.format(n), "body": body}


def decode(*events: Any) -> langfuse.Ingestion:
    return langfuse.decode_ingestion(json.dumps({"batch": events, "metadata": {}}).encode(), NOW)


def spans(parts: tuple[SpanPart, ...]) -> dict[str, tuple[SpanPart, Reading]]:
    """The spans by name, with what they mean."""
    by_id: dict[str, list[SpanPart]] = {}
    for part in parts:
        by_id.setdefault(part.span_id, []).append(part)
    folded = [fold(some)[0] for some in by_id.values()]
    return {str(span.name): (span, conventions.read(span)) for span in folded}


# --- what the Python SDK 2 sent ---


@pytest.fixture(scope="module")
def recorded() -> list[langfuse.Ingestion]:
    bodies = sorted((RECORDED / "langfuse2-ingestion").glob("*-ingestion.json"))
    return [langfuse.decode_ingestion(body.read_bytes(), NOW) for body in bodies]


def test_every_recorded_event_is_taken(recorded: list[langfuse.Ingestion]) -> None:
    assert [(len(one.successes), one.errors) for one in recorded] == [(15, []), (3, [])]
    assert all(answer["status"] == 201 for one in recorded for answer in one.successes)


def test_a_trace_is_the_root_of_its_observations(recorded: list[langfuse.Ingestion]) -> None:
    found = spans(recorded[0].batch.parts + recorded[1].batch.parts)
    root, reading = found["weather_agent"]
    assert {span.parent_id for name, (span, _) in found.items() if name != "weather_agent"} == {root.span_id}
    assert (root.parent_id, root.trace_id) == (None, "eae8d72f48f747b49af082cfe14b79d5")
    assert root.source_trace_id == "eae8d72f-48f7-47b4-9af0-82cfe14b79d5"
    assert (reading.session_id, reading.user_id) == ("thread-42", "user-7")
    assert (reading.tags, reading.metadata) == (("weather", "demo"), {"plan": "pro"})
    assert reading.output is not None
    assert reading.output.value == "It is 31 degrees Celsius and sunny in Patiala."
    assert root.end_ns is not None
    assert root.start_ns is not None
    assert root.end_ns - root.start_ns == 392_784_000  # from the decorator's start_time to its end_time


def test_model_calls_say_model_tokens_and_messages(recorded: list[langfuse.Ingestion]) -> None:
    parts = recorded[0].batch.parts + recorded[1].batch.parts
    folded = [fold([p for p in parts if p.span_id == span])[0] for span in dict.fromkeys(p.span_id for p in parts)]
    read = [(span, conventions.read(span)) for span in folded]
    calls = [(span, reading) for span, reading in read if reading.kind == "llm"]
    assert [r.model for _, r in calls] == [*["gpt-4o-mini-2024-07-18"] * 3, "always-429"]
    tokens = [(r.usage.input_tokens, r.usage.output_tokens, r.usage.cache_read_tokens) for _, r in calls if r.usage]
    assert tokens == [(101, 53, 8), (185, 10, 8), (9, 17, 8)]
    failed, _ = calls[3]
    assert failed.status == "error"
    assert str(failed.status_message).startswith("Error code: 429 - Rate limit reached")
    assert calls[2][1].ttft_ns == 36_175_000
    first = calls[0][1]
    assert first.input is not None
    assert first.output is not None
    assert [m.role for m in (*first.system, *first.input.messages)] == ["system", "user"]
    assert first.output.messages[0].parts[0]["name"] == "get_weather"


def test_recorded_scores(recorded: list[langfuse.Ingestion]) -> None:
    (score,) = recorded[1].batch.scores
    assert (score.name, score.value, score.comment, score.trace_id) == (
        "user-thumb", 1.0, "thumbs up", "eae8d72f48f747b49af082cfe14b79d5",
    )  # fmt: skip


# --- events in general ---


def test_what_is_said_last_holds_whatever_the_order_of_arrival() -> None:
    events = [
        event("generation-create", 1, id="g", traceId="t", name="first", startTime=TIME.format(1), model="asked"),
        event("generation-update", 2, id="g", traceId="t", endTime=TIME.format(2), model="answered"),
        event("generation-update", 3, id="g", traceId="t", name="second", metadata={"late": True}),
        event("trace-create", 4, id="t", name="trace", userId="u"),
    ]
    pictures = []
    for some in permutations(events):
        found = spans(tuple(part for one in some for part in decode(one).batch.parts))
        span, reading = found["second"]
        root = found["trace"][0]
        pictures.append((
            span.start_ns, span.end_ns, reading.model, reading.metadata, span.parent_id == root.span_id, root.start_ns,
            root.end_ns,
        ))  # fmt: skip
    assert len(pictures) == 24
    assert {str(p) for p in pictures} == {str(pictures[0])}
    start, end, model, metadata, under_root, root_start, root_end = pictures[0]
    assert (end - start, model, metadata, under_root) == (1000, "answered", {"late": True}, True)
    assert (root_start, root_end) == (start, end)


def test_of_two_events_of_one_millisecond_the_later_in_the_batch_holds() -> None:
    found = spans(
        decode(
            event("span-create", 1, id="s", traceId="t", name="a", startTime=TIME.format(1)),
            event("span-update", 1, id="s", traceId="t", name="b"),
            event("span-update", 1, id="s", traceId="t", name="c"),
        ).batch.parts
    )
    assert "c" in found


def test_observations_of_a_trace_that_nobody_announced_have_a_root_all_the_same() -> None:
    parts = decode(
        event("span-create", 2, id="s", traceId="t", name="s", startTime=TIME.format(2), endTime=TIME.format(9)),
        event("span-create", 1, id="r", traceId="t", name="r", startTime=TIME.format(1), parentObservationId="s"),
    ).batch.parts
    found = spans(parts)
    root = found["None"][0]
    assert found["s"][0].parent_id == root.span_id
    assert found["r"][0].parent_id == found["s"][0].span_id == ids.span_id("s")
    assert (root.start_ns, root.end_ns) == (found["r"][0].start_ns, found["s"][0].end_ns)


def test_an_event_of_langfuse_is_over_when_it_happens() -> None:
    span, reading = spans(decode(event("event-create", 5, id="e", traceId="t", name="note", input="x")).batch.parts)[
        "note"
    ]
    assert (reading.kind, span.start_ns) == ("event", span.end_ns)


@pytest.mark.parametrize("kind", ["agent", "tool", "retriever", "embedding", "guardrail"])
def test_newer_kinds_are_read_too(kind: str) -> None:
    said = event(f"{kind}-create", 1, id="o", traceId="t", name="o", startTime=TIME.format(1))
    assert spans(decode(said).batch.parts)["o"][1].kind == kind


def test_an_observation_says_its_kind_itself() -> None:
    said = event("observation-create", 1, id="o", traceId="t", name="o", type="GENERATION", startTime=TIME.format(1))
    assert spans(decode(said).batch.parts)["o"][1].kind == "llm"


@pytest.mark.parametrize(
    ("said", "ns"),
    [("2026-11-21", 1_795_219_200 * 10**9), ("2026-11-21T02:00:00.123456+01:00", 1_795_222_800_123_456_000),
     ("0001-01-01T00:00:00Z", None), ("9999-12-31T23:59:59Z", None), ("soon", None)],
)  # fmt: skip
def test_a_time_is_read_in_any_spelling_and_the_zero_time_is_none(said: str, ns: int | None) -> None:
    (part, *_) = decode(event("span-create", 1, id="s", traceId="t", startTime=said)).batch.parts
    assert part.start_ns == ns


def test_cost_and_usage_of_the_older_kind_are_read() -> None:
    usage = {"input": 10, "output": 5, "total": 15, "unit": "TOKENS", "inputCost": 0.001, "totalCost": 0.003}
    said = event("generation-create", 1, id="g", traceId="t", name="g", startTime=TIME.format(1), usage=usage)
    _, reading = spans(decode(said).batch.parts)["g"]
    assert reading.usage is not None
    assert (reading.usage.input_tokens, reading.usage.output_tokens) == (10, 5)
    assert reading.cost_nanousd == 3_000_000


def test_what_nobody_knows_stays() -> None:
    said = event("span-create", 1, id="s", traceId="t", name="s", startTime=TIME.format(1), flavour={"of": "tea"})
    trace = event("trace-create", 1, id="t", name="trace", externalId="x-1", metadata=["no", "object"])
    found = spans(decode(said, trace).batch.parts)
    assert found["s"][0].attributes["langfuse.observation.flavour"] == '{"of":"tea"}'
    assert found["trace"][0].attributes["langfuse.trace.externalId"] == "x-1"
    assert found["trace"][0].attributes["langfuse.trace.metadata"] == '["no","object"]'


def test_a_wrong_event_costs_itself_and_is_told() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    out = decode(
        event("span-create", 1, id="s", traceId="t", name="s", startTime=TIME.format(1)),
        event("dance-create", 2, id="d"), event("trace-create", 3), "no event", {"type": "span-create"},
        event("span-create", 4, id="deep", traceId="t", input=deep), event("span-create", 5, id="0", traceId="t"),
        event("score-create", 6, id="x", traceId="t", value=1),
    )  # fmt: skip
    assert [one["status"] for one in out.successes] == [201]
    told = [one["message"] for one in out.errors]
    assert told[0] == "an event of type 'dance-create' is not known here"
    assert told[1] == "the id of a trace is missing"
    assert [one["id"] for one in out.errors] == ["event 2", "event 3", "", "", "event 4", "event 5", "event 6"]
    assert sum(refusal.count for refusal in out.batch.refused) == 7
    assert "s" in spans(out.batch.parts)


def test_the_sdks_own_log_is_taken_and_counted() -> None:
    out = decode(event("sdk-log", 1, log={"error": "x"}))
    assert (len(out.successes), [refusal.reason for refusal in out.batch.refused]) == (
        1, ["the SDK's own log is not stored"],
    )  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"batch": 1}', b"\xff", b'{"batch": [' + b"[" * 5000])
def test_a_body_that_is_no_batch_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError):
        langfuse.decode_ingestion(body, NOW)


def test_too_many_events_are_too_large() -> None:
    with pytest.raises(TooLarge, match="3 events in one body are over the limit of 2"):
        langfuse.decode_ingestion(b'{"batch": [1, 2, 3]}', NOW, Limits(spans=2))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KINDS = ["trace-create", "span-create", "generation-update", "event-create", "score-create", "observation-create"]
FIELDS = ["id", "traceId", "name", "startTime", "endTime", "input", "metadata", "usage", "usageDetails", "level",
          "costDetails", "value", "dataType", "tags", "parentObservationId", "timestamp", "completionStartTime",
          "statusMessage", "modelParameters", "start_time", "type"]  # fmt: skip


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON | st.just("a"))), max_size=4
    )
)
def test_whatever_is_in_an_event_it_is_taken_or_refused_by_name(said: list[tuple[str, dict[str, Any]]]) -> None:
    events = [{"id": str(n), "type": kind, "timestamp": "x", "body": body} for n, (kind, body) in enumerate(said)]
    body = json.dumps({"batch": events}).encode()
    out = langfuse.decode_ingestion(body, NOW)
    assert len(out.successes) + len(out.errors) == len(events)
    for part in out.batch.parts:
        conventions.read(part)


# --- scores ---


def scores(name: str) -> list[Score]:
    body = json.loads((RECORDED / name).read_bytes())
    if isinstance(body, dict):
        return list(langfuse.decode_ingestion(json.dumps(body).encode(), NOW).batch.scores)
    found, errors = langfuse.decode_scores(json.dumps(body).encode(), NOW)
    assert errors == []
    return found


@pytest.mark.parametrize("recording", ["langfuse4-scores.json", "langfuse5-scores.json"])
def test_scores_of_every_generation_are_read_alike(recording: str) -> None:
    assert [(s.name, s.value, s.label, s.data_type, s.span_id is not None) for s in scores(recording)] == [
        ("helpfulness", 0.9, None, "numeric", True),
        ("user-thumb", 1.0, None, "boolean", False),
        ("verdict", None, "good", "categorical", False),
    ]


def test_a_score_keeps_what_ours_have_no_place_for() -> None:
    score = langfuse.score(
        {"name": "n", "value": "long text", "dataType": "TEXT", "traceId": "my trace", "observationId": "o",
         "configId": "c", "metadata": {"k": 1}}, None, NOW,
    )  # fmt: skip
    assert (score.label, score.data_type, score.trace_id, score.span_id) == (
        "long text", "categorical", ids.trace_id("my trace"), ids.span_id("o"),
    )  # fmt: skip
    assert score.metadata == {
        "k": 1, "langfuse.configId": "c", "langfuse.dataType": "TEXT", "langfuse.traceId": "my trace",
        "langfuse.observationId": "o",
    }  # fmt: skip


def test_a_wrong_score_is_named_and_the_others_are_taken() -> None:
    body = [{"name": "a", "value": 1, "traceId": "t"}, {"id": "b", "value": 1}, {"name": "c", "value": 1}, 7]
    found, errors = langfuse.decode_scores(json.dumps(body).encode(), NOW)
    assert [one.name for one in found] == ["a"]
    assert [(one["index"], one["id"]) for one in errors] == [(1, "b"), (2, None), (3, None)]
    assert errors[1]["error"] == "score 'c' names no trace, session or dataset run"


def test_a_score_without_an_id_sent_again_is_the_same_score() -> None:
    body = b'{"name": "a", "value": 1, "traceId": "t"}'
    assert langfuse.decode_scores(body, NOW) == langfuse.decode_scores(body, NOW)
