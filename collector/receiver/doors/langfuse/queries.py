"""Reading back what is in the file, by the query calls of every version of the SDKs: traces, observations, sessions,
scores, experiments. Whatever came through any door is there."""

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
from collector.store.library import ExperimentRow, ExperimentRunRow, Library
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


class _Open:
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
        opened = _Open(reader)
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
        opened = _Open(reader)
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
        return _Open(reader).observation(rows[0])

    return json_response(await call.ask(ask))


# -- traces, sessions -------------------------------------------------------------------------------------


async def traces(call: Call) -> Response:
    wanted, limit, offset = asking.of_traces(call), asking.limit_of(call), asking.offset_of(call)
    (by, smallest_first), groups = asking.order(call), _groups(call)

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], int]:
        opened = _Open(reader)
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


def _listed(opened: _Open, trace_id: str, groups: set[str]) -> dict[str, Any]:
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
        opened = _Open(reader)
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
        opened = _Open(reader)
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
        opened = _Open(reader)
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
        return _Open(reader).score(found[0])

    return json_response(await call.ask(ask))


# -- experiments ------------------------------------------------------------------------------------------


async def experiments(call: Call) -> Response:
    """The newest first; `fields=scores` has their scores with them."""
    asking.unfiltered(call)
    asking.only(call, "fields scoreLimit cursor fromStartTime toStartTime id name datasetId filter")
    query, limit = call.query, asking.limit_of(call)
    low, high = (asking.moment(query[key]) if query.get(key) else None for key in ("fromStartTime", "toStartTime"))
    listed = {key: set(query[key].split(",")) for key in ("id", "name", "datasetId") if query.get(key)}

    def fits(row: ExperimentRow) -> bool:
        said = {"id": row.experiment_id, "name": row.name, "datasetId": row.dataset_id}
        in_time = (low is None or row.updated_ns >= low) and (high is None or row.created_ns < high)
        return in_time and all(said[key] in names for key, names in listed.items())

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], bool]:
        first = int((asking.after(call) or (0,))[0])
        rows = [row for row in Library(reader).experiments(limit=ALL)[::-1] if fits(row)][first:]
        with_scores = "scores" in query.get("fields", "")
        return [_experiment(reader, row, with_scores) for row in rows[:limit]], len(rows) > limit

    data, more = await call.ask(ask)
    return json_response({"data": data, "meta": {"cursor": _next(call, limit) if more else None}})


def _next(call: Call, limit: int) -> str | None:
    return asking.cursor_of([int((asking.after(call) or (0,))[0]) + limit, 0])


def _experiment(reader: Reader, row: ExperimentRow, with_scores: bool) -> dict[str, Any]:
    wanted = [Is("experiment", "=", (row.experiment_id,))]
    more = {"scores": [shapes.score_v3(one) for one in lookup.scores(reader, wanted)]} if with_scores else {}
    return {
        "id": row.experiment_id, "name": row.name, "description": row.description,
        "startTime": shapes.time(row.created_ns), "endTime": shapes.time(row.ended_ns or row.updated_ns),
        "itemCount": row.runs, "datasetId": row.dataset_id,
        "metadata": row.metadata if isinstance(row.metadata, dict) else None, **more,
    }  # fmt: skip


async def experiment_items(call: Call) -> Response:
    """What each item of the experiments led to, the newest first."""
    asking.unfiltered(call)
    asking.only(
        call, "fields scoreLimit cursor fromStartTime toStartTime experimentId experimentName experimentItemId "
        "datasetId filter",
    )  # fmt: skip
    query, limit = call.query, asking.limit_of(call)
    low, high = (asking.moment(query[key]) if query.get(key) else None for key in ("fromStartTime", "toStartTime"))
    names = {
        key: set(query[key].split(","))
        for key in ("experimentId", "experimentName", "experimentItemId", "datasetId")
        if query.get(key)
    }

    def ask(reader: Reader) -> tuple[list[dict[str, Any]], bool]:
        shelf, first = Library(reader), int((asking.after(call) or (0,))[0])
        known = {row.experiment_id: row for row in shelf.experiments(limit=ALL)}
        rows = [
            row
            for row in shelf.runs(limit=ALL)[::-1]
            if (low is None or row.created_ns >= low) and (high is None or row.created_ns < high)
            and _asked(row, known.get(row.experiment_id), names)
        ]  # fmt: skip
        some = rows[first : first + limit]
        return [_experiment_item(reader, row, known.get(row.experiment_id)) for row in some], len(rows) > first + limit

    data, more = await call.ask(ask)
    return json_response({"data": data, "meta": {"cursor": _next(call, limit) if more else None}})


def _asked(row: ExperimentRunRow, of: ExperimentRow | None, names: dict[str, set[str]]) -> bool:
    said = {
        "experimentId": row.experiment_id, "experimentName": row.experiment_name, "experimentItemId": row.example_id,
        "datasetId": of.dataset_id if of is not None else None,
    }  # fmt: skip
    return all(said[key] in wanted for key, wanted in names.items())


def _experiment_item(reader: Reader, row: ExperimentRunRow, of: ExperimentRow | None) -> dict[str, Any]:
    example = Library(reader).example(row.example_id) if row.example_id else None
    said: dict[str, Any] = {}
    if row.span_id is not None:
        try:
            said = _Open(reader).observation((row.trace_id, row.span_id))
        except NotFound:
            said = {}
    wanted = [Is("trace", "=", (row.trace_id,)), Is("about", "null")]
    return {
        "id": row.span_id or row.trace_id, "traceId": row.trace_id, "startTime": shapes.time(row.created_ns),
        "endTime": said.get("endTime"), "level": said.get("level", "DEFAULT"),
        "environment": said.get("environment", "default"), "experimentId": row.experiment_id,
        "experimentName": row.experiment_name or "", "experimentItemId": row.example_id or "",
        "experimentDatasetId": of.dataset_id if of is not None else None, "experimentItemVersion": None,
        "input": example.input if example is not None else said.get("input"), "output": said.get("output"),
        "expectedOutput": example.output if example is not None else None, "metadata": said.get("metadata"),
        "experimentItemMetadata": example.metadata if example is not None else None,
        "experimentMetadata": of.metadata if of is not None else None,
        "experimentDescription": of.description if of is not None else None,
        "scores": [shapes.score_v3(one) for one in lookup.scores(reader, wanted)],
    }  # fmt: skip
