"""Datasets, their items, and runs over them (which are experiments here).

The SDKs from version 5 on name runs in their spans (`protocols.langfuse.experiments`), those before link a trace
by `POST /api/public/dataset-run-items`.
"""

from __future__ import annotations

import hashlib
import time as clock
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response

from collector import ids
from collector.conventions.langfuse import moment_ns
from collector.errors import DecodeError, NotFound
from collector.library import Dataset, Example, Experiment, ExperimentRun, Gone
from collector.model import Batch
from collector.protocols.langfuse import SOURCE, run_id
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse import asking
from collector.receiver.doors.langfuse.shapes import PROJECT, time
from collector.store.library import DatasetRow, ExampleRow, ExperimentRow, ExperimentRunRow, Library
from collector.store.reader import Reader

OWN_TRACE, OWN_SPAN = "traceId", "observationId"
PARTS_OF_US = 999  # ns: a version is written to the microsecond, as this API writes times


# -- datasets ---------------------------------------------------------------------------------------------


async def create(call: Call) -> Response:
    said = await call.document()
    dataset = Dataset(
        str(uuid4()), asking.text_of(said, "name"), _optional(said, "description"), said.get("metadata"),
        said.get("inputSchema"), said.get("expectedOutputSchema"), source=SOURCE,
    )  # fmt: skip
    await call.write(Batch(SOURCE, library=(dataset,)))
    return json_response(_dataset(await _by_name(call, dataset.name)))


async def listed(call: Call) -> Response:
    asking.only(call, "")
    found = await call.ask(lambda reader: Library(reader).datasets(limit=100_000))
    first = asking.offset_of(call)
    some = found[::-1][first : first + asking.limit_of(call)]
    return json_response({"data": [_dataset(one) for one in some], "meta": asking.meta(call, len(found))})


async def get(call: Call) -> Response:
    return json_response(_dataset(await _by_name(call, call.path["name"])))


async def get_v1(call: Call) -> Response:
    """With all items and the names of its runs, as version 1 of the API had it."""
    row = await _by_name(call, call.path["name"])

    def ask(reader: Reader) -> tuple[list[ExampleRow], list[ExperimentRow]]:
        shelf = Library(reader)
        return shelf.examples(row.dataset_id, status="active", limit=100_000), shelf.experiments(
            dataset_id=row.dataset_id, limit=10_000
        )

    examples, runs = await call.ask(ask)
    more = {"items": [_item(one) for one in examples], "runs": [one.name for one in runs]}
    return json_response({**_dataset(row), **more})


async def delete(call: Call) -> Response:
    row = await _by_name(call, call.path["name"])
    await call.write(Batch(SOURCE, library=(Gone("dataset", row.dataset_id),)))
    return json_response({"message": f"dataset {row.name!r} is deleted"})


async def _by_name(call: Call, name: str) -> DatasetRow:
    row = await call.ask(lambda reader: Library(reader).dataset(name=name))
    if row is None:
        raise NotFound(f"there is no dataset {name!r}; create_dataset makes it")
    return row


# -- items ------------------------------------------------------------------------------------------------


async def create_item(call: Call) -> Response:
    said = await call.document()
    dataset = await _by_name(call, asking.text_of(said, "datasetName"))
    trace, span = _optional(said, "sourceTraceId"), _optional(said, "sourceObservationId")
    status = _optional(said, "status")
    example = Example(
        _optional(said, "id") or str(uuid4()), dataset.dataset_id, said.get("input"), said.get("expectedOutput"),
        said.get("metadata"), status.lower() if status else None, None, ids.trace_id(trace) if trace else None,
        ids.span_id(span) if span else None, {OWN_TRACE: trace, OWN_SPAN: span} if trace or span else None,
        created_ns=clock.time_ns(),
    )  # fmt: skip
    await call.write(Batch(SOURCE, library=(example,)))
    return json_response(_item(await _example(call, example.example_id)))


