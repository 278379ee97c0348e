"""Reading back what is in the file, by the query calls of every version of the SDKs: traces, observations, sessions,
scores. Whatever came through any door is there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.responses import Response

from collector import ids
from collector.conventions.values import number
from collector.errors import DecodeError, NotFound
from collector.model import Score
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse import asking, shapes
from collector.receiver.doors.langfuse.notes import is_comment
from collector.store import lookup
from collector.store.lookup import SCORES, SESSIONS, SPANS, TRACES, Is
from collector.store.reader import Reader
from collector.store.rows import SpanDetail, TraceRow

ALL = 100_000
GROUPS = {
    "core": "id traceId startTime endTime projectId parentObservationId type",
    "basic": "name level statusMessage version environment bookmarked public userId sessionId isRootObservation",
    "time": "completionStartTime createdAt updatedAt",
    "io": "input output",
    "metadata": "metadata",
    "model": "model internalModelId modelParameters",
    "usage": "usageDetails costDetails totalCost usagePricingTierName",
    "prompt": "promptId promptName promptVersion",
    "metrics": "latency timeToFirstToken",
    "trace_context": "tags release traceName",
}
"""The groups of fields of `GET /api/public/v2/observations`."""
OF_TRACE = {"core", "io", "scores", "observations", "metrics"}
"""The groups of fields of a trace."""
SHORT = 200  # characters of a metadata value, unless expandMetadata names its key


class Open:
    """The file while one question is answered: names and traces are asked for once."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.names = cache(lambda trace_id: lookup.own_ids(reader, trace_id))
        self.trace = cache(self._trace)

    def _trace(self, trace_id: str) -> TraceRow | None:
        try:
            return self.reader.trace(trace_id)
        except NotFound:
            return None

    def span(self, row: Sequence[Any]) -> SpanDetail:
        return self.reader.span(row[0], row[1])

    def observation(self, row: Sequence[Any]) -> dict[str, Any]:
        return shapes.observation(self.span(row), self.names(row[0]), self.trace(row[0]))

    def score(self, one: Score) -> dict[str, Any]:
        return shapes.score(one, self.trace(one.trace_id) if one.trace_id else None)

    def trace_shape(self, trace_id: str) -> dict[str, Any]:
        row = self.reader.trace(trace_id)
        roots = self.reader.children(trace_id, None, limit=1)
        root = self.reader.span(trace_id, roots[0].span_id) if roots else None
        below: dict[str, Any] = {}
        for span_id in lookup.saying(self.reader, trace_id, shapes.OF_TRACE):
            if root is None or span_id != root.row.span_id:
                attributes = self.reader.span(trace_id, span_id).attributes
                said = {key: attributes[key] for key in (*shapes.OF_TRACE, "langfuse.version") if key in attributes}
                below = {**said, **below}
        return shapes.trace(row, root, self.names(trace_id).get(trace_id, trace_id), below)


# -- observations -----------------------------------------------------------------------------------------


async def observations(call: Call) -> Response:
    """Version 2: by cursor, groups of fields, input and output as text."""
    if call.query.get("parseIoAsJson") == "true":
        raise DecodeError("parseIoAsJson is gone: input and output are texts; leave it out")
    wanted, limit, after = asking.observations(call), asking.limit_of(call), asking.after(call)
    groups = {"core", *(call.query.get("fields") or "basic").replace(" ", "").split(",")}
    if unknown := groups - GROUPS.keys():
        raise DecodeError(f"fields has {', '.join(sorted(unknown))[:80]!r}; the groups are {', '.join(GROUPS)}")
    fields = {name for group in groups for name in GROUPS[group].split()}
    expanded = set((call.query.get("expandMetadata") or "").split(","))

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
        opened = Open(reader)
        rows = lookup.find(reader, SPANS, wanted, limit=limit + 1, after=after)
        return [_with_fields(opened.observation(row), fields, expanded) for row in rows[:limit]], rows

    data, rows = await call.ask(ask)
    cursor = asking.cursor_of(rows[limit - 1]) if len(rows) > limit else None
    return json_response({"data": data, "meta": {"cursor": cursor}})


def _with_fields(whole: dict[str, Any], fields: set[str], expanded: set[str]) -> dict[str, Any]:
    out = {name: value for name, value in whole.items() if name in fields}
    for name in ("input", "output"):
        if name in out:
            out[name] = shapes.as_text(out[name])
    if "metadata" in out:
        out["metadata"] = {key: value if key in expanded else _short(value) for key, value in out["metadata"].items()}
    return out


