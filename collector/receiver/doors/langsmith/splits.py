"""Splits of a dataset, and changes of many examples' metadata, among which a split is one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.responses import Response

from collector.errors import DecodeError
from collector.library import Example
from collector.model import Batch
from collector.protocols.langsmith import SOURCE
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith import shelf
from collector.receiver.doors.langsmith.versions import moment
from collector.receiver.doors.langsmith.views import Run
from collector.store.library import Library
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]
MOST, OPERATIONS = 10_000, 50


async def splits(call: Call) -> Response:
    """GET /datasets/{id}/splits."""
    dataset_id, as_of = str(call.path["dataset_id"]), call.query.get("as_of")

    def answer(reader: Reader) -> list[str]:
        return shelf.splits(Library(reader), dataset_id, moment(reader, dataset_id, as_of))

    return json_response(await call.ask(answer))


async def change_splits(call: Call) -> Response:
    """PUT /datasets/{id}/splits: put examples into a split, or take them out."""
    said = await call.document()
    name, ids = str(said.get("split_name") or ""), said.get("examples")
    if not name or not isinstance(ids, list):
        raise DecodeError("a split needs its name (split_name) and a list of examples")
    operation = "ARRAY_REMOVE" if said.get("remove") else "ARRAY_ADD"
    changed = await _change(call, ids, [{"key": shelf.SPLIT, "operation": operation, "values": [name]}])
    return json_response(changed)


async def change_metadata(call: Call) -> Response:
    """PATCH /v1/platform/datasets/{id}/examples/metadata: operations upon many examples, in order."""
    said = await call.document()
    ids, operations = said.get("example_ids"), said.get("operations")
    if not isinstance(ids, list) or not isinstance(operations, list) or not operations:
        raise DecodeError("a change of metadata needs example_ids and operations, both lists")
    changed = set(await _change(call, ids, operations))
    missing = "not in this dataset"
    return json_response({
        "statuses": [
            {"id": str(one), "status": "UPDATED"} if str(one).lower() in changed
            else {"id": str(one), "status": "NOT_FOUND", "description": missing}
            for one in ids
        ]
    })  # fmt: skip


async def _change(call: Call, given: Sequence[Any], operations: Sequence[Any]) -> list[str]:
    """The ids of those that are in the dataset, changed. DecodeError, of an operation that is none too."""
    if len(given) > MOST or len(operations) > OPERATIONS:
        raise DecodeError(f"at most {MOST:,} examples and {OPERATIONS} operations in one change")
    ids, dataset_id = [str(one).lower() for one in given], str(call.path["dataset_id"])
    rows = await call.ask(lambda reader: Library(reader).examples(dataset_id, ids=ids, limit=len(ids)))
    made = []
    for row in rows:
        metadata = dict(row.metadata) if isinstance(row.metadata, dict) else {}
        for operation in operations:
            _apply(metadata, operation)
        made.append(Example(row.example_id, row.dataset_id, metadata=metadata, split=shelf.split_of(metadata) or None))
    if made:
        await call.write(Batch(SOURCE, library=tuple(made)))
    return [row.example_id for row in rows]


def _apply(metadata: Run, said: Any) -> None:
    key = said.get("key") if isinstance(said, dict) else None
    if not isinstance(key, str) or not key:
        raise DecodeError("an operation upon metadata names its key")
    kind = str(said.get("operation")).upper()
    if kind == "SET":
        metadata[key] = said.get("value")
        return
    values = said.get("values")
    if kind not in ("ARRAY_ADD", "ARRAY_REMOVE") or not isinstance(values, list):
        raise DecodeError("an operation upon metadata is SET with a value, or ARRAY_ADD or ARRAY_REMOVE with values")
    had = metadata.get(key)
    listed = had if isinstance(had, list) else ["base"] if key == shelf.SPLIT else []
    if kind == "ARRAY_REMOVE":
        metadata[key] = [one for one in listed if one not in values]
    else:
        metadata[key] = [*listed, *(one for one in values if one not in listed)]


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/datasets/{dataset_id}/splits", splits),
    ("PUT", "/datasets/{dataset_id}/splits", change_splits),
)
PLATFORM_WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("PATCH", "/datasets/{dataset_id}/examples/metadata", change_metadata),
)