async def items(call: Call) -> Response:
    """Those that are not archived; of a version, as they were then. An archived one is there by its id."""
    query, limit, offset = call.query, asking.limit_of(call), asking.offset_of(call)
    dataset = (await _by_name(call, query["datasetName"])).dataset_id if query.get("datasetName") else None
    trace, span = query.get("sourceTraceId"), query.get("sourceObservationId")
    asking.only(call, "datasetName sourceTraceId sourceObservationId version")
    if query.get("version") and dataset is None:
        raise DecodeError("a version needs a datasetName: it is a moment of that dataset")
    of: dict[str, Any] = {
        "status": "active",
        "at_ns": asking.moment(query["version"]) + PARTS_OF_US if query.get("version") else None,
        "trace_id": ids.trace_id(trace) if trace else None,
        "span_id": ids.span_id(span) if span else None,
    }

    def ask(reader: Reader) -> tuple[list[ExampleRow], int]:
        shelf = Library(reader)
        return shelf.examples(dataset, limit=limit, offset=offset, **of), shelf.count_examples(dataset, **of)

    rows, total = await call.ask(ask)
    return json_response({"data": [_item(row) for row in rows], "meta": asking.meta(call, total)})


async def get_item(call: Call) -> Response:
    return json_response(_item(await _example(call, call.path["id"])))


async def delete_item(call: Call) -> Response:
    await _example(call, call.path["id"])
    await call.write(Batch(SOURCE, library=(Gone("example", call.path["id"]),)))
    return json_response({"message": "Dataset item successfully deleted"})


async def _example(call: Call, name: str) -> ExampleRow:
    row = await call.ask(lambda reader: Library(reader).example(name))
    if row is None:
        raise NotFound(f"there is no dataset item {name!r}")
    return row


# -- runs -------------------------------------------------------------------------------------------------


async def link(call: Call) -> Response:
    """`POST /api/public/dataset-run-items`: this item, in the run of this name, led to that trace."""
    said = await call.document()
    item = await _example(call, asking.text_of(said, "datasetItemId"))
    trace, span = _optional(said, "traceId"), _optional(said, "observationId")
    if trace is None:
        trace = await _trace_of(call, span)
    name = asking.text_of(said, "runName")
    now = moment_ns(said.get("createdAt")) or clock.time_ns()
    experiment = Experiment(
        _id_of_run(item.dataset_id, name), name, item.dataset_id, _optional(said, "runDescription"),
        said.get("metadata"), source=SOURCE, created_ns=now,
    )  # fmt: skip
    run = ExperimentRun(
        run_id(experiment.experiment_id, item.example_id, ids.trace_id(trace)), experiment.experiment_id,
        item.example_id, ids.trace_id(trace), ids.span_id(span) if span else None,
        {OWN_TRACE: trace, OWN_SPAN: span}, now,
    )  # fmt: skip
    await call.write(Batch(SOURCE, library=(experiment, run)))
    (row,) = await call.ask(lambda reader: Library(reader).runs(run_id=run.run_id))
    return json_response(_link(row))


async def _trace_of(call: Call, span: str | None) -> str:
    from collector.store.lookup import SPANS, Is, find

    if span is None:
        raise DecodeError("a dataset run item needs a traceId or an observationId")
    wanted = [Is("span", "=", (ids.span_id(span),))]
    found = await call.ask(lambda reader: find(reader, SPANS, wanted, limit=1))
    if not found:
        raise NotFound(f"observation {span!r} has not arrived yet; name its traceId, too")
    return str(found[0][0])


async def links(call: Call) -> Response:
    """`GET /api/public/dataset-run-items?datasetId=…&runName=…`"""
    asking.only(call, "datasetId runName")
    dataset, name = call.query.get("datasetId", ""), call.query.get("runName", "")
    limit, offset = asking.limit_of(call), asking.offset_of(call)

    def ask(reader: Reader) -> tuple[list[ExperimentRunRow], int]:
        shelf = Library(reader)
        experiment = shelf.experiments(dataset_id=dataset, name=name, limit=1)
        if not experiment:
            raise NotFound(f"there is no run {name!r} of dataset {dataset!r}")
        return shelf.runs(experiment[0].experiment_id, limit=limit, offset=offset), experiment[0].runs

    rows, total = await call.ask(ask)
    return json_response({"data": [_link(row) for row in rows], "meta": asking.meta(call, total)})


