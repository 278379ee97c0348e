"""A span by the beginning of its id alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from collector.errors import NotFound

if TYPE_CHECKING:
    from collector.store.reader import Reader

# Over the index alone: a tenth of a second for a million spans.
BEGINNING = """
    select s.trace_id, s.span_id from spans s indexed by spans_key
    where s.span_id >= :low and s.span_id < :high
    order by s.trace_id, s.span_id limit 3"""


def resolve_span(reader: Reader, text: str) -> tuple[str, str]:
    """(trace id, span id) of the one span whose id begins so. `TRACE:SPAN`, both of which may be shortened, looks in
    one trace only. NotFound says how many there are."""
    trace, _, span = text.strip().lower().rpartition(":")
    if not re.fullmatch(r"[0-9a-f]{1,16}", span):
        raise NotFound(f"{text!r} is no span id: up to 16 characters of 0-9 and a-f, as `tracetui spans` lists them")
    if trace:
        trace_id = reader.resolve_trace(trace)
        found = [(trace_id, row.span_id) for row in reader.tree_spans(trace_id) if row.span_id.startswith(span)]
    else:
        rows = reader.rows(BEGINNING, {"low": span, "high": span + "g"})
        found = [(str(row[0]), str(row[1])) for row in rows]
    if len(found) != 1:
        if not found:
            raise NotFound(f"no span begins with {text!r}")
        raise NotFound(f"several spans begin with {text!r}; give more of the id, or TRACE:SPAN")
    return found[0]
