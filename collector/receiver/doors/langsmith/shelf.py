"""Datasets and examples of LangSmith's API, to those of our library and back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from collector.errors import DecodeError
from collector.library import Dataset, Example, Item, Media, MediaUse
from collector.protocols import jsonbody, langsmith_filter, multipart
from collector.protocols.times import iso, time_ns
from collector.receiver.doors.langsmith.views import TENANT, Run
from collector.store.library import DatasetRow, ExampleRow, Library

SOURCE = "langsmith"
SPLIT = "dataset_split"
EVERY = 100_000
TAGS = "version_tags"
"""In a dataset's `extra`: moments by the names that somebody gave them."""
_DATASET_OWN = frozenset({"id", "name", "description", "metadata", "extra", "created_at", "modified_at",
                          "inputs_schema_definition", "outputs_schema_definition"})  # fmt: skip


def dataset(said: Any) -> Dataset:
    """A dataset that a client makes or changes. DecodeError without a name."""
    if not isinstance(said, dict) or not isinstance(said.get("name"), str) or not said["name"]:
        raise DecodeError("a dataset needs a name, as text")
    extra = _mapping(said.get("extra"))
    rest = {name: value for name, value in said.items() if name not in _DATASET_OWN and value is not None}
    return Dataset(
        str(said.get("id") or uuid.uuid4()), said["name"], said.get("description"),
        said.get("metadata") or extra.get("metadata"), said.get("inputs_schema_definition"),
        said.get("outputs_schema_definition"), {"data_type": "kv", **rest}, SOURCE,
        time_ns(said.get("created_at")) or 0,
    )  # fmt: skip


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def dataset_told(row: DatasetRow) -> Run:
    extra = row.extra if isinstance(row.extra, dict) else {}
    return {
        "data_type": "kv",
        **{name: value for name, value in extra.items() if name != TAGS},
        "id": row.dataset_id,
        "name": row.name,
        "description": row.description,
        "metadata": row.metadata,
        "inputs_schema_definition": row.input_schema,
        "outputs_schema_definition": row.output_schema,
        "tenant_id": TENANT,
        "created_at": iso(row.created_ns),
        "modified_at": iso(row.updated_ns),
        "example_count": row.examples,
        "session_count": row.experiments,
        "last_session_start_time": None,
    }


def example(said: Any, dataset_id: str | None = None, example_id: str | None = None) -> Example:
    """An example that a client makes or changes: what is None stays as it was. DecodeError where it is none."""
    if not isinstance(said, dict):
        raise DecodeError(f"an example is an object, not {type(said).__name__}")
    home = dataset_id or said.get("dataset_id")
    if not home:
        raise DecodeError("an example names no dataset (dataset_id)")
    metadata, split = said.get("metadata"), said.get("split")
    if split is not None:
        metadata = {**(metadata or {}), SPLIT: split if isinstance(split, list) else [str(split)]}
    source = said.get("source_run_id")
    return Example(
        example_id or str(said.get("id") or uuid.uuid4()), str(home), said.get("inputs"),
        said.get("outputs", said.get("reference_outputs")), metadata, "active", split_of(metadata),
        extra={"source_run_id": str(source)} if source else None, created_ns=time_ns(said.get("created_at")) or 0,
    )  # fmt: skip


def split_of(metadata: Any) -> str | None:
    """The splits that an example's metadata names, as one text."""
    split = metadata.get(SPLIT) if isinstance(metadata, dict) else None
    return ",".join(map(str, split)) if isinstance(split, list) else split if isinstance(split, str) else None


def example_told(row: ExampleRow, library: Library) -> Run:
    extra = row.extra if isinstance(row.extra, dict) else {}
    metadata = row.metadata if isinstance(row.metadata, dict) else {}
    used = library.media_of(example_id=row.example_id)
    gone = extra.get("gone") or ()
    return {
        "id": row.example_id,
        "dataset_id": row.dataset_id,
        "name": f"#{row.example_id[:4]}",
        "inputs": row.input if isinstance(row.input, dict) else {"input": row.input},
        "outputs": row.output if row.output is None or isinstance(row.output, dict) else {"output": row.output},
        "metadata": {SPLIT: ["base"], **metadata},
        "source_run_id": extra.get("source_run_id"),
        "created_at": iso(row.created_ns),
        "modified_at": iso(row.updated_ns),
        "attachment_urls": {
            f"attachment.{name}": {"presigned_url": f"/attachments/{media_id}", "mime_type": _mime(library, media_id)}
            for media_id, name, _, _ in used
            if name not in gone
        } or None,
    }  # fmt: skip


