"""Finding what was said: from words to the spans that brought them, newest first.

The index gives texts in the order they arrived, so it is read backwards, a chunk at a time, and only as far
as it takes: a common word costs no more than a rare one. A text may be brought by very many spans (a name,
"ok"): of each text only the newest are looked at, as many as are asked for. Texts are read last, for the
hits that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import orjson

from collector.errors import StoreError
from collector.store.conditions import Conditions
from collector.store.narrow import Rows, holding
from collector.store.rows import SearchHit
from collector.store.search import is_short_beginning, match_expression, says, snippet

CHUNK = 2000
MOST = 64_000
END = 2**62

MATCHES = """
    select rowid from search where search match :asked and rowid < :below
    order by rowid desc limit :chunk"""
NEWEST = "select id, substr(text, 1, :chars) from texts order by id desc limit :chunk"
NEW, LOOKED_AT = 2000, 1000
"""How many texts, and characters of each, are looked at without the index."""
FEW = 4
"""Texts that are asked about in one go, in times of the hits that are wanted: a span brings several."""
BROUGHT_BY = """
    select s.trace_id, s.span_id, ifnull(s.name, ''), s.kind, s.start_ns, max(f.value)
    from json_each(:texts) f
    cross join json_each((select json_group_array(span_id) from (
      select m.span_id from mentions m where m.text_id = f.value order by m.span_id desc limit :each))) j
    cross join spans s on s.id = j.value
    where s.start_ns is not null and {where}
    group by s.id
    order by s.start_ns desc, s.id desc limit :limit"""
BROUGHT = """
    select distinct m.text_id from json_each(:spans) j cross join mentions m on m.span_id = j.value"""
TEXTS = "select id, text from texts where id in (select value from json_each(:texts))"


def find(
    rows: Rows, text: str, conditions: Conditions, moment: dict[str, Any], limit: int,
    few: Sequence[int] | None = None,
) -> list[SearchHit]:  # fmt: skip
    """At most `limit` hits, each span once. `rows` runs a statement, `moment` is what statuses bind.

    Without conditions a few thousand texts are looked at. With conditions that hold for `few` spans only, what
    these brought is. With others all matches are, until enough hold: a second for every few hundred thousand
    that do not.
    """
    asked = match_expression(text)
    if asked is None:
        return []
    sql = BROUGHT_BY.format(where=conditions.where)
    values = {**conditions.values, **moment, "each": -1 if conditions.parts else limit, "limit": limit}
    hits: dict[tuple[str, str], tuple[Any, ...]] = {}
    if few is None and is_short_beginning(text):
        saying = _newest(rows, text)
        while some := list(islice(saying, FEW * limit)):
            for row in rows(sql, {**values, "texts": orjson.dumps(some).decode()}):
                hits.setdefault(row[:2], row)
            if len(hits) >= limit:
                return _told(rows, list(hits.values())[:limit], text)
        hits.clear()
    below, chunk = END, CHUNK
    mine = None if few is None else _brought(rows, asked, few)
    while len(hits) < limit:
        texts = mine
        if texts is None:
            texts = [row[0] for row in rows(MATCHES, {"asked": asked, "below": below, "chunk": chunk})]
        if texts:
            for row in rows(sql, {**values, "texts": orjson.dumps(texts).decode()}):
                hits.setdefault(row[:2], row)
        if mine is not None or len(texts) < chunk:
            break
        below, chunk = texts[-1], min(chunk * 4, MOST)
    return _told(rows, list(hits.values())[:limit], text)


def _newest(rows: Rows, text: str) -> Iterator[int]:
    """Those of the newest texts that say it, found without the index: where a page of hits is to be had from them, it
    is there at once."""
    return (row[0] for row in rows(NEWEST, {"chunk": NEW, "chars": LOOKED_AT}) if says(row[1], text))


def _told(rows: Rows, found: Sequence[tuple[Any, ...]], text: str) -> list[SearchHit]:
    shown = orjson.dumps([row[5] for row in found]).decode()
    try:
        said = {row[0]: row[1] for row in rows(TEXTS, {"texts": shown})}
    except StoreError:  # a damaged file: where it was said is worth knowing, too
        said = {}
    return [_hit(row, said.get(row[5], ""), text) for row in found]


def _brought(rows: Rows, asked: str, spans: Sequence[int]) -> list[int]:
    """The texts with these words that these spans brought."""
    brought = rows(BROUGHT, {"spans": orjson.dumps(spans).decode()})
    return sorted(holding(rows, asked, (row[0] for row in brought)), reverse=True)


def _hit(row: tuple[Any, ...], said: str, asked: str) -> SearchHit:
    trace_id, span_id, name, kind, start_ns, _ = row
    return SearchHit(trace_id, span_id, name, kind, start_ns, *snippet(said, asked))