def _short(value: Any) -> Any:
    return value[:SHORT] if isinstance(value, str) else value


async def observations_v1(call: Call) -> Response:
    wanted, limit, offset = asking.observations(call), asking.limit_of(call), asking.offset_of(call)

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], int]:
        opened = Open(reader)
        rows = lookup.find(reader, SPANS, wanted, limit=limit, offset=offset)
        return [opened.observation(row) for row in rows], lookup.count(reader, SPANS, wanted)

    data, total = await call.ask(ask)
    return json_response({"data": data, "meta": asking.meta(call, total)})


async def observation(call: Call) -> Response:
    wanted = [Is("span", "=", (ids.span_id(call.path["id"]),))]

    def ask(reader: Reader) -> dict[str, Any]:
        rows = lookup.find(reader, SPANS, wanted, limit=1)
        if not rows:
            raise NotFound(f"there is no observation {call.path['id']!r}")
        return Open(reader).observation(rows[0])

    return json_response(await call.ask(ask))


# -- traces, sessions -------------------------------------------------------------------------------------


async def traces(call: Call) -> Response:
    wanted, limit, offset = asking.of_traces(call), asking.limit_of(call), asking.offset_of(call)
    (by, smallest_first), groups = asking.order(call), _groups(call)

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], int]:
        opened = Open(reader)
        rows = lookup.find(reader, TRACES, wanted, limit=limit, offset=offset, oldest_first=smallest_first, by=by)
        return [_listed(opened, row[0], groups) for row in rows], lookup.count(reader, TRACES, wanted)

    data, total = await call.ask(ask)
    return json_response({"data": data, "meta": asking.meta(call, total)})


def _groups(call: Call) -> set[str]:
    """The groups of a trace's fields that are asked for: all, where none is named."""
    groups = set((call.query.get("fields") or ",".join(OF_TRACE)).replace(" ", "").split(","))
    if unknown := groups - OF_TRACE:
        raise DecodeError(
            f"fields has {', '.join(sorted(unknown))[:80]!r}; the groups are {', '.join(sorted(OF_TRACE))}"
        )
    return groups


def _listed(opened: Open, trace_id: str, groups: set[str]) -> dict[str, Any]:
    """A trace with the ids of its observations and scores."""
    out, names = _asked_for(opened.trace_shape(trace_id), groups), opened.names(trace_id)
    if "observations" in groups:
        spans = lookup.find(opened.reader, SPANS, [Is("trace", "=", (trace_id,))], limit=ALL, oldest_first=True)
        out["observations"] = [names.get(row[1], row[1]) for row in spans]
    if "scores" in groups:
        out["scores"] = [one.score_id for one in opened.reader.scores(trace_id) if not is_comment(one)]
    return out


def _asked_for(whole: dict[str, Any], groups: set[str]) -> dict[str, Any]:
    """What was not asked for stands for nothing, in the ways of the API."""
    whole |= {"observations": [], "scores": []}
    if "io" not in groups:
        whole |= {"input": None, "output": None, "metadata": None}
    if "metrics" not in groups:
        whole |= {"latency": -1, "totalCost": -1}
    return whole


async def trace(call: Call) -> Response:
    """One trace, its observations and scores in full."""
    trace_id, groups = ids.trace_id(call.path["id"]), _groups(call)

    def ask(reader: Reader) -> dict[str, Any]:
        opened = Open(reader)
        whole = _asked_for(opened.trace_shape(trace_id), groups)
        if "observations" in groups:
            rows = lookup.find(reader, SPANS, [Is("trace", "=", (trace_id,))], limit=ALL, oldest_first=True)
            whole["observations"] = [opened.observation(row) for row in rows]
        if "scores" in groups:
            whole["scores"] = [opened.score(one) for one in reader.scores(trace_id) if not is_comment(one)]
        return whole

    return json_response(await call.ask(ask))


async def sessions(call: Call) -> Response:
    asking.unfiltered(call)
    asking.only(call, "fromTimestamp toTimestamp environment filter")
    wanted = asking.plain(call, {}, "Timestamp")
    limit, offset = asking.limit_of(call), asking.offset_of(call)

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], int]:
        rows = lookup.find(reader, SESSIONS, wanted, limit=limit, offset=offset)
        return [_session(row[0], row[1]) for row in rows], lookup.count(reader, SESSIONS, wanted)

    data, total = await call.ask(ask)
    return json_response({"data": data, "meta": asking.meta(call, total)})