def _mime(library: Library, media_id: str) -> str | None:
    row = library.media(media_id)
    return row.mime_type if row else None


def examples_of_form(body: bytes, content_type: str, dataset_id: str | None) -> tuple[list[str], list[Item]]:
    """The examples of a form: `ID`, `ID.inputs`, `ID.outputs`, `ID.attachment.NAME`. (their ids, what to write)"""
    said: dict[str, dict[str, Any]] = {}
    files: list[tuple[str, str, multipart.FormPart]] = []
    for part in multipart.decode(body, content_type):
        example_id, _, name = part.name.partition(".")
        mine = said.setdefault(example_id, {})
        if name.startswith("attachment."):
            files.append((example_id, name.removeprefix("attachment."), part))
        elif not name:
            mine.update(_object(part))
        elif name in ("inputs", "outputs"):
            mine[name] = _object(part)
    items: list[Item] = []
    for example_id, fields in said.items():
        made = example(fields, dataset_id or fields.get("dataset_id"), example_id)
        items.append(replace(made, status="active"))
    for example_id, name, part in files:
        media_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{example_id}/{name}").hex
        items.append(Media(media_id, part.media_type or None, len(part.data), None, part.data))
        items.append(MediaUse(media_id, name, example_id=example_id))
    return list(said), items


def operations_of_form(body: bytes, content_type: str) -> dict[str, dict[str, Any]]:
    """`attachments_operations` by example: {"retain": [names], "rename": {old: new}}."""
    found = {}
    for part in multipart.decode(body, content_type):
        example_id, _, name = part.name.partition(".")
        if name == "attachments_operations":
            found[example_id] = _object(part)
    return found


def _object(part: multipart.FormPart) -> dict[str, Any]:
    jsonbody.weigh(part.data)
    try:
        said = orjson.loads(part.data)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"part {part.name[:80]!r} of the form is not JSON: {error}") from error
    if not isinstance(said, dict):
        raise DecodeError(f"part {part.name[:80]!r} of the form is no JSON object")
    return said


def examples(
    library: Library, *, dataset_id: str | None, ids: list[str] | None, splits: Sequence[str] = (),
    metadata: str | None = None, filter_: str | None = None, at_ns: int | None = None, limit: int = 100,
    offset: int = 0,
) -> list[Run]:  # fmt: skip
    """A page of examples in the order of their making, as they were at a time, or are."""
    if not splits and not metadata and not filter_:
        rows = library.examples(dataset_id, status="active", ids=ids, at_ns=at_ns, limit=limit, offset=offset)
        return [example_told(row, library) for row in rows]
    test = langsmith_filter.parse(filter_) if filter_ else None
    wanted = metadata_of(metadata)
    found = []
    for told in _every(library, dataset_id, ids, at_ns):
        split = told["metadata"].get(SPLIT)
        names = split if isinstance(split, list) else [split]
        if splits and not set(splits) & set(names):
            continue
        if not says(told["metadata"], wanted):
            continue
        if test is None or test({**told, "extra": {"metadata": told["metadata"]}}):
            found.append(told)
    return found[offset : offset + limit]


def _every(
    library: Library, dataset_id: str | None, ids: list[str] | None, at_ns: int | None = None
) -> Iterator[Run]:  # fmt: skip
    for row in library.examples(dataset_id, status="active", ids=ids, at_ns=at_ns, limit=EVERY):
        yield example_told(row, library)


def metadata_of(text: str | None) -> dict[str, Any]:
    """What a query asks of metadata, as JSON; {} where it asks nothing. DecodeError."""
    if not text:
        return {}
    try:
        said = json.loads(text)
    except ValueError as error:
        raise DecodeError(f"metadata {text[:80]!r} is not JSON: {error}") from error
    return said if isinstance(said, dict) else {}


def says(metadata: Any, wanted: dict[str, Any]) -> bool:
    """Whether metadata says all that is wanted."""
    mine = _mapping(metadata)
    return all(name in mine and mine[name] == value for name, value in wanted.items())


def splits(library: Library, dataset_id: str, at_ns: int | None = None) -> list[str]:
    """The names of a dataset's splits."""
    names: dict[str, None] = {}
    for told in _every(library, dataset_id, None, at_ns):
        split = told["metadata"].get(SPLIT)
        names.update(dict.fromkeys(map(str, split if isinstance(split, list) else [split])))
    return sorted(names)
