"""The shape of a trace: errors that nobody heard of, spans without parents, spans whose process is gone, searches
that found nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from collector.seen import Seen
from collector.signals.calls import EMPTY
from collector.signals.trace import HANDLED, Signal, Trace

_BY_THE_USER = re.compile(
    r"(?:interrupted|aborted|cancell?ed|rejected|denied|declined) by (?:the )?user"
    r"|user (?:doesn['’]t want|rejected|denied)",
    re.I,
)
_ADDRESS = re.compile(r"[a-z][\w+.-]*://\S+", re.I)


def swallowed(trace: Trace) -> Iterator[Signal]:
    """A step failed, nothing of its kind went well in its place, and what it was part of says that all is well."""
    for span in trace.spans:
        if span.status != "error" or span.kind in HANDLED:
            continue
        if span.span_id in trace.failing_below:
            continue  # the innermost failure speaks
        above = trace.above(span)
        if not above or any(one.status != "ok" for one in above) or _made_good(trace, span, above):
            continue
        why = span.status_message or span.error_type or "no reason given"
        if _BY_THE_USER.search(why):
            continue  # who stopped it knows
        text = f"{span.name} failed ({why[:120]}), and {above[-1].name} ended well"
        yield Signal("swallowed", span.span_id, text, (above[-1].span_id,))


def _made_good(trace: Trace, span: Seen, above: list[Seen]) -> bool:
    """Whether a later step of the same kind went well, or, of a tool or a part of one, a model was called after it and
    could deal with it."""
    ended = span.end_ns or span.start_ns
    words = [("name", span.name), ("kind", span.kind)]
    if any(trace.last_well.get((one.span_id, *word), -1) >= ended for one in above for word in words):
        return True
    if not any(one.kind in ("tool", "retriever") for one in (span, *above)):
        return False
    if not trace.calls:  # nobody recorded what the agent's model was told of it
        return any(one.kind == "agent" for one in above)
    return any(trace.last_model_below.get(one.span_id, -1) >= ended for one in above)


def orphan(trace: Trace) -> Iterator[Signal]:
    """Spans whose parent never arrived. One parent that all beginnings share is in another system: no signal."""
    missing: dict[str, list[Seen]] = defaultdict(list)
    for span in trace.spans:
        if span.parent_id is not None and span.parent_id not in trace.by_id:
            missing[span.parent_id].append(span)
    rooted = any(span.parent_id is None for span in trace.spans)
    if not rooted and len(missing) < 2:
        return
    for parent, spans in missing.items():
        text = f"{len(spans)} span{'s' if len(spans) > 1 else ''} below {parent}, which is not in the file"
        yield Signal("orphan", spans[0].span_id, text, tuple(span.span_id for span in spans))


def abandoned(trace: Trace) -> Iterator[Signal]:
    """A span began, and its process is gone."""
    for span in trace.spans:
        if span.status == "abandoned":
            yield Signal("abandoned", span.span_id, f"{span.name} never ended: its process is gone, or has gone quiet")


def empty_retrieval(trace: Trace) -> Iterator[Signal]:
    """A search that was asked something and brought no document."""
    for span in trace.spans:
        if span.kind not in ("retriever", "reranker") or span.status != "ok" or span.end_ns is None or span.documents:
            continue
        asked = span.input_value is not None or bool(span.input)  # else nobody recorded what went in and out
        if span.kind == "reranker":
            asked = asked and span.output_value is not None  # it is given its documents: none came out, or none is told
        if isinstance(span.input_value, str) and _ADDRESS.fullmatch(span.input_value.strip()):
            continue  # read, not searched for
        if asked and not span.output and (span.output_value in EMPTY or _no_documents(span)):
            yield Signal("empty_retrieval", span.span_id, f"{span.name} brought no document")


def _no_documents(span: Seen) -> bool:
    value = span.output_value
    return isinstance(value, dict) and value.get("documents") == []
