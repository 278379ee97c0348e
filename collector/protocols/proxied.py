"""A request to a model's API that went through the proxy, as parts of a span. Pure.

What was sent and what came back is read as the SDK's client wrappers read it (`collector.protocols.llm`). A path that
nobody knows becomes a span of kind "http" without contents. Whatever was sent or answered, there is a span of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from collector.conventions import said as read
from collector.errors import DecodeError
from collector.ids import RUN_ATTRIBUTE
from collector.model import Rank, Reading, Resource, Scope, SpanPart, Value
from collector.protocols import jsonbody
from collector.protocols.events import AwsEvents, Cutter, EventLines, JsonArray, JsonLines
from collector.protocols.llm import ABANDONED, Endpoint, Said, openai, responses
from collector.protocols.llm.forms import document_of
from collector.protocols.llm.known import endpoint_of, model_in
from collector.protocols.llm.plainly import text
from collector.protocols.llm.ranked import documents

SCOPE = Scope("tracetui.proxy")
REQUEST_ID = "http.response.header.request-id"
"""Anthropic's and OpenAI's (x-request-id) name of a request: Claude Code tells it of its calls, and no other."""
MOST_ID = 200
CANCELLED_BY = "tracetui.cancelled"
LONGEST_S = 7 * 86_400
"""A call in the background that ended longer ago than this was not one that we saw begin."""
SHOWN = 2_000
"""Characters of an answer that could not be read."""
STREAMS: dict[str, type[Cutter]] = {
    "text/event-stream": EventLines, "application/x-ndjson": JsonLines, "application/jsonl": JsonLines,
    "application/vnd.amazon.eventstream": AwsEvents,
}  # fmt: skip
"""How an answer in pieces is cut, by its type."""
PLAIN = (
    "operation", "provider", "model", "request_model", "response_id", "params", "tool_definitions", "prompt_name",
    "prompt_version", "error_type",
)  # fmt: skip


@dataclass(slots=True)
class Asked:
    """A request, and where it belongs. `body` is inflated; `path` is the upstream's, without its query."""

    method: str
    path: str
    host: str
    port: int | None
    upstream: str
    body: bytes
    began_ns: int
    trace_id: str
    span_id: str
    parent_id: str | None = None
    source_trace_id: str | None = None
    session: str | None = None
    user: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Value] | None = None
    name: str | None = None
    service: str | None = None
    run: str | None = None
    local: str | None = None
    """Who answers, where the host does not tell."""
    notes: tuple[str, ...] = ()
    content_type: str = ""
    endpoint: Endpoint | None = None
    said: Said = field(default_factory=dict)

    def read(self) -> Any:
        """Find the endpoint and read the body; the document, None where it is none."""
        self.endpoint = endpoint_of(self.method, self.path)
        if self.endpoint is None:
            return None
        document, self.said = None, {}
        try:
            document = document_of(self.body, self.content_type)
            if isinstance(document, dict):
                self.said = self._said(self.endpoint, document)
        except DecodeError as e:
            self.notes += (str(e),)
        except Exception as e:  # noqa: BLE001  # anybody's JSON
            self.notes += (f"the request could not be read: {type(e).__name__}",)
        return document

    def _said(self, endpoint: Endpoint, document: dict[str, Any]) -> Said:
        model = text(document.get("model")) or model_in(self.path)
        user = document.get("safety_identifier") or document.get("user")
        if not user and isinstance(document.get("metadata"), dict):
            user = document["metadata"].get("user_id")
        self.user = self.user or text(user)
        kept = document.get("conversation")
        self.session = self.session or text(kept.get("id") if isinstance(kept, dict) else kept)
        return {**endpoint.asked(document), "operation": endpoint.operation, "request_model": model}


@dataclass(slots=True)
class Answered:
    """What came back. `pieces` are (Unix nanoseconds, inflated bytes), `status` None where there was no answer.

    `trouble` is (type, sentence) of what went wrong on the way; `left` says that the caller went away before the end.
    """

    ended_ns: int
    status: int | None = None
    content_type: str = ""
    pieces: Iterable[tuple[int, bytes]] = ()
    size: int = 0
    trouble: tuple[str, str] | None = None
    left: bool = False
    unread: str = ""
    """Why the pieces are not all that came."""
    cost_usd: float | None = None
    """As a header told it (LiteLLM's proxy does)."""
    request_id: str | None = None
    """What the upstream calls the request."""


def started(asked: Asked) -> SpanPart:
    """The part of a span whose answer is still to come."""
    return _part(asked, asked.said, Rank.STARTED, None, {})


def finished(asked: Asked, answered: Answered) -> tuple[SpanPart, Said]:
    """The whole span, and what was answered."""
    found, first = _answer(asked, answered)
    kept = {**_http(answered), **found.pop("attributes", {})}
    said = {**asked.said, **{name: value for name, value in found.items() if value is not None}}
    if answered.left:
        kept[CANCELLED_BY] = "ClientDisconnect"
        said.setdefault("status_message", ABANDONED)
    if first:
        said["ttft_ns"] = max(0, first - asked.began_ns)
    if answered.cost_usd is not None:
        said.setdefault("cost_usd", answered.cost_usd)
    if responses.is_under_way(kept):
        return _part(asked, said, Rank.UPDATE, None, kept), found
    return _part(asked, said, Rank.FINISHED, answered.ended_ns, kept), found


