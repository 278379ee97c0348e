"""Other makers' APIs, as their own clients ask for them: passed byte by byte, and read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from collector.store.rows import SpanDetail
from tests.proxy.upstream import Handler, Proxy, Raw, proxying, upstream
from tests.proxy.wire import (
    AWS,
    CASES,
    CONTENTS,
    EVENTS,
    HELLO,
    JSON,
    LINES,
    PNG,
    Case,
    aws,
    events,
    gemini,
    lines,
    ollama,
)


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    with upstream() as one:
        yield one


@pytest.fixture(scope="module")
def proxy(raw: Raw, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxying(tmp_path_factory.mktemp("providers"), raw.url) as one:
        yield one


def answers(kind: bytes, pieces: list[bytes], status: int = 200, more: bytes = b"") -> Any:
    def answer(handler: Handler) -> None:
        handler.raw(
            b"HTTP/1.1 %d OK\r\ncontent-type: %s\r\n%stransfer-encoding: chunked\r\n\r\n" % (status, kind, more),
            close=False,
        )
        for piece in pieces:
            handler.raw(b"%x\r\n%s\r\n" % (len(piece), piece), close=False)
        handler.raw(b"0\r\n\r\n", close=False)

    return answer


ASKED: list[str] = []


def ask(proxy: Proxy, raw: Raw, case: Case, status: int = 200, more: bytes = b"") -> SpanDetail:
    """Send it through the proxy; the span of it. Both ways every byte is as it was."""
    raw.answer = answers(case.kind, case.pieces, status, more)
    content = case.body if isinstance(case.body, bytes) else orjson.dumps(case.body)
    headers = {"content-type": case.sent_as, "x-tracetui-name": case.name, "x-tracetui-trace": case.name}
    got = proxy.up.client.post(f"/proxy/gateway{case.path}", content=content, headers=headers)
    assert (got.status_code, got.content) == (status, b"".join(case.pieces))
    assert (raw.got[-1].target, raw.got[-1].body) == (case.path, content)
    ASKED.append(case.name)
    return next(span for span in proxy.spans(len(ASKED)) if span.row.name == case.name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_call_passes_byte_by_byte_and_is_read(raw: Raw, proxy: Proxy, case: Case) -> None:
    span = ask(proxy, raw, case)
    row = span.row
    assert (row.kind, row.status, row.model, row.provider) == (case.span, "ok", case.model, case.provider)
    found = {name: getattr(span.usage, name) for name in span.usage.__dataclass_fields__}
    assert {name: value for name, value in found.items() if value is not None} == case.usage
    assert span.finish_reasons == ((case.reason,) if case.reason else ())
    assert bool(row.ttft_ns) is case.first
    assert case.more.items() <= span.attributes.items()
    said = span.output.messages if span.output else ()
    if said:
        assert [
            {k: v for k, v in part.items() if v is not None or k == "id"} for m in said for part in m.parts
        ] == case.said
    else:
        assert (span.output.value if span.output else None) == case.said
    if case.span == "llm" and case.name != "images":
        assert span.input.messages[-1].parts[0].get("text") in ("Hello", None)


def test_what_only_some_tell(raw: Raw, proxy: Proxy) -> None:
    names = ("cohere's ranks", "openrouter", "gemini", "a transcript")
    spans = {
        case.name: ask(proxy, raw, replace(case, name=f"{case.name} again")) for case in CASES if case.name in names
    }
    ranked = spans["cohere's ranks"].documents
    assert [(one.content, one.score, one.rank, one.rank_before) for one in ranked] == [
        ("b", 0.9, 0, 1),
        ("a", 0.1, 1, 0),
    ]
    assert spans["openrouter"].row.cost_nanousd == 11_000_000
    assert spans["gemini"].system[0].parts[0]["text"] == "Be brief."
    assert spans["gemini"].params == {"temperature": 0}
    [file] = spans["a transcript"].input.messages[0].parts
    assert (file["type"], file["mime_type"], file["size"]) == ("audio", "audio/wav", len(PNG) + 4)
    assert spans["a transcript"].params is None


FAILS = [
    (Case("gemini in a list", "/v1beta/models/g:streamGenerateContent", {"contents": CONTENTS}, JSON,
          [b'[{"error": {"code": 400, "message": "no such model", "status": "INVALID_ARGUMENT"}}]'], None), 400,
     "INVALID_ARGUMENT", "no such model", None),
    (Case("ollama says no", "/api/chat", {"model": "x", "messages": HELLO}, JSON,
          [b'{"error": "model not found"}'], None), 404,
     "HTTP 404", "model not found", None),
    (Case("ollama breaks", "/api/chat", {"model": "x", "messages": HELLO}, LINES,
          lines(ollama({"message": {"content": "Hi"}}), {"error": "out of memory"}), None), 200,
     "error", "out of memory", "Hi"),
    (Case("ollama stops", "/api/chat", {"model": "x", "messages": HELLO}, LINES,
          lines(ollama({"message": {"content": "Hi"}})), None), 200, "incomplete stream", None, "Hi"),
    (Case("bedrock throttles", "/model/m/converse-stream", {"messages": []}, AWS,
          [aws("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}),
           aws("throttlingException", {"message": "slow down"}, "exception")], None), 200,
     "throttlingException", "slow down", "Hi"),
    (Case("bedrock is torn", "/model/m/converse-stream", {"messages": []}, AWS,
          [aws("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}), b"\xff" * 40], None), 200,
     "incomplete stream", None, "Hi"),
    (Case("vllm says no", "/v1/chat/completions", {"model": "x", "messages": HELLO}, JSON,
          [b'{"error": {"message": "too long", "type": "BadRequestError", "code": 400}}'], None), 400,
     "BadRequestError", "too long", None),
    (Case("openrouter breaks", "/v1/chat/completions", {"model": "x", "messages": HELLO, "stream": True}, EVENTS,
          events({"id": "g", "choices": [{"index": 0, "delta": {"content": "Hi"}}]},
                 {"id": "g", "error": {"code": "server_error", "message": "provider disconnected"},
                  "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}), None), 200,
     "server_error", "provider disconnected", "Hi"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "status", "kind", "message", "said"), FAILS, ids=lambda one: getattr(one, "name", ""))
def test_a_failure_in_each_makers_words(
    raw: Raw, proxy: Proxy, case: Case, status: int, kind: str, message: str | None, said: str | None
) -> None:
    span = ask(proxy, raw, case, status)
    assert (span.row.status, span.row.error_type) == ("error", kind)
    assert message is None or span.row.status_message == message
    assert said is None or span.output.messages[0].parts[0]["text"] == said


def test_what_a_gateway_says_it_cost(raw: Raw, proxy: Proxy) -> None:
    case = next(one for one in CASES if one.name == "deepseek")
    told = ask(proxy, raw, replace(case, name="by litellm"), more=b"x-litellm-response-cost: 0.0025\r\n")
    assert told.row.cost_nanousd == 2_500_000
    nonsense = ask(proxy, raw, replace(case, name="by nobody"), more=b"x-litellm-response-cost: nan\r\n")
    assert nonsense.row.cost_nanousd != 2_500_000


def test_geminis_turns_are_one_conversation(raw: Raw, proxy: Proxy) -> None:
    call = {"functionCall": {"name": "w", "args": {}}}
    one, two = {"role": "user", "parts": [{"text": "Weather?"}]}, {"role": "model", "parts": [call]}
    back = {"role": "user", "parts": [{"functionResponse": {"name": "w", "response": {"result": "rain"}}}]}
    path = "/v1beta/models/g:generateContent"
    raw.answer = answers(JSON, [orjson.dumps(gemini([call], finishReason="STOP"))])
    for number, contents in enumerate(([one], [one, two, back], [one, two, back, two, one])):
        headers = {"x-tracetui-name": f"turn {number}", "x-goog-api-key": "of this test alone"}
        proxy.up.client.post(f"/proxy/gateway{path}", json={"contents": contents}, headers=headers)
        ASKED.append(f"turn {number}")
        proxy.spans(len(ASKED))
    turns = [span for span in proxy.spans(len(ASKED)) if span.row.name.startswith("turn")]
    assert len({span.row.session_id for span in turns}) == 1
    assert turns[0].row.session_id
    assert turns[0].row.trace_id == turns[1].row.trace_id != turns[2].row.trace_id
    assert [message.role for message in turns[1].input.messages] == ["user", "assistant", "tool"]


def test_what_is_asked_for_in_the_background_ends_when_it_is_fetched(raw: Raw, proxy: Proxy) -> None:
    answer: dict[str, Any] = {"id": "resp_b", "background": True, "model": "gpt-5", "output": []}
    client, base = proxy.up.client, "/proxy/gateway/v1/responses"

    def named() -> list[SpanDetail]:
        return [span for span in proxy.spans(len(ASKED), running=True) if span.row.name == "in the background"]

    raw.answer = answers(JSON, [orjson.dumps({**answer, "status": "queued"})])
    asked = {"model": "gpt-5", "input": "Hello", "background": True, "conversation": {"id": "conv_7"}}
    client.post(base, json=asked, headers={"x-tracetui-name": "in the background"})
    ASKED.append("in the background")
    [span] = named()
    assert (span.row.status, span.row.session_id) == ("running", "conv_7")

    raw.answer = answers(JSON, [orjson.dumps({**answer, "status": "in_progress"})])
    client.get(f"{base}/resp_b")
    text = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done"}]}
    done = {**answer, "status": "completed", "output": [text], "usage": {"input_tokens": 5, "output_tokens": 2}}
    raw.answer = answers(JSON, [orjson.dumps(done)])
    for _ in range(2):  # a second look changes nothing
        client.get(f"{base}/resp_b")
    ASKED.extend(["GET"] * 3)
    [span] = named()
    assert (span.row.status, span.usage.input_tokens, span.output.messages[0].parts[0]["text"]) == ("ok", 5, "Done")
    assert span.row.session_id == "conv_7"
    assert len([one for one in proxy.spans(len(ASKED)) if one.row.name == "GET /v1/responses/resp_b"]) == 3


def test_a_socket_is_refused_in_one_sentence(raw: Raw, proxy: Proxy) -> None:
    before = len(raw.got)
    got = proxy.up.client.get("/proxy/gateway/v1/realtime", headers={"upgrade": "websocket", "connection": "upgrade"})
    assert (got.status_code, len(raw.got)) == (501, before)
    assert "WebSockets (the Realtime API" in got.json()["error"]["message"]
