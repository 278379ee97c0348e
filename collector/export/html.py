"""Traces as one HTML page that needs nothing: no script, no font, no picture from anywhere, openable from a mail.

Foreign text is escaped and shown with its control characters as pictures. A policy in the page forbids scripts and
every address, so that even a mistake here could run and fetch nothing.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from collector.export.plainly import json_text, line, visible
from collector.export.shared import held
from collector.export.telling import facts, jsonable, sides, trace_facts
from collector.export.whole import Told
from collector.model import Message
from collector.store.rows import SpanDetail

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
PICTURES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8", "image/gif": b"GIF8", "image/webp": b"RIFF"}
"""Types of picture that browsers show and that hold no program, and how such a file begins."""
INDENT_LEVELS = 24

STYLE = """
:root { color-scheme: light dark; --dim: #6b7480; --rule: #8884; --bar: #5a8fd6; --bad: #c8374f; --ground: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 2.5rem 0 .3rem; } h1 small, .dim { color: var(--dim); font-weight: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .3rem 0 1rem; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
details { border-top: 1px solid var(--rule); } summary { display: grid; cursor: pointer; padding: .2rem 0;
  grid-template-columns: minmax(0, 22rem) minmax(0, 22rem) 1fr; gap: 1rem; align-items: center; }
summary > span:first-child::before { content: "\\25B8\\2002"; color: var(--dim); }
details[open] > summary > span:first-child::before { content: "\\25BE\\2002"; }
summary span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
summary i { display: block; height: .6rem; border-radius: 2px; background: var(--bar); min-width: 2px; }
.error > summary { color: var(--bad); } .error > summary i { background: var(--bad); }
pre { background: var(--ground); padding: .5rem .7rem; margin: .2rem 0 .6rem; white-space: pre-wrap;
  overflow-wrap: anywhere; unicode-bidi: isolate; font: 13px/1.45 ui-monospace, monospace; }
h2 { font-size: .9rem; margin: .6rem 0 0; color: var(--dim); } .say { margin: .2rem 0 0 0; font-weight: 600; }
@media (prefers-color-scheme: dark) { :root { --dim: #9aa3ad; --bad: #ef6b7f; } }
.body { padding: 0 0 .8rem 1.2rem; } img { max-width: 100%; max-height: 30rem; }
"""


def page(traces: Iterable[Told], title: str) -> Iterator[tuple[int, bytes]]:
    """(spans in it, bytes) of the page."""
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(line(title))}</title><style>{STYLE}</style></head>\n<body>\n"
    )
    yield 0, head.encode()
    for told in traces:
        yield from _trace(told)
    yield 0, b"</body></html>\n"


def _trace(told: Told) -> Iterator[tuple[int, bytes]]:
    row = told.row
    about = [*trace_facts(row)]
    for score in told.scores:
        given = score.label if score.value is None else f"{score.value:g}"
        about.append((f"score {line(score.name)}", line(str(given))))
    terms = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in about)
    yield 0, _bytes(f"<section><h1>{_text(line(row.name or row.trace_id))}</h1><dl>{terms}</dl>\n")
    whole = (row.start_ns, max(row.end_ns or 0, row.start_ns + 1))
    for depth, span in told.spans:
        yield 1, _bytes(_span(depth, span, whole))
    yield 0, b"</section>\n"


def _span(depth: int, span: SpanDetail, whole: tuple[int, int]) -> str:
    row = span.row
    start, end = whole
    left = min(max((row.start_ns - start) / (end - start), 0), 1)
    right = min(max(((row.end_ns or end) - start) / (end - start), left), 1)
    bar = f"margin-left:{left:.2%};width:{right - left:.2%}"
    failed = ' class="error"' if row.status == "error" else ""
    kind, *rest = facts(span)
    told = _text(" · ".join(rest))
    return (
        f"<details{failed} id=s{_word(row.span_id)}><summary>"
        f'<span style="padding-left:{min(depth, INDENT_LEVELS) * 1.1:.1f}rem">{_text(line(row.name) or "(no name)")} '
        f'<small class="dim">{_text(kind)}</small></span>'
        f'<span class="dim" title="{told}">{told}</span><span><i style="{bar}"></i></span></summary>'
        f'<div class="body">{_failure(span)}{"".join(_content(span))}{_events(span)}{_rest(span)}</div></details>\n'
    )


def _failure(span: SpanDetail) -> str:
    said = ": ".join(text for text in (span.row.error_type, span.row.status_message) if text)
    stacks = [str(one.attributes.get("exception.stacktrace") or "") for one in span.events if one.name == "exception"]
    return "".join(_pre(text) for text in [said, *stacks] if text)


def _content(span: SpanDetail) -> Iterator[str]:
    for title, messages, value in sides(span):
        yield f"<h2>{title}</h2>"
        if messages:
            yield from map(_message, messages)
        else:
            yield _pre(_as_text(value))
    for document in span.documents:
        score = "" if document.score is None else f" {document.score:.3g}"
        yield f"<h2>document{score} {_text(line(document.id or ''))}</h2>{_pre(document.content or '')}"


def _message(message: Message) -> str:
    named = f" {line(message.name)}" if message.name else ""
    return f'<p class="say">{_text(line(message.role) + named)}</p>' + "".join(map(_part, message.parts))


def _part(part: dict[str, Any]) -> str:
    kind = part.get("type")
    if kind == "text":
        return _pre(str(part.get("text") or ""))
    if kind == "reasoning":
        return _folded("reasoning", str(part.get("text") or ""))
    if kind == "tool_call":
        return f"<p>calls <b>{_text(line(str(part.get('name'))))}</b></p>{_pre(_as_text(part.get('arguments')))}"
    if kind == "tool_result":
        return f"<p>result</p>{_pre(_as_text(part.get('result')))}"
    if kind in ("image", "audio", "file"):
        return _file(part)
    return _pre(_as_text(part))


def _file(part: dict[str, Any]) -> str:
    """A picture where the recording holds it; of anything else only what and where it is, as text."""
    kept = held(part)
    if kept is not None and (data := _picture(*kept)) is not None:
        return f'<p><img alt="{_text(line(str(part.get("name") or "image")))}" src="data:{kept[0]};base64,{data}"></p>'
    about = {name: value for name, value in part.items() if name not in ("data", "url") or not kept}
    return _pre(" ".join(line(str(value)) for value in about.values()))


def _picture(mime: str, text: str) -> str | None:
    """Base64 that is what it says it is, else None."""
    begins = PICTURES.get(mime)
    text = re.sub(r"\s+", "", text)
    if begins is None or not re.fullmatch(r"[A-Za-z0-9+/]+=*", text):
        return None
    try:
        return text if base64.b64decode(text, validate=True).startswith(begins) else None
    except binascii.Error:
        return None


def _events(span: SpanDetail) -> str:
    """What happened in it and when, folded; log records among them."""
    happened: list[tuple[int, str, Mapping[str, Any], Any]] = [
        (one.time_ns, one.name, one.attributes, None) for one in span.events
    ]
    happened += [(one.time_ns, one.event_name or one.severity or "log", one.attributes, one.body) for one in span.logs]
    if not happened:
        return ""
    lines = []
    for time_ns, name, attributes, body in sorted(happened, key=lambda one: one[0]):
        said = [] if body is None else [_short(body)]
        said += [f"{line(key)}  {_short(value)}" for key, value in attributes.items()]
        lines.append(f"{(time_ns - span.row.start_ns) / 1e6:+.3f} ms  {line(name)}")
        lines += [f"    {text}".replace("\n", "\n    ") for text in said]
    return _folded(f"{len(happened)} event{'' if len(happened) == 1 else 's'}", "\n".join(lines))


def _rest(span: SpanDetail) -> str:
    """Attributes as sent, folded."""
    values = {**span.attributes, **{f"resource.{name}": value for name, value in span.resource.attributes.items()}}
    if not values:
        return ""
    told = "\n".join(f"{key}  {_short(value)}" for key, value in sorted(values.items()))
    return _folded(f"{len(values)} attributes", told)


def _folded(title: str, text: str) -> str:
    return f'<details><summary><span class="dim">{_text(title)}</span></summary>{_pre(text)}</details>'


def _short(value: Any) -> str:
    text = _as_text(value)
    return text if len(text) <= 2000 else text[:2000] + f"… {len(text) - 2000} more characters"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(jsonable(value))


def _pre(text: str) -> str:
    return f"<pre>{_text(text)}</pre>"


def _text(text: str) -> str:
    return html.escape(visible(text))


def _word(text: str) -> str:
    return re.sub(r"\W", "", text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