def fetched(asked: Asked, answered: Answered, trace_id: str, span_id: str) -> SpanPart | None:
    """The end of a call that went on in the background, from a later request for its answer; None where it still does,
    or this says nothing of it. It ended when the answer says so (seconds), else when it was fetched."""
    reader = replace(asked, endpoint=openai.ENDPOINTS["/responses"], notes=())
    said, _ = _answer(reader, answered)
    if not said.get("finish_reasons"):
        return None
    told, ended_ns = responses.completed_at(said.get("attributes") or {}), answered.ended_ns
    if told is not None and asked.began_ns // 10**9 - told < LONGEST_S:
        ended_ns = min(ended_ns, (told + 1) * 10**9)
    status = said.get("status")
    return SpanPart(
        trace_id, span_id, Rank.FINISHED, answered.ended_ns, end_ns=ended_ns, status=status,
        status_message=said.get("status_message"), otel_kind=3, otel_status=2 if status == "error" else 0,
        attributes=said.get("attributes") or {}, reading=_reading(reader, said),
    )  # fmt: skip


def joined(trace_id: str, span_id: str, session: str, at_ns: int) -> SpanPart:
    """What is said later of a call: it was the beginning of a conversation."""
    return SpanPart(trace_id, span_id, Rank.UPDATE, at_ns, reading=Reading(convention="proxy", session_id=session))


def _http(answered: Answered) -> dict[str, Value]:
    told = {"http.response.status_code": answered.status, "http.response.body.size": answered.size}
    out: dict[str, Value] = {name: value for name, value in told.items() if value is not None}
    if answered.request_id:
        out[REQUEST_ID] = [answered.request_id[:MOST_ID]]
    return out


def _answer(asked: Asked, answered: Answered) -> tuple[Said, int]:
    """What was answered, and when the first of it came (0: not known)."""
    said: Said = {}
    first = 0
    wanted = asked.endpoint is not None or (answered.status or 0) >= 400
    try:
        if answered.status is not None and wanted:
            said, first = _read(asked, answered)
    except Exception as e:  # noqa: BLE001  # anybody's JSON
        said = _failed("unreadable answer", f"the answer could not be read: {type(e).__name__}")
    if answered.unread:
        asked.notes += (answered.unread,)
    if answered.trouble is not None:
        said = {**said, **_failed(*answered.trouble)}
    elif (answered.status or 0) >= 400 and said.get("status") != "error":
        said = {**said, **_failed(f"HTTP {answered.status}", f"the upstream answered {answered.status}")}
    return said, first


def _read(asked: Asked, answered: Answered) -> tuple[Said, int]:
    endpoint, kind = asked.endpoint, answered.content_type.partition(";")[0].strip()
    array = endpoint is not None and endpoint.array and (answered.status or 0) < 400
    if (cutter := JsonArray if array and kind == "application/json" else STREAMS.get(kind)) is not None:
        return _streamed(endpoint, answered, cutter())
    body = b"".join([piece for _, piece in answered.pieces])
    try:
        document = endpoint.other(kind, body) if endpoint and endpoint.other and kind != "application/json" else None
        document = document if document is not None else jsonbody.load(body, "the answer")
    except DecodeError as e:
        return _unreadable(str(e), body, answered), 0
    if (failure := _failure(document, answered.status)) is not None:
        return failure, 0
    said = endpoint.answered(document) if endpoint and isinstance(document, dict) else {}
    if not any(said.get(name) for name in ("output", "response_id", "model", "usage", "finish_reasons")):
        what = "the answer is JSON, but nothing that this API answers"
        return _unreadable(what, body, answered), 0
    return said, 0


def _unreadable(why: str, body: bytes, answered: Answered) -> Said:
    """Rubbish, kept as far as a page of it; of what was left or cut, no more than that."""
    shown = body[:SHOWN].decode("utf-8", "replace")
    if answered.left or answered.unread:
        return {"output": {"text": shown}} if shown else {}
    name = f"HTTP {answered.status}" if (answered.status or 0) >= 400 else "unreadable answer"
    return {**_failed(name, why), "output": {"text": shown}}


def _streamed(endpoint: Endpoint | None, answered: Answered, lines: Cutter) -> tuple[Said, int]:
    if endpoint is None or endpoint.gather is None:
        return {}, 0
    gather = endpoint.gather()
    first, broken, over = 0, 0, False
    failure: Said | None = None

    def take(events: Iterable[bytes], at: int) -> None:
        nonlocal first, broken, failure, over
        for data in events:
            if data.strip() == b"[DONE]":
                over = True
                continue
            try:
                event = jsonbody.load(data, "an event")
                failure = _failure(event, None) or failure
                if gather.take(event) and not first:
                    first = at
            except Exception:  # noqa: BLE001  # one event must not take the others with it
                broken += 1

    for at, piece in answered.pieces:
        take(lines.take(piece), at)
    take(lines.rest(), answered.ended_ns)
    said = gather.said()
    if broken:
        said.setdefault("attributes", {})["tracetui.unreadable_events"] = broken
    if failure is not None:
        said = {**said, **failure, "output": said.get("output") or failure.get("output")}
    elif not (gather.complete or over or answered.left or answered.trouble or answered.unread):
        said = {**said, **_failed("incomplete stream", "the upstream ended the stream before the answer was whole")}
    return said, first


