"""What the inspector says about a span: head, error, attributes, events, raw. Pure: a `SpanDetail` in, lines out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from collector.model import Value
from collector.store.pointers import MOST, Pointer, target
from collector.store.rows import SpanDetail
from tracetui import format as fmt
from tracetui.widgets import messages
from tracetui.widgets.lines import Document, Here
from tracetui.widgets.paint import Part

MOST_REPLAYS = 5
TABS = ("Messages", "I/O", "Attributes", "Events", "Raw")


def document(
    span: SpanDetail,
    tab: int,
    width: int,
    *,
    toggled: frozenset[str] = frozenset(),
    everything: bool = False,
    whole: bool = False,
    otlp: str | None = None,
    pointers: Sequence[Pointer] = (),
    glyphs: fmt.Glyphs = fmt.UNICODE,
) -> Document:
    """The lines of one tab at a width. The head comes first on every tab. `whole` unfolds everything; `otlp` is the
    span as OTLP's JSON, None where it was not read (yet); `pointers` are what names this span."""
    page = Document(max(width, 12), toggled, whole)
    links = [one for one in pointers if one.kind == "link"]
    _head(page, span, glyphs, len(links))
    _replays(page, [one for one in pointers if one.kind == "replay"], glyphs)
    page.head = len(page.lines)
    page.gap()
    if tab == 0:
        page.blocks = True
        failure(page, span, glyphs)
        messages.conversation(page, span, everything=everything, glyphs=glyphs)
    else:
        happened = partial(happenings, links=links, glyphs=glyphs)
        (messages.sides, attributes, happened, partial(raw, otlp=otlp))[tab - 1](page, span)
    return page


def _head(page: Document, span: SpanDetail, glyphs: fmt.Glyphs, linked: int = 0) -> None:
    """One or two lines: what it is, and what it took. `linked`: from so many spans, which Events lists."""
    row = span.row
    running = row.status == "running"
    taken = fmt.duration(None if row.end_ns is None else row.end_ns - row.start_ns, running=running)
    facts = [taken]
    if span.usage.input_tokens is not None or span.usage.output_tokens is not None:
        facts.append(f"{fmt.tokens(span.usage.input_tokens)} in {fmt.tokens(span.usage.output_tokens)} out")
    if span.usage.cache_read_tokens:
        facts.append(f"{fmt.tokens(span.usage.cache_read_tokens)} cached")
    if span.usage.reasoning_tokens:
        facts.append(f"{fmt.tokens(span.usage.reasoning_tokens)} reasoning")
    if row.cost_nanousd is not None:
        facts.append(fmt.money(row.cost_nanousd))
    elif row.input_tokens is not None:
        facts.append("no price")
    if row.ttft_ns is not None:
        facts.append(f"first token {fmt.duration(row.ttft_ns)}")
    facts += [fmt.plain(reason) for reason in span.finish_reasons[:2]]
    if span.links:
        facts.append(f"{fmt.count(len(span.links))} {'link' if len(span.links) == 1 else 'links'}")
    if linked:
        facts.append(f"linked from {linked}{'+' if linked == MOST else ''}")
    kind = row.kind if row.kind in glyphs.kinds else "span"
    title: list[Part] = [(glyphs.kinds[kind] + " ", kind), (fmt.plain(row.name), "strong")]
    if row.model and row.model not in row.name:
        title.append((f"  {fmt.plain(row.model)}", "quiet"))
    if row.status != "ok":
        title.append((f"  {glyphs.states.get(row.status, '?')} {row.status}", row.status))
    page.add(*title)
    for line in _packed(facts, page.width):
        page.text(line, "quiet")
    if row.status == "abandoned":
        page.text("Abandoned: it started, and its process is gone. What it had said until then is below.", "abandoned")
    for note in span.notes:
        page.text(f"{glyphs.warn} {note}", "abandoned")
    if span.replay_of:
        page.add(("replays ", "quiet"), (fmt.plain(span.replay_of), "accent"), ("  enter goes there", "quiet"),
                 here=Here(span.replay_of, "replay of", goto=target(span.replay_of, row.trace_id)))  # fmt: skip


