"""From a folded span to its rows: what it means, what it costs, and its content encoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from collector import conventions
from collector.conventions.calls import call_key
from collector.model import NO_READING, READING_FIELDS, Content, Message, Reading, SpanPart, Usage
from collector.previews import preview_input, preview_output
from collector.store import contributors
from collector.store.content import Encoder, dumps
from collector.store.merge import says_nothing, state_of
from collector.store.recipes import encode_attributes, encode_content, encode_events, encode_logs
from collector.store.state import SpanState

_NEWEST = 4
"""So many texts of a value that repeats a conversation are taken for what it brings."""
_NO_USAGE = Usage()


class Pricer(Protocol):
    def quote(
        self, provider: str | None, model: str | None, usage: Usage | None, at_ns: int
    ) -> tuple[int | None, str]: ...


@dataclass(slots=True)
class Built:
    """A span's rows. `mentions` maps text hashes to 1 where this span brings the text, and to 0 where it
    only resends it (then it is a mention only if the file has not seen the text before)."""

    span: SpanPart
    state: SpanState
    body: list[Any]
    mentions: dict[str, int]


def read(span: SpanPart) -> Reading:
    """What a folded span means: what its sender said itself, else what conventions read, then its log records. Calls
    and results of tools are paired here, where both sides are known whatever part brought them."""
    reading = span.reading if span.reading is not NO_READING else conventions.read(span)
    if not span.logs:
        return conventions.paired(reading)
    said = conventions.read_logs(span.logs)
    more = {n: getattr(said, n) for n in READING_FIELDS if says_nothing(getattr(reading, n))}
    return conventions.paired(replace(reading, **{n: v for n, v in more.items() if not says_nothing(v)}))


def build(span: SpanPart, parted: Sequence[SpanPart], encoder: Encoder, prices: Pricer, seen_ns: int) -> Built:
    reading = read(span)
    state = _state(span, reading, prices, seen_ns)
    mentions: dict[str, int] = {}
    body = _body(span, reading, state, encoder, mentions)
    encoder.used = []
    parts = None
    if len(parted) > 1 or span.keep_parts:
        parts = dumps([contributors.kept(part, span, encoder) for part in parted])
    _mention(mentions, encoder, 0)
    body.append(parts)
    return Built(span, state, body, mentions)


def _state(span: SpanPart, reading: Reading, prices: Pricer, seen_ns: int) -> SpanState:
    usage = reading.usage or _NO_USAGE
    start, end = span.start_ns, span.end_ns
    cost, source = _cost(span, reading, prices)
    status = state_of(span) if reading.status != "error" else "error"
    tool = reading.tool
    name = conventions.called(span, tool.name if tool else None) or span.name
    return SpanState(
        0, 0, span.trace_id, span.span_id, span.parent_id, name, reading.kind or "span", status,
        start, end, max(0, end - start) if end is not None and start is not None else None, reading.ttft_ns,
        int(span.rank), seen_ns, span.process_id, reading.service, reading.operation, reading.provider,
        reading.model or reading.request_model, reading.request_model, reading.response_id,
        usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens,
        usage.reasoning_tokens, usage.audio_input_tokens, usage.audio_output_tokens, cost, source, 1, 0,
        reading.session_id, reading.user_id, reading.environment, reading.release, reading.project, reading.level,
        tool.name if tool else None, reading.agent_name, reading.prompt_name, reading.prompt_version,
        reading.error_type, span.status_message or reading.status_message,
        dumps(list(reading.tags)) if reading.tags else None,
        _metadata(reading), span.source_id, reading.trace_name, call_key(span, reading),
    )  # fmt: skip


def _metadata(reading: Reading) -> str | None:
    if not reading.metadata:
        return None
    try:
        return orjson.dumps(reading.metadata, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return orjson.dumps(reading.metadata, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _cost(span: SpanPart, reading: Reading, prices: Pricer) -> tuple[int | None, str | None]:
    """(nano-dollars, where from). A reported cost wins; None, "unknown" for a model nobody has a price for."""
    if reading.cost_nanousd is not None:
        return reading.cost_nanousd, "reported"
    model = reading.model or reading.request_model
    if not model or not reading.usage:
        return None, "unknown" if model else None
    at = span.start_ns or span.at_ns
    cost, source = prices.quote(reading.provider, model, reading.usage, at)
    if cost is None and reading.request_model and reading.request_model != model:
        cost, source = prices.quote(reading.provider, reading.request_model, reading.usage, at)
    return cost, source


def _body(span: SpanPart, reading: Reading, state: SpanState, encoder: Encoder, mentions: dict[str, int]) -> list[Any]:
    encoder.used = []
    system_node = encoder.path(reading.system) or None
    definitions = None if reading.tool_definitions is None else dumps(encoder.whole(reading.tool_definitions))
    in_node, in_value = _side(reading.input, encoder, _first_new_input)
    _mention_sides(mentions, encoder)
    out_node, out_value = _side(reading.output, encoder, _first_new_output)
    _mention_sides(mentions, encoder)
    tool, documents = encoder.tool(reading.tool), encoder.documents(reading.documents)
    for text in (state.name, state.status_message, state.error_type, reading.trace_name):
        if text:
            encoder.text(text)
    _mention(mentions, encoder, 1)
    encoder.used = []
    attributes = encode_attributes(span.attributes, encoder) if span.attributes else None
    events, links = encode_events(span.events, encoder), encoder.links(span.links)
    logs = encode_logs(span.logs, encoder)
    _mention(mentions, encoder, 0)
    return [
        0, attributes, events, links, logs,
        encoder.context("resource", span.resource), encoder.context("scope", span.scope),
        span.trace_state or None, span.flags, span.otel_kind, span.otel_status, span.status, span.status_message,
        _beside(span, state),
        span.at_ns, int(span.reading is not NO_READING), reading.convention,
        system_node, in_node or None, out_node or None, in_value, out_value,
        preview_input(reading.input), preview_output(reading.output),
        dumps(encoder.value(reading.params)) if reading.params else None,
        tool, definitions, documents,
        dumps(list(reading.finish_reasons)) if reading.finish_reasons else None,
        reading.replay_of, dumps(list(reading.notes)) if reading.notes else None, span.source_trace_id,
        reading.trace_input, reading.trace_output,
    ]  # fmt: skip


def _beside(span: SpanPart, state: SpanState) -> str | None:
    """How many attributes, events and links its sender left out; and its name as sent, where it is called otherwise."""
    counts = [span.dropped_attributes, span.dropped_events, span.dropped_links]
    if span.name != state.name:
        return dumps([*counts, span.name])
    return dumps(counts) if any(counts) else None


def _side(
    content: Content | None, encoder: Encoder, first_new: Callable[[Sequence[Message]], int]
) -> tuple[str | None, str | None]:
    """Encode an input or output; what is new in this turn comes from `encoder.mark` on.

    A value that repeats a conversation says not which of it is new: that are its last texts. Else each turn would be
    listed as having brought all the texts of those before it.
    """
    began = encoder.mark = len(encoder.used)
    if content is None:
        return None, None
    if not content.messages:
        found = encode_content(content, encoder)
        if len(encoder.used) - began > _NEWEST and (found[1] or "").startswith(('{"$p"', '{"$r"')):
            encoder.mark = len(encoder.used) - _NEWEST
        return found
    new = first_new(content.messages)
    node = encoder.path(content.messages[:new])
    encoder.mark = len(encoder.used)
    return encoder.path(content.messages[new:], node, new), None


def _first_new_input(messages: Sequence[Message]) -> int:
    """What comes after the last assistant message."""
    new = len(messages)
    while new and messages[new - 1].role != "assistant":
        new -= 1
    return new


def _first_new_output(messages: Sequence[Message]) -> int:
    """What comes after the last user message: an agent's output may hold all that was said before. With nothing
    behind that, all of it."""
    new = len(messages)
    while new and messages[new - 1].role != "user":
        new -= 1
    return new if new < len(messages) else 0


def _mention_sides(mentions: dict[str, int], encoder: Encoder) -> None:
    _mention(mentions, encoder, 0, encoder.used[: encoder.mark])
    _mention(mentions, encoder, 1, encoder.used[encoder.mark :])
    encoder.used = []


def _mention(mentions: dict[str, int], encoder: Encoder, brings: int, used: list[str] | None = None) -> None:
    for name in encoder.used if used is None else used:
        if brings:
            mentions[name] = 1
        elif name in encoder.texts:
            mentions.setdefault(name, 0)
