"""Whatever an upstream answers, cut however: never an exception, and what could be read is recorded."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.model import SpanPart
from collector.protocols.events import AwsEvents, JsonArray
from collector.protocols.llm.known import ENDPOINTS
from collector.protocols.proxied import STREAMS, Answered, Asked, finished, started
from collector.receiver.doors.proxy.conversations import Conversations, chained, messages_of
from collector.receiver.doors.proxy.recorder import UNPACK, unpacked
from tests.proxy.wire import aws

BEGAN = 1_700_000_000_000_000_000
KEYS = st.sampled_from(
    "id type model role content text choices delta message index finish_reason usage prompt_tokens input_tokens "
    "output_tokens tool_calls function name arguments output item error code event input messages parts response "
    "status content_block partial_json thinking reasoning created data embedding logprobs details".split()
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=20),
    st.sampled_from([
        "assistant", "user", "tool", "message", "error", "text", "tool_use", "input_json_delta", "text_delta",
        "message_start", "message_delta", "content_block_start", "content_block_delta", "response.completed",
        "response.output_text.delta", "response.output_item.done", "function_call", "\ud83d",
    ]),
)  # fmt: skip
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)
DOCUMENTS = st.dictionaries(KEYS, ANYTHING, max_size=8)


def _is_json(value: Any) -> bool:
    """Whether orjson can say it: no half surrogates, no integer of more than 64 bits."""
    try:
        return bool(orjson.dumps(value))
    except TypeError:
        return False


PATHS = st.sampled_from([f"/v1{end}" if end.startswith("/") else f"/v1/{end}" for end in ENDPOINTS])


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()  # what orjson refuses to write (half a surrogate) comes in all the same


def cut(data: bytes, places: list[int]) -> Iterator[tuple[int, bytes]]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return ((BEGAN + n, data[a:b]) for n, (a, b) in enumerate(itertools.pairwise(ends)))


def recorded(path: str, body: bytes, answered: Answered) -> SpanPart:
    """What the recorder's thread does with a call."""
    asked = Asked("POST", path, "127.0.0.1", 1, "gateway", body, BEGAN, "a" * 32, "b" * 16)
    document = asked.read()
    messages, conversations = messages_of(document), Conversations()
    chain = chained(messages, b"scope")
    conversations.find(chain, messages)
    started(asked)
    part, said = finished(asked, answered)
    if isinstance(output := said.get("output"), list):
        chained(output, chain[-1])
    assert part.end_ns == answered.ended_ns
    assert part.status in (None, "ok", "error")
    return part


fuzzed = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@fuzzed
@given(PATHS, ANYTHING, ANYTHING | DOCUMENTS, st.sampled_from([200, 400, 429, 500]), st.lists(st.integers(0, 2**32)))
def test_any_json_for_an_answer(path: str, asked: Any, answer: Any, status: int, places: list[int]) -> None:
    pieces = cut(as_json(answer), places)
    part = recorded(path, as_json(asked), Answered(BEGAN + 10**9, status, "application/json", pieces))
    assert status < 400 or part.status == "error"


