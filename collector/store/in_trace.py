"""Finding words within one trace: which of its spans said them, and how often.

A span counts for what it brought: a message of the resent history counts where it was said first.
"""

from __future__ import annotations

from typing import Any

import orjson

from collector.store.narrow import Rows, holding
from collector.store.search import match_expression

_BROUGHT = """
    select distinct m.text_id from spans s cross join mentions m on m.span_id = s.id
    where s.trace_id = :trace_id"""
_BY = """
    select s.span_id, count(*) from spans s cross join mentions m on m.span_id = s.id
    where s.trace_id = :trace_id and s.start_ns is not null
      and m.text_id in (select value from json_each(:texts))
      and length(s.span_id) = 16 and s.span_id not glob '*[^0-9a-f]*'
    group by s.id"""


def found_in(rows: Rows, trace_id: str, text: str) -> dict[int, int]:
    """How many matching texts (names, messages, errors, long attributes) each span of the trace brought, by the number
    of its id (see `skeleton.name`). Nothing when there is no word to look for."""
    asked = match_expression(text)
    if asked is None:
        return {}
    values: dict[str, Any] = {"trace_id": trace_id}
    texts = sorted(holding(rows, asked, (row[0] for row in rows(_BROUGHT, values))))
    found = rows(_BY, {**values, "texts": orjson.dumps(texts).decode()})
    return {int(span_id, 16): count for span_id, count in found}
