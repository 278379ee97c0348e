"""Versions of a dataset: each moment at which examples of it were written, changed or deleted. A tag names one;
`latest` is always the newest. Clients tell moments in microseconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from collector.errors import DecodeError, NotFound
from collector.library import Dataset
from collector.model import Batch
from collector.protocols.langsmith import SOURCE
from collector.protocols.times import iso, time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.reads import slice_of
from collector.receiver.doors.langsmith.shelf import TAGS
from collector.receiver.doors.langsmith.views import Run
from collector.store.library import DatasetRow, ExampleRow, Library
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]
LATEST = "latest"
EVERY = 1_000_000


def _dataset(reader: Reader, dataset_id: str) -> DatasetRow:
    found = Library(reader).dataset(dataset_id=dataset_id)
    if found is None:
        raise NotFound(f"no dataset {dataset_id} is here")
    return found


def _tags(row: DatasetRow) -> dict[str, int]:
    """Unix nanoseconds by tag."""
    given = row.extra.get(TAGS) if isinstance(row.extra, dict) else None
    return {str(tag): at for tag, at in given.items() if isinstance(at, int)} if isinstance(given, dict) else {}


def moment(reader: Reader, dataset_id: str | None, as_of: str | None) -> int | None:
    """What a tag or a time means, in Unix nanoseconds; None for the present. NotFound for a tag that is none."""
    if not as_of or as_of == LATEST:
        return None
    at = time_ns(as_of)
    if at is not None:
        return at // 1000 * 1000 + 999
    found = _tags(_dataset(reader, dataset_id)).get(as_of) if dataset_id else None
    if found is None:
        raise NotFound(f"no version of the dataset has the tag {as_of[:60]!r}")
    return found


def _told(row: DatasetRow, at: int, newest: int) -> Run:
    tags = [tag for tag, tagged in _tags(row).items() if tagged // 1000 == at // 1000]
    return {"tags": [LATEST, *tags] if at == newest else tags, "as_of": iso(at)}


def version_of(reader: Reader, dataset_id: str, as_of: str | None = None) -> Run:
    """The version that was the newest then. NotFound where there was none."""
    row, at = _dataset(reader, dataset_id), moment(reader, dataset_id, as_of)
    changes = Library(reader).changes(dataset_id, limit=EVERY) or [row.created_ns]
    found = next((one for one in changes if at is None or one <= at), None)
    if found is None:
        raise NotFound(f"the dataset has no version of {as_of}; its first is of {iso(changes[-1])}")
    return _told(row, found, changes[0])


async def versions(call: Call) -> Response:
    """GET /datasets/{id}/versions: the newest first."""
    dataset_id, (limit, offset) = str(call.path["dataset_id"]), slice_of(call.query)
    wanted = call.query.get("search")

    def answer(reader: Reader) -> list[Run]:
        row = _dataset(reader, dataset_id)
        changes = Library(reader).changes(dataset_id, limit=EVERY) or [row.created_ns]
        told = [_told(row, at, changes[0]) for at in changes]
        found = [one for one in told if not wanted or any(wanted in tag for tag in one["tags"])]
        return found[offset : offset + limit]

    return json_response(await call.ask(answer))


async def version(call: Call) -> Response:
    """GET /datasets/{id}/version, by `tag` or `as_of`."""
    dataset_id, as_of = str(call.path["dataset_id"]), call.query.get("tag") or call.query.get("as_of")
    return json_response(await call.ask(lambda reader: version_of(reader, dataset_id, as_of)))


async def tag(call: Call) -> Response:
    """PUT /datasets/{id}/tags: a version gets a tag, which another may have had."""
    said, dataset_id = await call.document(), str(call.path["dataset_id"])
    name, as_of = said.get("tag"), said.get("as_of")
    if not isinstance(name, str) or not name or name == LATEST or time_ns(name) is not None or not as_of:
        raise DecodeError(f"a version is tagged by its time (as_of) with a word (tag), which is not {LATEST!r}")
    found = await call.ask(lambda reader: version_of(reader, dataset_id, str(as_of)))
    row = await call.ask(lambda reader: _dataset(reader, dataset_id))
    at = (time_ns(found["as_of"]) or 0) // 1000 * 1000 + 999
    extra = {**(row.extra or {}), TAGS: {**_tags(row), name: at}}
    await call.write(Batch(SOURCE, library=(Dataset(dataset_id, row.name, extra=extra),)))
    return json_response(await call.ask(lambda reader: version_of(reader, dataset_id, name)))


async def diff(call: Call) -> Response:
    """GET /datasets/{id}/versions/diff: from one version to another."""
    dataset_id = str(call.path["dataset_id"])

    def state(reader: Reader, as_of: str | None) -> dict[str, ExampleRow]:
        at = moment(reader, dataset_id, as_of)
        rows = Library(reader).examples(dataset_id, status="active", at_ns=at, limit=EVERY)
        return {row.example_id: row for row in rows}

    def answer(reader: Reader) -> dict[str, Any]:
        _dataset(reader, dataset_id)
        old, new = (state(reader, call.query.get(name)) for name in ("from_version", "to_version"))
        return {
            "examples_added": [one for one in new if one not in old],
            "examples_removed": [one for one in old if one not in new],
            "examples_modified": [one for one, row in new.items() if one in old and old[one] != row],
        }

    return json_response(await call.ask(answer))


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/datasets/{dataset_id}/versions", versions),
    ("GET", "/datasets/{dataset_id}/version", version),
    ("PUT", "/datasets/{dataset_id}/tags", tag),
    ("GET", "/datasets/{dataset_id}/versions/diff", diff),
)