@fuzzed
@given(
    PATHS, DOCUMENTS, st.lists(DOCUMENTS.map(as_json) | st.binary(max_size=40) | st.just(b"[DONE]"), max_size=12),
    st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 2**32), max_size=20),
)  # fmt: skip
def test_any_events_for_a_stream_cut_anywhere(
    path: str, asked: Any, events: list[bytes], end: bytes, places: list[int]
) -> None:
    stream = b"".join(b"event: x" + end + b"data: " + event + end + end for event in events)
    for pieces in (cut(stream, []), cut(stream, places), cut(stream[: len(stream) // 2], places)):
        recorded(path, as_json(asked), Answered(BEGAN + 10**9, 200, "text/event-stream", pieces))


FRAMES = st.builds(
    aws, st.sampled_from(["contentBlockDelta", "messageStop", "chunk", ""]), ANYTHING.filter(_is_json),
    st.sampled_from(["event", "exception", "error"]),
)  # fmt: skip


@fuzzed
@given(
    PATHS, st.sampled_from(sorted(STREAMS)),
    st.lists(DOCUMENTS.map(as_json) | FRAMES | st.binary(max_size=40), max_size=8),
    st.sampled_from([b"", b"\n", b",\r\n"]), st.lists(st.integers(0, 2**32), max_size=20),
)  # fmt: skip
def test_any_pieces_in_any_other_frame_cut_anywhere(
    path: str, kind: str, pieces: list[bytes], between: bytes, places: list[int]
) -> None:
    stream = between.join(pieces)
    for type_ in (kind, "application/json"):
        recorded(path, b"{}", Answered(BEGAN + 10**9, 200, type_, cut(stream, places)))


@fuzzed
@given(
    st.lists(st.dictionaries(st.text(max_size=5), LEAVES | st.lists(st.text(max_size=9)), max_size=4), max_size=6),
    st.sampled_from([b",", b"\n,\r\n", b" , "]), st.lists(st.integers(0, 2**32), max_size=40),
)  # fmt: skip
def test_an_array_is_cut_into_its_objects_wherever_the_pieces_end(
    objects: list[Any], between: bytes, places: list[int]
) -> None:
    cutter = JsonArray()
    stream = b"[" + between.join(map(as_json, objects)) + b"]"
    found = [one for _, piece in cut(stream, places) for one in cutter.take(piece)]
    assert [json.loads(one) for one in found] == objects
    assert list(cutter.rest()) == []


@fuzzed
@given(st.lists(DOCUMENTS.filter(_is_json), max_size=5), st.lists(st.integers(0, 2**32), max_size=30))
def test_binary_events_are_cut_the_same_wherever_the_pieces_end(said: list[Any], places: list[int]) -> None:
    cutter = AwsEvents()
    stream = b"".join(aws("messageStop", one) for one in said)
    found = [json.loads(one) for _, piece in cut(stream, places) for one in cutter.take(piece)]
    assert found == [{"messageStop": json.loads(orjson.dumps(one))} for one in said]
    assert list(cutter.rest()) == []


@fuzzed
@given(st.binary(max_size=200) | st.lists(st.binary(max_size=60)).map(b"--x\r\n".join), st.sampled_from(["x", ""]))
def test_any_form_for_a_request(body: bytes, boundary: str) -> None:
    asked = Asked("POST", "/v1/audio/transcriptions", "h", 1, "gateway", body, BEGAN, "a" * 32, "b" * 16)
    asked.content_type = f"multipart/form-data; boundary={boundary}"
    asked.read()
    assert asked.endpoint is not None


@fuzzed
@given(st.lists(st.integers(0, 2**32), max_size=60), st.integers(0, 6), st.binary(max_size=30))
def test_a_good_stream_reads_the_same_however_it_is_cut_and_with_one_bad_event_in_it(
    places: list[int], at: int, bad: bytes
) -> None:
    words = ["Réindeer ", "wálk ", "🦌 ", "far"]
    choices = [{"index": 0, "delta": {"content": word}} for word in words]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [orjson.dumps({"id": "c", "model": "m", "choices": [choice]}) for choice in choices]
    events.insert(min(at, len(events)), b"{]" + bad.replace(b"\n", b"").replace(b"\r", b""))
    stream = b"".join(b"data: " + event + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    part = recorded(
        "/v1/chat/completions", b"{}", Answered(BEGAN + 10**9, 200, "text/event-stream", cut(stream, places))
    )
    assert part.reading.output.messages[0].parts[0]["text"] == "".join(words)
    assert (part.status, part.attributes["tracetui.unreadable_events"]) == (None, 1)
    assert part.reading.ttft_ns is not None


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"choices":' * 50_000, b'{"choices": [' + b"1," * 500_000 + b"1]}", b"data: " + b"x" * 3_000_000,
     b"data: " + b"[" * 200_000 + b"\n\n", b"data: {}\n\n" * 50_000, b"\n" * 1_000_000, b"\xff\xfe" * 1000],
    ids=["deep list", "deep object", "long list", "long line", "deep event", "many events", "empty lines", "no text"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_the_huge_and_the_deep(body: bytes, kind: str) -> None:
    part = recorded("/v1/chat/completions", body, Answered(BEGAN + 10**9, 200, kind, [(BEGAN, body)]))
    assert part.status == "error"
    assert part.status_message


@fuzzed
@given(st.sampled_from(sorted(UNPACK)), st.lists(st.binary(max_size=200), max_size=8), st.integers(0, 5000))
def test_what_is_packed_badly_ends_early(encoding: str, pieces: list[bytes], limit: int) -> None:
    found = list(unpacked([(BEGAN, piece) for piece in pieces], encoding, limit))
    assert sum(len(piece) for _, piece in found) <= limit
