"""The formats of an export by name: what they hold, how a file of theirs is called, and their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from collector.export import html, lines, markdown, perfetto, table, whole
from collector.store.filters import Filter
from collector.store.reader import Reader
from collector.store.rows import SpanDetail, TraceRow

Chunks = Iterator[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """`suffix` ends the name of a file; `trees` says that it holds whole traces, not single spans."""

    name: str
    suffix: str
    about: str
    trees: bool


FORMATS = (
    Format("native", ".jsonl", "everything, for `tracetui import`", False),
    Format("otlp", ".otlp.jsonl", "for any OpenTelemetry tool", False),
    Format("csv", ".csv", "a row a span, for spreadsheets", False),
    Format("md", ".md", "Markdown, to read and paste", True),
    Format("html", ".html", "one page for any browser", True),
    Format("perfetto", ".perfetto.json", "a timeline, for ui.perfetto.dev", True),
)
BY_NAME = {one.name: one for one in FORMATS}


def spans_found(reader: Reader, form: str, where: Filter | None, limit: int | None = None) -> Chunks:
    """(spans in it, bytes) of the spans that a filter finds; of whole traces (the traces that it finds) in a format of
    trees. At most `limit` spans, or traces."""
    if BY_NAME[form].trees:
        return of_traces(reader, form, whole.found(reader, where, limit))
    if form == "csv":
        return table.csv_rows(whole.spans(reader, where, limit))
    parts = islice(reader.parts(where), limit)
    if form == "otlp":
        return lines.otlp_lines(parts)
    return lines.native_lines(reader, parts, whole=not where and not limit)


def of_traces(reader: Reader, form: str, traces: Iterable[TraceRow], title: str = "") -> Chunks:
    """(spans in it, bytes) of these traces, whole."""
    if form in ("native", "otlp"):
        parts = whole.parts(reader, traces)
        return lines.native_lines(reader, parts) if form == "native" else lines.otlp_lines(parts)
    if form == "csv":
        return table.csv_rows(_spans(reader, traces))
    told = (whole.told(reader, row) for row in traces)
    if form == "perfetto":
        return perfetto.events(told)
    if form == "md":
        return (chunk for one in told for chunk in markdown.trace(one))
    return html.page(told, title or "tracetui")


def _spans(reader: Reader, traces: Iterable[TraceRow]) -> Iterator[SpanDetail]:
    return (span for row in traces for _, span in whole.details(reader, row.trace_id))


def names(formats: Sequence[Format] = FORMATS) -> list[str]:
    """Their names, for a choice."""
    return [one.name for one in formats]
