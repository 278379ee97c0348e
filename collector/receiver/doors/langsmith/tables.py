"""`POST /datasets/upload`: a dataset out of a table of comma-separated values (`client.upload_csv`)."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from collector.errors import DecodeError
from collector.library import Dataset, Example
from collector.model import Batch
from collector.protocols import multipart
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith import shelf
from collector.store.library import Library

Answer = Callable[[Call], Awaitable[Response]]


async def upload(call: Call) -> Response:
    """POST /datasets/upload: each line an example, with these columns as its inputs and those as its outputs."""
    kind, body = call.headers.get("content-type", ""), await call.body()
    dataset, examples = await asyncio.to_thread(dataset_of_table, body, kind)
    if await call.ask(lambda reader: Library(reader).dataset(name=dataset.name)):
        return json_response({"detail": f"Dataset with the name {dataset.name!r} already exists"}, 409)
    await call.write(Batch(shelf.SOURCE, library=(dataset, *examples)))
    row = await call.ask(lambda reader: Library(reader).dataset(name=dataset.name))
    return json_response(shelf.dataset_told(row) if row else {})


def dataset_of_table(body: bytes, content_type: str) -> tuple[Dataset, list[Example]]:
    """DecodeError where the form holds no table, or the table not the columns that are asked for."""
    said: dict[str, list[str]] = {}
    table: multipart.FormPart | None = None
    for part in multipart.decode(body, content_type):
        if part.name == "file":
            table = part
        else:
            said.setdefault(part.name, []).append(part.data.decode("utf-8", "replace"))
    if table is None:
        raise DecodeError("the form holds no table (a part named file)")
    name = said.get("name", [""])[0] or table.filename or "table"
    made = shelf.dataset({key: said[key][0] for key in ("id", "description", "data_type") if key in said}
                         | {"name": name})  # fmt: skip
    inputs, outputs = _keys(said, "input_keys"), _keys(said, "output_keys")
    rows = _rows(table.data, [*inputs, *outputs])
    return made, [
        Example(
            str(uuid.uuid4()), made.dataset_id, {key: row[key] for key in inputs}, {key: row[key] for key in outputs},
            status="active",
        )
        for row in rows
    ]  # fmt: skip


def _keys(said: dict[str, list[str]], name: str) -> list[str]:
    """Given several times, or once with commas."""
    given = said.get(name, [])
    return [key for text in given for key in (text.split(",") if len(given) == 1 else [text]) if key]


def _rows(data: bytes, columns: list[str]) -> list[dict[str, str]]:
    try:
        lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        rows, names = list(lines), list(lines.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise DecodeError(f"the file is not a table of comma-separated values in UTF-8: {error}") from error
    if missing := [key for key in columns if key not in names]:
        raise DecodeError(f"the table has no column {missing[0]!r}; it has {names[:20]}")
    return rows


WAYS: tuple[tuple[str, str, Answer], ...] = (("POST", "/datasets/upload", upload),)