def _packed(facts: Sequence[str], width: int) -> list[str]:
    """As few lines as hold them, no fact torn that fits one."""
    lines = [facts[0]]
    for fact in facts[1:]:
        joined = f"{lines[-1]} · {fact}"
        lines[-1:] = [joined] if fmt.cells(joined) <= width else [lines[-1], fact]
    return lines


def _replays(page: Document, replays: Sequence[Pointer], glyphs: fmt.Glyphs) -> None:
    """One line for each, the newest first."""
    for one in replays[:MOST_REPLAYS]:
        _pointer(page, ("replayed ", "quiet"), one, one.model or one.span_id, glyphs)
    if len(replays) > MOST_REPLAYS:
        page.add((f"and {len(replays) - MOST_REPLAYS} earlier ones: has:replay finds them all", "quiet"))


def _pointer(page: Document, lead: Part, one: Pointer, called: str, glyphs: fmt.Glyphs) -> None:
    """The line of a span that names this one."""
    took = fmt.duration(one.duration_ns, running=one.status == "running")
    facts = [fmt.clock(one.start_ns)[:19], took, *([] if one.cost_nanousd is None else [fmt.money(one.cost_nanousd)])]
    page.add(lead, (glyphs.states.get(one.status, "?") + " ", one.status), (fmt.plain(called), "accent"),
             ("  " + "  ".join(facts), "quiet"), ("  enter goes there", "quiet"),
             here=Here(f"{one.trace_id}:{one.span_id}", one.kind, goto=(one.trace_id, one.span_id)))  # fmt: skip


def failure(page: Document, span: SpanDetail, glyphs: fmt.Glyphs) -> None:
    """The error, with its stack where an exception was recorded."""
    row = span.row
    if row.status != "error" and not row.error_type:
        return
    said = ": ".join(text for text in (row.error_type, row.status_message) if text)
    page.text(f"{glyphs.states['error']} {said or 'failed, and did not say why'}", "error", fold="error")
    for number, event in enumerate(event for event in span.events if event.name == "exception"):
        message = str(event.attributes.get("exception.message") or "")
        if message and message not in (row.status_message or ""):
            page.text(f"{event.attributes.get('exception.type') or 'exception'!s}: {message}", "error", indent=2)
        stack = event.attributes.get("exception.stacktrace")
        if isinstance(stack, str) and stack:
            page.text(stack.rstrip(), "quiet", indent=2, fold=f"stack{number}")
    page.gap()


def attributes(page: Document, span: SpanDetail) -> None:
    """What we read out of it, then everything as it was sent."""
    row = span.row
    usage = {name: value for name, value in dataclasses.asdict(span.usage).items() if value is not None}
    page.pairs(
        [
            ("kind", row.kind), ("operation", span.operation), ("provider", row.provider), ("model", row.model),
            ("requested model", span.request_model if span.request_model != row.model else None),
            ("parameters", span.params), ("usage", usage),
            ("cost", None if row.cost_nanousd is None else f"{fmt.money_exact(row.cost_nanousd)} ({span.cost_source})"),
            ("counted", None if row.counted else "no: the same call is counted in another span"),
            ("tool", row.tool_name), ("agent", span.agent_name), ("prompt", span.prompt_name),
            ("prompt version", span.prompt_version), ("session", row.session_id), ("user", row.user_id),
            ("service", row.service), ("environment", span.environment), ("release", span.release),
            ("project", span.project), ("level", span.level), ("tags", list(span.tags)), ("metadata", span.metadata),
            ("response", span.response_id), ("read by", span.convention), ("replay of", span.replay_of),
            ("trace", row.trace_id), ("span", row.span_id), ("parent", row.parent_id), ("source id", span.source_id),
            ("started", fmt.clock(row.start_ns)),
            ("ended", None if row.end_ns is None else fmt.clock(row.end_ns)),
            ("tool definitions", span.tool_definitions),
        ],
        prefix="read.",
    )  # fmt: skip
    scope = " ".join(text for text in (span.scope.name, span.scope.version) if text)
    sections: list[tuple[str, dict[str, Any]]] = [
        ("attributes", dict(span.attributes)),
        (f"scope {fmt.plain(scope)}" if scope else "scope", dict(span.scope.attributes)),
        ("resource", dict(span.resource.attributes)),
    ]
    for title, values in sections:
        if values or title.startswith("scope "):
            page.gap()
            page.rule(title, str(len(values)) if values else "")
            page.pairs(sorted(values.items()), prefix=title + ".")


