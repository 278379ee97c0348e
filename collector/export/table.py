"""Spans as CSV (RFC 4180, UTF-8), one a row, inputs and outputs included.

Spreadsheets take a cell that begins with = + - @ for a formula, and text here is foreign: such a text is given a
leading apostrophe, as spreadsheets themselves write it. Numbers are left as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from collector.export.plainly import json_text
from collector.export.telling import jsonable, message_json, moment, sides
from collector.store.rows import SpanDetail

COLUMNS = """trace_id span_id parent_span_id name kind status error_type status_message start start_ns end_ns
    duration_ns ttft_ns service environment session_id user_id provider model operation input_tokens output_tokens
    cache_read_tokens cache_write_tokens reasoning_tokens cost_usd cost_source tool_name finish_reasons tags
    metadata scores input output""".split()
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_rows(spans: Iterable[SpanDetail]) -> Iterator[tuple[int, bytes]]:
    """(spans in it, bytes): the line of names, then a line (or several, where texts have some) a span."""
    yield 0, _line(COLUMNS)
    for span in spans:
        values = _values(span)
        yield 1, _line([_cell(values[name]) for name in COLUMNS])


def _values(span: SpanDetail) -> dict[str, Any]:
    row, usage = span.row, span.usage
    given = {name: _side(messages, value) for name, messages, value in sides(span)}
    return {
        **row._asdict(), "parent_span_id": row.parent_id, "start": moment(row.start_ns),
        "duration_ns": None if row.end_ns is None else row.end_ns - row.start_ns, "environment": span.environment,
        "operation": span.operation, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens, "cost_source": span.cost_source,
        "cost_usd": None if row.cost_nanousd is None else f"{row.cost_nanousd / 1e9:.9f}",
        "finish_reasons": " ".join(span.finish_reasons), "tags": ",".join(span.tags), "metadata": span.metadata or None,
        "scores": {score.name: score.label if score.value is None else score.value for score in span.scores} or None,
        "input": given.get("input"), "output": given.get("output"),
    }  # fmt: skip


def _side(messages: list[Any], value: Any) -> Any:
    return [message_json(message) for message in messages] if messages else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list | tuple | bytes):
        return json_text(jsonable(value), indent=None)
    if isinstance(value, str):
        text = value.replace("\x00", "␀").encode("utf-8", "replace").decode()
        return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text
    return str(value)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("-").isdigit()


def _line(cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()