def _failure(document: Any, status: int | None) -> Said | None:
    """An error as OpenAI, Anthropic and Gemini word it: {"error": {"message", "type", "code", "status"}}; None where
    it is none.

    Some answer it with status 200, some in the middle of a stream, some with a mere text, Gemini in a list.
    """
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        return None
    said = document.get("error")
    if document.get("type") == "error" and said is None:  # the Responses API's event
        said = document
    if not said and (status or 0) < 400:
        return None
    if not isinstance(said, dict):
        message = text(said) or text(document.get("message")) or text(document.get("detail"))
        said = {"message": message}
    kinds = [said.get(name) for name in ("code", "status", "type")]
    kinds.sort(key=lambda one: not isinstance(one, str))  # a name says more than a number
    kind = next((str(one) for one in kinds if isinstance(one, str | int) and one not in ("", "error")), None)
    message = text(said.get("message")) or f"the upstream answered {status or 'an error'}"
    kind = kind or (f"HTTP {status}" if (status or 0) >= 400 else "error")
    return {**_failed(kind, message), "output": {"error": document}}


def _failed(kind: str, message: str) -> Said:
    return {"status": "error", "error_type": kind, "status_message": message[:SHOWN]}


def _part(asked: Asked, said: Said, rank: Rank, ended_ns: int | None, kept: dict[str, Value]) -> SpanPart:
    named: dict[str, Value] = {"service.name": asked.service, RUN_ATTRIBUTE: asked.run}
    status = said.get("status")
    return SpanPart(
        trace_id=asked.trace_id,
        span_id=asked.span_id,
        parent_id=asked.parent_id,
        rank=rank,
        at_ns=ended_ns or asked.began_ns,
        name=asked.name or _name(asked),
        start_ns=asked.began_ns,
        end_ns=ended_ns,
        status=status,
        status_message=said.get("status_message"),
        otel_kind=3,
        otel_status=2 if status == "error" else 0,
        attributes={**_request(asked), **kept},
        resource=Resource({name: value for name, value in named.items() if value}),
        scope=SCOPE,
        source_trace_id=asked.source_trace_id,
        reading=_reading(asked, said),
    )


def _name(asked: Asked) -> str:
    if asked.endpoint is None:
        return f"{asked.method} {asked.path}"
    return " ".join(filter(None, (asked.endpoint.operation, asked.said.get("request_model"))))


def _request(asked: Asked) -> dict[str, Value]:
    """OpenTelemetry's names for HTTP; the query is left out, some hold keys there."""
    told: dict[str, Value] = {
        "http.request.method": asked.method, "url.path": asked.path, "server.address": asked.host,
        "server.port": asked.port, "http.request.body.size": len(asked.body), "tracetui.proxy.upstream": asked.upstream,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _reading(asked: Asked, said: Said) -> Reading:
    kind = asked.endpoint.kind if asked.endpoint is not None else "http"
    leading, given = _content(said.get("input"), kind, "user")
    _, output = _content(said.get("output"), kind, "assistant")
    usage, cost = said.get("usage"), said.get("cost_usd")
    return Reading(
        convention="proxy",
        kind=kind,
        usage=read.usage_of(usage) if isinstance(usage, dict) else None,
        cost_nanousd=round(cost * 1e9) if isinstance(cost, int | float) else None,
        system=(*read.system(said.get("system")), *leading),
        input=given,
        output=output,
        finish_reasons=tuple(said.get("finish_reasons") or ()),
        session_id=asked.session,
        user_id=asked.user,
        tags=asked.tags,
        metadata=asked.metadata,
        ttft_ns=said.get("ttft_ns"),
        service=asked.service,
        notes=asked.notes,
        documents=documents(said.get("candidates"), said.get("ranked")),
        provider=provider_of(asked) if asked.endpoint is not None else None,
        **{name: said[name] for name in PLAIN if name != "provider" and said.get(name) is not None},
    )


def _content(value: Any, kind: str, role: str) -> Any:
    """As the conventions read it; a value as it is where they cannot."""
    try:
        return read.content(value, kind, role)
    except Exception:  # noqa: BLE001  # anybody's JSON
        return read.content({"value": value}, "span", role)


def provider_of(asked: Asked) -> str:
    """Who answers: by the host, else by the API where that is one maker's own, else by the upstream's name."""
    known = openai.known_at(asked.host, asked.port) or asked.local
    return known or (asked.endpoint.provider if asked.endpoint else None) or openai.provider_called(asked.upstream)
