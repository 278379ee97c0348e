"""Sending a draft: the answer as it comes, and a span of it in the file.

The request goes out through the provider's own client, once: a retry would be another call. The span takes the road
of every other one (`collector.sdk`), with a queue of its own, so that it is in the file from its first moment; it
belongs to no session, whose turns it would add to.
"""

from __future__ import annotations

import asyncio
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
from collector.protocols.llm import anthropic as anthropic_words
from collector.protocols.llm import openai as openai_words
from collector.replay.draft import Draft
from collector.replay.failures import ReplayError, explained
from collector.sdk.live import Plan, Span
from collector.sdk.queue import Queue
from collector.sdk.trouble import note_error

TIMEOUT_S = 120.0
"""For each piece of the answer, not for the whole."""
NAMED = {"openai": ("model", "messages"), "anthropic": ("model", "messages", "max_tokens")}
TAG = "replay"
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
    draft: Draft, db: Path, *, on_text: Callable[[str], None] = lambda _: None, env: Mapping[str, str] | None = None
) -> Outcome:
    """Ask again, and store what is answered into `db`. `on_text` gets the answer's text piece by piece.

    ReplayError says what stood in the way, once that too is in the file. Cancelling the task ends the request; what
    came so far is stored as a cancelled span.
    """
    environ = os.environ if env is None else env
    base, key = where(draft.call.provider, environ)
    made = _client(draft.call.provider, base, key)  # before anything is recorded: the package may be missing
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
    try:
        async with _streamed(made, draft) as stream:
            async for item in stream:
                if gather.take(item):
                    span.first_token()
                if text := _text(item):
                    on_text(text)
    except asyncio.CancelledError:
        span.cancelled = "CancelledError"
        await _end(queue, span, gather.said())
        raise
    except Exception as error:
        said = gather.said() if gather.complete or span.first_token_at else {}
        note_error(span, error)
        await _end(queue, span, said)
        raise explained(error, draft.call.provider, base, draft.model) from error
    finally:
        await made.close()
    said = gather.said()
    stored = await _end(queue, span, said)
    return _outcome(span, said, stored)


def where(provider: Provider, env: Mapping[str, str]) -> tuple[str, str]:
    """(address, key) to use. ReplayError where a key is needed and none is set; servers of this machine need none."""
    base = env.get(provider.base_variable) or provider.base
    key = env.get(provider.key_variable, "") if provider.key_variable else ""
    host = urlsplit(base).hostname or ""
    if key or not provider.key_variable or host in LOCAL or host.startswith("127."):
        return base, key or "none-needed"
    raise ReplayError(
        f"{provider.key_variable} is not set, and {host} wants a key: export it, or set {provider.base_variable} to a"
        " server of your own (it is read when you send, and never stored)"
    )


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
