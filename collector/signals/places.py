"""`w`: where a value stood first, in a trace and in the turns of its session before it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from collector.model import Message
from collector.seen import Seen
from collector.signals.trace import Turn
from collector.signals.values import Found, in_text, of_argument

OF_A_TURN = 2
"""Places of an earlier turn that are named: where it came from matters, not how often it was said."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: `side` is system, input, output, documents, arguments or result; `message` counts from 1
    within its side, 0 where there are no messages; `excerpt` has some of what stands around it (foreign text).
    `trace_id` and `trace` (its name, foreign text) are those of an earlier turn, "" in the trace that was asked for."""

    span_id: str
    side: str
    message: int
    role: str
    excerpt: str
    trace_id: str = ""
    trace: str = ""


def first_places(spans: Iterable[Seen], text: str, most: int = 20, earlier: Sequence[Turn] = ()) -> list[Place]:
    """Where a text first stands, oldest first, each message once: as written, or as the same value written otherwise
    ("1,234.50" is 1234.5). `earlier` turns (newest first) come before the trace itself, OF_A_TURN places each."""
    wanted = of_argument(text)
    before = [
        replace(place, trace_id=turn.trace_id, trace=turn.name or turn.trace_id[:8])
        for turn in reversed(earlier)
        for place in _places(turn.spans, text, wanted, OF_A_TURN)
    ]
    return before + _places(spans, text, wanted, most)


def _places(spans: Iterable[Seen], text: str, wanted: Found | None, most: int) -> list[Place]:
    places: list[Place] = []
    met: set[str] = set()
    ordered = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
    timed = [(span.start_ns, 0, span) for span in ordered] + [
        (span.end_ns or span.start_ns, 1, span) for span in ordered
    ]
    for _, out, span in sorted(timed, key=lambda one: one[:2]):
        for side, number, role, key, content in _sides(span, bool(out)):
            if key and key in met:
                continue
            met.add(key)
            where = _where(content, text, wanted)
            if where is not None:
                places.append(Place(span.span_id, side, number, role, _excerpt(content, *where)))
                if len(places) >= most:
                    return places
    return places


def _sides(span: Seen, out: bool) -> Iterator[tuple[str, int, str, str, str]]:
    sides = (("output", span.output),) if out else (("system", span.system), ("input", span.input))
    for name, messages in sides:
        for number, said in enumerate(messages, 1):
            yield name, number, said.message.role, said.key, _spoken(said.message)
    tool = span.tool
    values: tuple[tuple[str, Any], ...] = (("input", span.input_value), ("arguments", tool and tool.arguments))
    if out:
        values = (("output", span.output_value), ("result", tool and tool.result))
        values += tuple(("documents", [d.id, d.content, d.metadata]) for d in span.documents)
    for name, value in values:
        if value is not None:
            yield name, 0, "", "", value if isinstance(value, str) else _json(value)


def _spoken(message: Message) -> str:
    return "\n".join(str(p["text"]) if isinstance(p.get("text"), str) else _json(p) for p in message.parts)


def _where(content: str, text: str, wanted: Found | None) -> tuple[int, int] | None:
    at = content.casefold().find(text.casefold())
    if at >= 0:
        return at, at + len(text)
    if wanted is None:
        return None
    for found in in_text(content):
        if set(found.forms) & set(wanted.forms):
            at = content.find(found.text)
            return max(at, 0), max(at, 0) + len(found.text)
    return None


def _excerpt(content: str, start: int, end: int, around: int = 60) -> str:
    low, high = max(0, start - around), min(len(content), end + around)
    return ("…" if low else "") + " ".join(content[low:high].split()) + ("…" if high < len(content) else "")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
