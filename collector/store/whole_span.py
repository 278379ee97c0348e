"""Reading one span with all of its content, and what was said of it."""

from __future__ import annotations

from typing import Any

import orjson

from collector.errors import NotFound
from collector.model import Resource, Scope, Score, Usage
from collector.store.ground import Reading
from collector.store.lists import SPAN_ROW
from collector.store.rows import SpanDetail, SpanRow
from collector.store.state import SELECTED, SpanState, state_and_body

ONE_SPAN = f"""
    select {SPAN_ROW}, {SELECTED}
    from spans s join bodies b on b.id = s.id where s.trace_id = :trace_id and s.span_id = :span_id"""
SCORES = """
    select score_id, name, time_ns, trace_id, span_id, session_id, value, label, data_type, comment, source, metadata
    from scores where trace_id = :trace_id order by time_ns, score_id"""


def whole_span(reading: Reading, trace_id: str, span_id: str) -> SpanDetail:
    """NotFound when the file has no such span."""
    rows = reading.rows(ONE_SPAN, {"trace_id": trace_id, "span_id": span_id, **reading.moment()})
    if not rows:
        raise NotFound(f"{reading.state.path} has no span {span_id} in trace {trace_id}")
    row = rows[0]
    light, rest = row[: len(SpanRow._fields)], row[len(SpanRow._fields) :]
    state, body = state_and_body(rest)
    of_it = tuple(score for score in scores(reading, trace_id) if score.span_id == span_id)
    with reading.sound():
        return _detail(reading, SpanRow._make(light), state, body, of_it)


def _detail(
    reading: Reading, row: SpanRow, state: SpanState, body: dict[str, Any], scores: tuple[Score, ...]
) -> SpanDetail:
    x = reading.expander
    r = x.reading(state, body)
    return SpanDetail(
        row=row, operation=r.operation, request_model=r.request_model, response_id=r.response_id,
        convention=r.convention, params=r.params, usage=r.usage or Usage(), cost_source=state.cost_source,
        system=r.system, input=r.input, output=r.output, tool=r.tool, tool_definitions=r.tool_definitions,
        documents=r.documents, prompt_name=r.prompt_name, prompt_version=r.prompt_version,
        agent_name=r.agent_name, environment=r.environment, release=r.release, project=r.project,
        level=r.level, finish_reasons=r.finish_reasons, tags=r.tags, metadata=r.metadata, notes=r.notes,
        replay_of=r.replay_of, attributes=x.attributes(body["attributes"]), events=x.events(body["events"]),
        links=x.links(body["links"]), logs=x.logs(body["logs"]),
        resource=x.resource(body["resource"]) or Resource(), scope=x.scope(body["scope"]) or Scope(),
        scores=scores, source_id=state.source_id,
    )  # fmt: skip


def scores(reading: Reading, trace_id: str) -> list[Score]:
    """All scores of a trace and of its spans, oldest first."""
    rows = reading.rows(SCORES, {"trace_id": trace_id})
    return [Score(*[*row[:11], orjson.loads(row[11]) if row[11] else None]) for row in rows]