def _session(name: str, first_ns: int) -> dict[str, Any]:
    return {
        "id": name, "createdAt": shapes.time(first_ns), "projectId": shapes.PROJECT["id"], "environment": "default",
    }  # fmt: skip


async def session(call: Call) -> Response:
    name = call.path["id"]

    def ask(reader: Reader) -> dict[str, Any]:
        rows = lookup.find(reader, SESSIONS, [Is("session", "=", (name,))], limit=1)
        if not rows:
            raise NotFound(f"there is no session {name!r}")
        opened = Open(reader)
        of = lookup.find(reader, TRACES, [Is("session", "=", (name,))], limit=ALL, oldest_first=True)
        return {**_session(*rows[0][:2]), "traces": [opened.trace_shape(row[0]) for row in of]}

    return json_response(await call.ask(ask))


# -- scores -----------------------------------------------------------------------------------------------


def _scores_wanted(call: Call, *, many: bool = False) -> list[Is]:
    asking.unfiltered(call)
    asking.only(
        call, "cursor fields filter id scoreIds name userId source dataType environment configId queueId authorUserId "
        "operator value valueMin valueMax traceId sessionId observationId datasetRunId experimentId traceTags "
        "fromTimestamp toTimestamp",
    )  # fmt: skip
    query = call.query
    wanted = [Is("about", "null"), *asking.plain(call, asking.SCORE_PARAMETERS, "Timestamp", many=many)]
    if query.get("scoreIds"):
        wanted.append(Is("score", "in", tuple(query["scoreIds"].split(","))))
    if query.get("operator") and query.get("value"):
        wanted.append(Is("value", query["operator"].replace("!=", "<>"), (_figure(query["value"]),)))
    elif query.get("value"):
        figure = number(query["value"])
        wanted.append(Is("label", "=", (query["value"],)) if figure is None else Is("value", "=", (figure,)))
    if query.get("source") and "API" not in query["source"].split(","):
        wanted.append(Is("score", "in"))  # all that is here came through the API
    if query.get("authorUserId"):
        wanted.append(Is("score", "in"))  # and none has an author
    for name, op in (("valueMin", ">="), ("valueMax", "<=")):
        if query.get(name):
            wanted.append(Is("value", op, (_figure(query[name]),)))
    return wanted


def _figure(given: str) -> float:
    figure = number(given)
    if figure is None:
        raise DecodeError(f"{given[:40]!r} is no number")
    return figure


async def scores_v1(call: Call) -> Response:
    """As version 2, of traces alone: its clients cannot read a score of a session."""
    return await _scores(call, [*_scores_wanted(call), Is("trace", "set")])


async def scores(call: Call) -> Response:
    """Version 2: by pages."""
    return await _scores(call, _scores_wanted(call))


async def _scores(call: Call, wanted: list[Is]) -> Response:
    limit, offset = asking.limit_of(call), asking.offset_of(call)

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], int]:
        opened = Open(reader)
        found = lookup.scores(reader, wanted, limit=limit, offset=offset)
        return [opened.score(one) for one in found], lookup.count(reader, SCORES, wanted)

    data, total = await call.ask(ask)
    return json_response({"data": data, "meta": asking.meta(call, total)})


async def scores_v3(call: Call) -> Response:
    """Version 3: by cursor."""
    wanted, limit, after = _scores_wanted(call, many=True), asking.limit_of(call), asking.after(call)

    def ask(reader: Reader) -> list[Any]:
        return lookup.scores(reader, wanted, limit=limit + 1, after=after)

    found = await call.ask(ask)
    last = found[limit - 1] if len(found) > limit else None
    cursor = None if last is None else asking.cursor_of([last.time_ns, last.score_id])
    data = [shapes.score_v3(one) for one in found[:limit]]
    return json_response({"data": data, "meta": {"limit": limit, "cursor": cursor}})


async def score(call: Call) -> Response:
    wanted = [Is("score", "=", (call.path["id"],)), Is("about", "null")]

    def ask(reader: Reader) -> dict[str, Any]:
        found = lookup.scores(reader, wanted, limit=1)
        if not found:
            raise NotFound(f"there is no score {call.path['id']!r}")
        return Open(reader).score(found[0])

    return json_response(await call.ask(ask))
