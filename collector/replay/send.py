"""Sending a draft: the answer as it comes, and a span of it in the file.

The request goes out through the provider's own client, once: a retry would be another call. The span takes the road
of every other one (`collector.sdk`), with a queue of its own, so that it is in the file from its first moment; it
belongs to no session, whose turns it would add to.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collector.conventions.said import content
from collector.export.calls import Answer, Provider
from collector.export.plainly import line
from collector.protocols.llm import Endpoint, Gather, Said
from collector.protocols.llm import anthropic as anthropic_words
from collector.protocols.llm import openai as openai_words
from collector.replay.draft import Draft
from collector.replay.failures import MOST, NoAnswer, ReplayError, explained, of_page
from collector.sdk.live import Plan, Span
from collector.sdk.queue import Queue
from collector.sdk.trouble import note_error

TIMEOUT_S = 120.0
"""For each piece of the answer, not for the whole."""
NAMED = {"openai": ("model", "messages"), "anthropic": ("model", "messages", "max_tokens")}
TAG = "replay"
NO_KEY = "none-needed"
LOCAL = ("localhost", "::1", "host.docker.internal")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. Times are nanoseconds; `first_token_ns` is None where nothing streamed. Tokens are in our
    meaning once the file has been read: here is only what the provider said (`usage`, as it was sent).

    `stored` False means that the file took no span; the answer is here all the same.
    """

    answer: Answer
    trace_id: str
    span_id: str
    stored: bool
    duration_ns: int
    first_token_ns: int | None
    finish_reason: str | None
    usage: Mapping[str, Any]
    model: str | None


async def send(
    draft: Draft, db: Path, *, on_text: Callable[[str], None] = lambda _: None,
    on_other: Callable[[str], None] = lambda _: None, env: Mapping[str, str] | None = None,
) -> Outcome:  # fmt: skip
    """Ask again, and store what is answered into `db`. `on_text` gets the answer's text piece by piece; `on_other`
    hears what the model is doing ("reasoning", "calling a tool") whenever a piece is no text.

    ReplayError says what stood in the way, once that too is in the file. Cancelling the task ends the request; what
    came so far is stored as a cancelled span.
    """
    environ = os.environ if env is None else env
    base, key = where(draft.call.provider, environ)
    # Before anything is recorded: the package may be missing. Importing it takes a second, which no screen waits for.
    made = await asyncio.to_thread(_client, draft.call.provider, base, key)
    queue = _queue(db)
    words = openai_words if draft.call.provider.api == "openai" else anthropic_words
    endpoint = words.ENDPOINTS[draft.call.path]
    assert endpoint.gather is not None
    gather = endpoint.gather()
    span = queue.open(Plan(queue, f"{endpoint.operation} {draft.model}", endpoint.kind))
    span.root = True
    span.update(
        operation=endpoint.operation, provider=_provider_name(draft, base), request_model=draft.model,
        replay_of=draft.replay_of, tags=[TAG], **endpoint.asked(draft.call.body),
    )  # fmt: skip
    queue.place(span, None)
    queue.launch(span)
    whole: Said | None = None
    try:
        async with _streamed(made, draft) as stream:
            whole = await _unstreamed(stream, endpoint)
            if whole is not None:
                on_text(answer_of(whole.get("output")).text)
            else:
                await _listen(stream, gather, span, on_text, on_other)
    except asyncio.CancelledError:
        span.cancelled = "CancelledError"
        await _end(queue, span, gather.said())
        raise
    except Exception as error:
        said = gather.said() if gather.complete or span.first_token_at else {}
        note_error(span, error)
        await _end(queue, span, said)
        begun = bool(span.first_token_at)
        keyed = key != NO_KEY
        raise explained(error, draft.call.provider, base, draft.model, keyed=keyed, begun=begun) from error
    finally:
        await made.close()
    said = gather.said() if whole is None else whole
    stored = await _end(queue, span, said)
    return _outcome(span, said, stored)


def where(provider: Provider, env: Mapping[str, str]) -> tuple[str, str]:
    """(address, key) to use. ReplayError where a key is needed and none is set; servers of this machine need none."""
    base = env.get(provider.base_variable) or provider.base
    key = env.get(provider.key_variable, "") if provider.key_variable else ""
    host = _host(base)
    if host is None:
        raise ReplayError(
            f"{provider.base_variable} is {base!r}, which is no address; it begins with http:// or https://"
        )
    if key or not provider.key_variable or host in LOCAL or host.startswith("127."):
        return base, key or NO_KEY
    raise ReplayError(
        f"{provider.key_variable} is not set, and {host} wants a key: export it, or set {provider.base_variable} to a"
        " server of your own (it is read when you send, and never stored)"
    )


def _host(base: str) -> str | None:
    """The host of an address, None where it is none."""
    try:
        parts = urlsplit(base)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None


