"""What the spans of a trace are and cost, in columns: kinds, labels, money, tokens, first tokens. The bones
(`skeleton.py`) are what every trace is drawn with; this is read when somebody asks what was dear or who called whom.

Columns and not rows for the same reason as there: 100,000 spans are read in a few large values.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from collector.errors import StoreError
from collector.kinds import KINDS
from collector.store.rows import SpanRow
from collector.store.skeleton import number

Rows = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]

UNKNOWN = -1
_CODES = " ".join(f"when '{kind}' then {code}" for code, kind in enumerate(KINDS))
_LABEL = """cast(case s.kind
      when 'agent' then coalesce(s.agent_name, s.name, '') when 'tool' then coalesce(s.tool_name, s.name, '')
      when 'llm' then coalesce(s.model, s.name, '') when 'embedding' then coalesce(s.model, s.name, '')
      when 'reranker' then coalesce(s.model, s.name, '') else ifnull(s.name, '') end as text)"""
_COLUMNS = f"""
    select json_group_array(s.span_id), json_group_array(case s.kind {_CODES} else {len(KINDS) - 1} end),
      json_group_array(case when s.counted then ifnull(s.cost_nanousd, -1) else -1 end),
      json_group_array(case when s.counted and coalesce(s.input_tokens, s.output_tokens) is not null
        then ifnull(s.input_tokens, 0) + ifnull(s.output_tokens, 0) else -1 end),
      json_group_array(ifnull(s.ttft_ns, -1)), json_group_array({_LABEL})
    from spans s
    where s.trace_id = :trace_id and s.start_ns is not null
      and length(s.span_id) = 16 and s.span_id not glob '*[^0-9a-f]*'"""


@dataclass(frozen=True, slots=True)
class Measures:
    """Parallel columns, one place a span, in no particular order. Ids are numbers, see `skeleton.name`.

    `kinds` are indexes of KINDS. `costs` (nano-dollars), `tokens` (input and output) and `ttfts` (nanoseconds) hold
    -1 where not known; costs and tokens also where another span reports the same call. `labels[label_of[n]]` is what
    people call it: an agent's or tool's name, a model, else the name of the span; as foreign as any text.
    """

    ids: array[int] = field(default_factory=lambda: array("Q"))
    kinds: bytes = b""
    costs: array[int] = field(default_factory=lambda: array("q"))
    tokens: array[int] = field(default_factory=lambda: array("q"))
    ttfts: array[int] = field(default_factory=lambda: array("q"))
    label_of: array[int] = field(default_factory=lambda: array("i"))
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, rows: Iterable[SpanRow]) -> Measures:
        """The measures of rows that are at hand."""
        listed = [row for row in rows if number(row.span_id)]
        known = [row.counted and (row.input_tokens is not None or row.output_tokens is not None) for row in listed]
        return _made(
            (row.span_id for row in listed),
            [KINDS.index(row.kind) if row.kind in KINDS else len(KINDS) - 1 for row in listed],
            [row.cost_nanousd if row.counted and row.cost_nanousd is not None else UNKNOWN for row in listed],
            [(row.input_tokens or 0) + (row.output_tokens or 0) if has else UNKNOWN
             for row, has in zip(listed, known, strict=True)],
            [UNKNOWN if row.ttft_ns is None else row.ttft_ns for row in listed],
            [_label(row) for row in listed],
        )  # fmt: skip


def _label(row: SpanRow) -> str:
    special = {"tool": row.tool_name, "llm": row.model, "embedding": row.model, "reranker": row.model}.get(row.kind)
    return special or row.name


def read(rows: Rows, trace_id: str) -> Measures:
    """The measures of all spans of a trace that have begun. StoreError where a damaged file holds no numbers."""
    columns = [orjson.loads(column) for column in rows(_COLUMNS, {"trace_id": trace_id})[0]]
    try:
        return _made(*columns)
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"the costs and tokens of trace {trace_id} cannot be read: {error}") from error


def _made(
    ids: Iterable[str], kinds: list[int], costs: list[int], tokens: list[int], ttfts: list[int], labels: list[str]
) -> Measures:
    place: dict[str, int] = {}
    label_of = array("i", (place.setdefault(label, len(place)) for label in labels))
    return Measures(
        array("Q", map(number, ids)), bytes(kinds), array("q", costs), array("q", tokens),
        array("q", ttfts), label_of, tuple(place),
    )  # fmt: skip
