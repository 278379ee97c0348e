"""Reading experiments back, and what each example of theirs led to (version 5 of the SDKs; `datasets` has runs)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from collector.errors import NotFound
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse import asking, shapes
from collector.receiver.doors.langfuse.queries import ALL, Open
from collector.store import lookup
from collector.store.library import ExperimentRow, ExperimentRunRow, Library
from collector.store.lookup import Is
from collector.store.reader import Reader


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
            said = Open(reader).observation((row.trace_id, row.span_id))
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