def _client(provider: Provider, base: str, key: str) -> Any:
    """The provider's asynchronous client. Retries would be calls that nobody asked for."""
    try:
        library = import_module(provider.api)
    except ImportError as error:
        raise ReplayError(
            f"replaying this call needs the {provider.api} package: pip install 'tracetui[replay]'"
        ) from error
    made = library.AsyncAnthropic if provider.api == "anthropic" else library.AsyncOpenAI
    return made(base_url=base, api_key=key, max_retries=0, timeout=TIMEOUT_S)


def _queue(db: Path) -> Queue:
    """Into this file, whatever the settings say of collectors, sampling and switches: it was asked for."""
    from collector.ingest import Ingest
    from collector.settings import resolve

    settings = resolve(strict=False, db=db).settings
    settings = replace(settings, db=db, disabled=False)
    return Queue(
        sink=lambda: Ingest(db, settings), db=db, disabled=False, sample_rate=1.0, sampling=[], started_after_s=0.0
    )


def _provider_name(draft: Draft, base: str) -> str:
    parts = urlsplit(base)
    if draft.call.provider.api == "anthropic":
        return "anthropic"
    return openai_words.provider_at(parts.hostname or "", parts.port)


@asynccontextmanager
async def _streamed(client: Any, draft: Draft) -> AsyncIterator[Any]:
    """The events of the answer. What the client has no argument for goes into the body as it stands."""
    body = {name: value for name, value in draft.call.body.items() if name not in ("stream", "stream_options")}
    named = {name: body.pop(name) for name in NAMED[draft.call.provider.api] if name in body}
    if draft.call.provider.api == "anthropic":
        stream = await client.messages.create(**named, stream=True, extra_body=body)
    else:
        options = {"include_usage": True}
        stream = await client.chat.completions.create(**named, stream=True, stream_options=options, extra_body=body)
    async with stream:
        yield stream


async def _listen(
    stream: Any, gather: Gather, span: Span, on_text: Callable[[str], None], on_other: Callable[[str], None]
) -> None:
    """Take the answer in, piece by piece."""
    async for item in stream:
        fresh = gather.take(item)
        if fresh:
            span.first_token()
        if text := _text(item):
            on_text(text)
        elif fresh:
            on_other(_doing(item))
    if not gather.complete and not span.first_token_at:
        raise NoAnswer("answered without a word, and without saying that this was all")


async def _unstreamed(stream: Any, endpoint: Endpoint) -> Said | None:
    """The answer of a server that does not stream, though it was asked to; None where events come. What neither is
    an answer nor events is told at once: the clients would take it for a stream in which nothing is said."""
    kind = stream.response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "text/html"):
        return None
    text = (await stream.response.aread()).decode("utf-8", "replace")
    try:
        said = endpoint.answered(json.loads(text))
    except ValueError:
        said = {}
    if said.get("output") or said.get("finish_reasons"):
        return said
    raise NoAnswer(f"answered with {kind} that holds no answer: {line(of_page(text), MOST)}")


def _doing(item: Any) -> str:
    """What a piece of the answer that is no text is a part of."""
    kind = getattr(getattr(item, "delta", None), "type", "")
    deltas = [choice.delta for choice in getattr(item, "choices", None) or ()]
    return (
        "calling a tool"
        if kind == "input_json_delta" or any(getattr(d, "tool_calls", None) for d in deltas)
        else "reasoning"
    )


def _text(item: Any) -> str:
    """The text that an event brings, of either API."""
    delta = getattr(item, "delta", None)
    if delta is not None:
        return str(getattr(delta, "text", None) or "")
    choices = getattr(item, "choices", None) or ()
    return "".join(str(getattr(choice.delta, "content", None) or "") for choice in choices if choice.index == 0)


async def _end(queue: Queue, span: Span, said: Mapping[str, Any]) -> bool:
    """End the span and wait until the file has it. False where it would not take it."""
    span.update(**said)
    span.ended = queue.now()
    queue.finish(span)
    return await asyncio.shield(asyncio.to_thread(queue.close))


def _outcome(span: Span, said: Mapping[str, Any], stored: bool) -> Outcome:
    first = span.first_token_at
    reasons = said.get("finish_reasons") or [None]
    return Outcome(
        answer_of(said.get("output")), span.trace_id, span.span_id, stored, span.ended - span.began,
        first - span.began if first else None, reasons[0], said.get("usage") or {}, said.get("model"),
    )  # fmt: skip


def answer_of(output: Any) -> Answer:
    """An output as the providers spell it, as text and tool calls."""
    _, found = content(output, "llm", "assistant")
    parts = [part for message in (found.messages if found else ()) for part in message.parts]
    text = "".join(str(part.get("text") or "") for part in parts if part.get("type") == "text")
    calls = tuple((str(part.get("name")), part.get("arguments")) for part in parts if part.get("type") == "tool_call")
    return Answer(text, calls)