def happenings(
    page: Document, span: SpanDetail, *, links: Sequence[Pointer] = (), glyphs: fmt.Glyphs = fmt.UNICODE
) -> None:
    """Events, log records, links, scores, and the spans that link here, with the time since the span began."""
    marks: list[tuple[int, str, str, Mapping[str, Value], Value]] = [
        *((event.time_ns, event.name, "event", event.attributes, None) for event in span.events),
        *((log.time_ns, log.event_name, log.severity or "log", log.attributes, log.body) for log in span.logs),
    ]
    for number, (time_ns, name, kind, values, body) in enumerate(sorted(marks, key=lambda mark: mark[0])):
        since = f"+{fmt.duration(time_ns - span.row.start_ns)}"
        role = "error" if name == "exception" else "strong"
        page.add((f"{since:>9}  ", "quiet"), (fmt.plain(name) or "log", role), (f"  {fmt.plain(kind)}", "quiet"))
        if body is not None:
            page.value(body, indent=11, fold=f"body{number}")
        page.pairs(sorted(values.items()), prefix=f"event{number}.", indent=11)
    for link in span.links:
        elsewhere = "" if link.trace_id == span.row.trace_id else f"{fmt.plain(link.trace_id)} "
        page.add((" " * 11, "text"), ("follows ", "quiet"), (f"{elsewhere}{fmt.plain(link.span_id)}", "accent"),
                 ("  enter goes there", "quiet"),
                 here=Here(f"{link.trace_id} {link.span_id}", "link", goto=(link.trace_id, link.span_id)))  # fmt: skip
        page.pairs(sorted(link.attributes.items()), prefix=link.span_id, indent=11)
    for score in span.scores:
        given = fmt.plain(score.label or "") if score.value is None else f"{score.value:g}"
        page.add(("    score  ", "quiet"), (fmt.plain(score.name), "strong"), (f"  {given}", "text"))
        if score.comment:
            page.text(score.comment, "quiet", indent=11)
    for one in links:
        _pointer(page, (" " * 11 + "followed by ", "quiet"), one, one.name or one.span_id, glyphs)
    if len(links) == MOST:
        page.add((" " * 11 + "and perhaps earlier ones", "quiet"))
    if not (marks or span.links or span.scores or links):
        page.add(("No events, log records, links or scores on this span.", "quiet"))


def raw(page: Document, span: SpanDetail, otlp: str | None) -> None:
    """The span as OTLP's JSON, as any other tool would get it; what we read out of it until that is there."""
    if otlp is None:
        page.value(as_values(span), fold="raw", opened=True, name="span")
    else:
        page.value(otlp, fold="otlp", opened=True, name="OTLP")


def as_values(span: SpanDetail) -> dict[str, Any]:
    """The span as JSON-ready values; what is empty is left out."""
    shape: dict[str, Any] = dict(span.row._asdict())
    for field in dataclasses.fields(span):
        if field.name != "row":
            shape[field.name] = _value(getattr(span, field.name))
    return {key: value for key, value in shape.items() if value not in (None, "", [], {}, ())}


def _value(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field.name, _value(getattr(value, field.name))) for field in dataclasses.fields(value))
        return {name: inner for name, inner in fields if inner not in (None, "", [], {}, ())}
    if isinstance(value, tuple | list):
        return [_value(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): _value(item) for key, item in value.items()}
    return value