async def runs(call: Call) -> Response:
    asking.only(call, "")
    dataset = await _by_name(call, call.path["name"])
    found = await call.ask(lambda reader: Library(reader).experiments(dataset_id=dataset.dataset_id, limit=100_000))
    first = asking.offset_of(call)
    some = found[::-1][first : first + asking.limit_of(call)]
    return json_response({"data": [_run(one) for one in some], "meta": asking.meta(call, len(found))})


async def run(call: Call) -> Response:
    experiment = await _experiment(call)
    rows = await call.ask(lambda reader: Library(reader).runs(experiment.experiment_id, limit=100_000))
    return json_response({**_run(experiment), "datasetRunItems": [_link(row) for row in rows]})


async def delete_run(call: Call) -> Response:
    experiment = await _experiment(call)
    await call.write(Batch(SOURCE, library=(Gone("experiment", experiment.experiment_id),)))
    return json_response({"message": "Dataset run successfully deleted"})


async def _experiment(call: Call) -> ExperimentRow:
    dataset, name = await _by_name(call, call.path["name"]), call.path["run"]
    found = await call.ask(lambda reader: Library(reader).experiments(dataset_id=dataset.dataset_id, name=name))
    if not found:
        raise NotFound(f"there is no run {name!r} of dataset {dataset.name!r}")
    return found[0]


def _id_of_run(dataset_id: str, name: str) -> str:
    """The same run of the same dataset has the same id, whoever names it first."""
    return str(UUID(bytes=hashlib.sha256(f"{dataset_id}/{name}".encode()).digest()[:16]))


# -- shapes -----------------------------------------------------------------------------------------------


def _dataset(row: DatasetRow) -> dict[str, Any]:
    return {
        "id": row.dataset_id, "name": row.name, "description": row.description, "metadata": row.metadata,
        "inputSchema": row.input_schema, "expectedOutputSchema": row.output_schema, "projectId": PROJECT["id"],
        "createdAt": time(row.created_ns), "updatedAt": time(row.updated_ns),
    }  # fmt: skip


def _item(row: ExampleRow) -> dict[str, Any]:
    own = row.extra if isinstance(row.extra, dict) else {}
    return {
        "id": row.example_id, "status": row.status.upper(), "input": row.input, "expectedOutput": row.output,
        "metadata": row.metadata, "sourceTraceId": own.get(OWN_TRACE) or row.source_trace_id,
        "sourceObservationId": own.get(OWN_SPAN) or row.source_span_id, "datasetId": row.dataset_id,
        "datasetName": row.dataset_name, "mediaReferences": [], "createdAt": time(row.created_ns),
        "updatedAt": time(row.updated_ns),
    }  # fmt: skip


def _link(row: ExperimentRunRow) -> dict[str, Any]:
    own = row.extra if isinstance(row.extra, dict) else {}
    return {
        "id": row.run_id, "datasetRunId": row.experiment_id, "datasetRunName": row.experiment_name or "",
        "datasetItemId": row.example_id, "traceId": own.get(OWN_TRACE) or row.trace_id,
        "observationId": own.get(OWN_SPAN) or row.span_id, "createdAt": time(row.created_ns),
        "updatedAt": time(row.updated_ns),
    }  # fmt: skip


def _run(row: ExperimentRow) -> dict[str, Any]:
    return {
        "id": row.experiment_id, "name": row.name, "description": row.description, "metadata": row.metadata,
        "datasetId": row.dataset_id, "datasetName": row.dataset_name, "createdAt": time(row.created_ns),
        "updatedAt": time(row.updated_ns),
    }  # fmt: skip


# -- what a body says -------------------------------------------------------------------------------------


def _optional(said: dict[str, Any], key: str) -> str | None:
    value = said.get(key)
    if value is not None and not isinstance(value, str):
        raise DecodeError(f"{key} is a text, not {type(value).__name__}")
    return value or None
