"""What an application keeps: projects and experiments, datasets and examples; written, changed and read back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.responses import Response

from collector.errors import DecodeError, NotFound
from collector.library import Example, Experiment, Gone, Item, MediaUse
from collector.model import Batch
from collector.protocols import langsmith_filter
from collector.protocols.langsmith import SOURCE
from collector.protocols.times import time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith import shelf
from collector.receiver.doors.langsmith.projects import Projects
from collector.receiver.doors.langsmith.queries import Runs, select, texts
from collector.receiver.doors.langsmith.reads import refuse, several, slice_of, told_with_files
from collector.receiver.doors.langsmith.stats import COUNTED, of_project
from collector.receiver.doors.langsmith.versions import moment, version_of
from collector.receiver.doors.langsmith.views import Run
from collector.store.library import DatasetRow, ExampleRow, Library
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]


async def _write(call: Call, *items: Item) -> None:
    await call.write(Batch(SOURCE, library=items))


# -- projects ---------------------------------------------------------------------------------------------


async def list_projects(call: Call) -> Response:
    """GET /sessions."""
    given, (limit, offset) = call.request.query_params, slice_of(call.query)
    refuse(given, "projects", "filter dataset_version tag_value_id")
    free = given.get("reference_free")
    counted = given.get("include_stats", "").lower() == "true"

    def answer(reader: Reader) -> list[Run]:
        found = Projects(reader).list(
            name=given.get("name"), part=given.get("name_contains"), dataset_id=given.get("reference_dataset"),
            ids=several(given, "id"), reference_free=None if free is None else free.lower() == "true",
            metadata=shelf.metadata_of(given.get("metadata")), limit=limit, offset=offset,
        )  # fmt: skip
        return [of_project(reader, one) for one in found] if counted and len(found) <= COUNTED else found

    return json_response(await call.ask(answer))


async def one_project(call: Call) -> Response:
    """GET /sessions/{id}."""
    counted = call.query.get("include_stats", "").lower() == "true"

    def answer(reader: Reader) -> Run:
        found = _project(reader, str(call.path["project_id"]))
        return of_project(reader, found) if counted else found

    return json_response(await call.ask(answer))


def _project(reader: Reader, project_id: str) -> Run:
    found = Projects(reader).one(project_id)
    if found is None:
        raise NotFound(f"no project {project_id} is here")
    return found


async def make_project(call: Call) -> Response:
    """POST /sessions: a project, or an experiment over a dataset. A name is given once, but with ?upsert=true."""
    said = await call.document()
    name = said.get("name")
    if not isinstance(name, str) or not name:
        raise DecodeError("a project needs a name, as text")
    known = await call.ask(lambda reader: Projects(reader).list(name=name))
    if known and call.query.get("upsert", "").lower() != "true":
        return json_response({"detail": f"Session with the name {name!r} already exists"}, 409)
    project_id = known[0]["id"] if known else str(said.get("id") or uuid.uuid4())
    await _write(call, _experiment(project_id, name, said))
    return json_response(await call.ask(lambda reader: _project(reader, project_id)))


async def change_project(call: Call) -> Response:
    """PATCH /sessions/{id}."""
    said, project_id = await call.document(), str(call.path["project_id"])
    now = await call.ask(lambda reader: _project(reader, project_id))
    await _write(call, _experiment(project_id, str(said.get("name") or now["name"]), said))
    return json_response(await call.ask(lambda reader: _project(reader, project_id)))


def _experiment(project_id: str, name: str, said: Run) -> Experiment:
    extra = said.get("extra") if isinstance(said.get("extra"), dict) else None
    rest = {key: value for key, value in (extra or {}).items() if key != "metadata"}
    for key in ("num_examples", "num_repetitions", "evaluator_keys"):
        if said.get(key) is not None:
            rest[key] = said[key]
    return Experiment(
        project_id, name, _some(said.get("reference_dataset_id")), _some(said.get("description")),
        (extra or {}).get("metadata"), rest or None, SOURCE, time_ns(said.get("start_time")) or 0,
        time_ns(said.get("end_time")),
    )  # fmt: skip


async def delete_project(call: Call) -> Response:
    """DELETE /sessions/{id}: an experiment and its links; traces stay (`tracetui forget` deletes those)."""
    project_id = str(call.path["project_id"])
    await call.ask(lambda reader: _project(reader, project_id))
    await _write(call, Gone("experiment", project_id))
    return json_response({"message": "the project's record is deleted; its traces stay"})


# -- datasets ---------------------------------------------------------------------------------------------


async def list_datasets(call: Call) -> Response:
    """GET /datasets."""
    given, (limit, offset) = call.request.query_params, slice_of(call.query)

    def answer(reader: Reader) -> list[Run]:
        rows = Library(reader).datasets(name=given.get("name"), part=given.get("name_contains"), limit=shelf.EVERY)
        found = [shelf.dataset_told(row) for row in rows]
        if ids := several(given, "id"):
            found = [one for one in found if one["id"] in ids]
        if kind := given.get("data_type"):
            found = [one for one in found if one["data_type"] == kind]
        if wanted := shelf.metadata_of(given.get("metadata")):
            found = [one for one in found if shelf.says(one["metadata"], wanted)]
        return found[offset : offset + limit]

    return json_response(await call.ask(answer))


def _dataset(reader: Reader, dataset_id: str) -> DatasetRow:
    found = Library(reader).dataset(dataset_id=dataset_id)
    if found is None:
        raise NotFound(f"no dataset {dataset_id} is here")
    return found


async def one_dataset(call: Call) -> Response:
    """GET /datasets/{id}."""
    dataset_id = str(call.path["dataset_id"])
    return json_response(await call.ask(lambda reader: shelf.dataset_told(_dataset(reader, dataset_id))))


async def make_dataset(call: Call) -> Response:
    """POST /datasets."""
    made = shelf.dataset(await call.document())
    if await call.ask(lambda reader: Library(reader).dataset(name=made.name)):
        return json_response({"detail": f"Dataset with the name {made.name!r} already exists"}, 409)
    await _write(call, made)
    return json_response(await call.ask(lambda reader: shelf.dataset_told(_dataset(reader, made.dataset_id))))


async def change_dataset(call: Call) -> Response:
    """PATCH /datasets/{id}: all but its name."""
    said, dataset_id = await call.document(), str(call.path["dataset_id"])
    row = await call.ask(lambda reader: _dataset(reader, dataset_id))
    made = shelf.dataset({**said, "id": dataset_id, "name": row.name})
    extra = {**(row.extra or {}), **(made.extra if "data_type" in said else {})}
    await _write(call, replace(made, extra=extra))
    return json_response(await call.ask(lambda reader: shelf.dataset_told(_dataset(reader, dataset_id))))


async def delete_dataset(call: Call) -> Response:
    """DELETE /datasets/{id}: with its examples and experiments."""
    dataset_id = str(call.path["dataset_id"])
    await call.ask(lambda reader: _dataset(reader, dataset_id))
    await _write(call, Gone("dataset", dataset_id))
    return json_response({"message": "deleted"})


async def dataset_runs(call: Call) -> Response:
    """POST /datasets/{id}/runs: examples, each with its runs in some experiments."""
    said, dataset_id = await call.document(), str(call.path["dataset_id"])
    sessions = set(texts(said.get("session_ids")) or ())
    limit, offset = slice_of({name: str(said[name]) for name in ("limit", "offset") if said.get(name) is not None})
    given = said.get("filters")
    tests = {
        str(session): [langsmith_filter.parse(str(one)) for one in listed]
        for session, listed in (given.items() if isinstance(given, dict) else ())
        if isinstance(listed, list)
    }

    def answer(reader: Reader) -> list[Run]:
        library, told = Library(reader), Runs(reader)
        found = []
        for one in shelf.examples(library, dataset_id=dataset_id, ids=None, limit=limit, offset=offset):
            linked = library.runs(example_id=one["id"], limit=1000)
            mine = [link for link in linked if not sessions or link.experiment_id in sessions]
            runs = [(told.one(link.run_id), tests.get(link.experiment_id, ())) for link in mine]
            fitting = [select(run, None) for run, asked in runs if all(test(run) for test in asked)]
            found.append({**one, "runs": fitting})
        return found

    return json_response(await call.ask(answer))


# -- examples ---------------------------------------------------------------------------------------------


async def list_examples(call: Call) -> Response:
    """GET /examples."""
    given, (limit, offset) = call.request.query_params, slice_of(call.query)
    refuse(given, "examples", "full_text_contains order random_seed")
    asked = partial(
        shelf.examples, dataset_id=given.get("dataset"), ids=several(given, "id"), splits=given.getlist("splits"),
        metadata=given.get("metadata"), filter_=given.get("filter"), limit=limit, offset=offset,
    )  # fmt: skip

    def answer(reader: Reader) -> list[Run]:
        at_ns = moment(reader, given.get("dataset"), given.get("as_of"))
        return asked(Library(reader), at_ns=at_ns)

    return told_with_files(call, await call.ask(answer))


def _example(reader: Reader, example_id: str) -> ExampleRow:
    found = Library(reader).example(example_id)
    if found is None or found.status != "active":
        raise NotFound(f"no example {example_id} is here")
    return found


def _told(example_id: str, reader: Reader) -> Run:
    return shelf.example_told(_example(reader, example_id), Library(reader))


async def one_example(call: Call) -> Response:
    """GET /examples/{id}."""
    example_id, as_of = str(call.path["example_id"]), call.query.get("as_of")

    def answer(reader: Reader) -> Run:
        at_ns = moment(reader, call.query.get("dataset"), as_of)
        if at_ns is None:
            return _told(example_id, reader)
        found = shelf.examples(Library(reader), dataset_id=None, ids=[example_id], at_ns=at_ns)
        if not found:
            raise NotFound(f"example {example_id} was not here then")
        return found[0]

    return told_with_files(call, await call.ask(answer))


async def make_example(call: Call) -> Response:
    """POST /examples."""
    said = await call.document()
    made = await _from_its_run(call, shelf.example(said), said)
    await call.ask(lambda reader: _dataset(reader, made.dataset_id))
    await _write(call, made)
    return told_with_files(call, await call.ask(partial(_told, made.example_id)))


async def make_examples(call: Call) -> Response:
    """POST /examples/bulk."""
    listed = await call.json()
    if not isinstance(listed, list):
        raise DecodeError("/examples/bulk takes a list of examples")
    made = [await _from_its_run(call, shelf.example(one), one) for one in listed]
    for dataset_id in {one.dataset_id for one in made}:
        await call.ask(partial(_dataset, dataset_id=dataset_id))
    if made:
        await _write(call, *made)
    return told_with_files(call, await call.ask(lambda reader: [_told(one.example_id, reader) for one in made]))


async def _from_its_run(call: Call, made: Example, said: Run) -> Example:
    """With the inputs and outputs of its source run, where the client asks for them."""
    if not said.get("use_source_run_io") or not said.get("source_run_id"):
        return made
    run = await call.ask(lambda reader: Runs(reader).one(str(said["source_run_id"])))
    return replace(
        made,
        input=made.input if made.input is not None else run["inputs"],
        output=made.output if made.output is not None else run["outputs"],
    )


async def change_example(call: Call) -> Response:
    """PATCH /examples/{id}."""
    example_id = str(call.path["example_id"])
    row = await call.ask(partial(_example, example_id=example_id))
    made = shelf.example(await call.document(), row.dataset_id, example_id)
    await _write(call, made)
    return told_with_files(call, await call.ask(partial(_told, example_id)))


async def change_examples(call: Call) -> Response:
    """PATCH /examples/bulk."""
    listed = await call.json()
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("id") for one in listed):
        raise DecodeError("/examples/bulk takes a list of examples, each with its id")
    for said in listed:
        row = await call.ask(partial(_example, example_id=str(said["id"])))
        await _write(call, shelf.example(said, row.dataset_id, row.example_id))
    return json_response({"message": f"{len(listed)} examples updated", "count": len(listed)})


async def delete_examples(call: Call) -> Response:
    """DELETE /examples/{id}, DELETE /examples?example_ids=…, POST /v1/platform/datasets/examples/delete."""
    ids = [str(call.path["example_id"])] if "example_id" in call.path else None
    if ids is None and call.request.method == "DELETE":
        ids = several(call.request.query_params, "example_ids")
    elif ids is None:
        said = (await call.document()).get("example_ids")
        ids = [str(one) for one in said] if isinstance(said, list) else None
    if not ids:
        raise DecodeError("which examples to delete is not said (example_ids)")
    await _write(call, *(Gone("example", one) for one in ids))
    return json_response({"message": "deleted", "count": len(ids)})


async def form_of_examples(call: Call) -> Response:
    """POST, PATCH /v1/platform/datasets/{id}/examples and POST /v1/platform/examples/multipart: with attachments."""
    dataset_id = str(call.path["dataset_id"]) if "dataset_id" in call.path else None
    kind, body = call.headers.get("content-type", ""), await call.body()
    ids, items = await asyncio.to_thread(shelf.examples_of_form, body, kind, dataset_id)
    for home in {item.dataset_id for item in items if isinstance(item, Example)}:
        await call.ask(partial(_dataset, dataset_id=home))
    operations = shelf.operations_of_form(body, kind) if call.request.method == "PATCH" else {}
    for example_id, asked in operations.items():
        items += await call.ask(partial(_attachments_changed, example_id=example_id, asked=asked))
    if items:
        await _write(call, *items)
    as_of = (await call.ask(partial(version_of, dataset_id=dataset_id)))["as_of"] if dataset_id else None
    return json_response({"example_ids": ids, "count": len(ids), "as_of": as_of}, 201)


def _attachments_changed(reader: Reader, example_id: str, asked: Run) -> list[Item]:
    """Attachments that are kept (`retain`), renamed (`rename`), or else gone."""
    row, used = _example(reader, example_id), Library(reader).media_of(example_id=example_id)
    given = asked.get("rename")
    renamed: dict[str, Any] = given if isinstance(given, dict) else {}
    kept = {str(one) for one in asked.get("retain") or ()}
    items: list[Item] = [
        MediaUse(media_id, str(renamed[name]), example_id=example_id)
        for media_id, name, _, _ in used
        if name in renamed
    ]
    gone = {name for _, name, _, _ in used if name not in kept} | set(renamed)
    extra = {**(row.extra or {}), "gone": sorted(gone - set(map(str, renamed.values())))}
    return [*items, Example(example_id, row.dataset_id, extra=extra)]


def _some(value: Any) -> str | None:
    return None if value is None else str(value)


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/sessions", list_projects),
    ("POST", "/sessions", make_project),
    ("GET", "/sessions/{project_id}", one_project),
    ("PATCH", "/sessions/{project_id}", change_project),
    ("DELETE", "/sessions/{project_id}", delete_project),
    ("GET", "/datasets", list_datasets),
    ("POST", "/datasets", make_dataset),
    ("GET", "/datasets/{dataset_id}", one_dataset),
    ("PATCH", "/datasets/{dataset_id}", change_dataset),
    ("DELETE", "/datasets/{dataset_id}", delete_dataset),
    ("POST", "/datasets/{dataset_id}/runs", dataset_runs),
    ("GET", "/examples", list_examples),
    ("POST", "/examples", make_example),
    ("DELETE", "/examples", delete_examples),
    ("POST", "/examples/bulk", make_examples),
    ("PATCH", "/examples/bulk", change_examples),
    ("GET", "/examples/{example_id}", one_example),
    ("PATCH", "/examples/{example_id}", change_example),
    ("DELETE", "/examples/{example_id}", delete_examples),
)
PLATFORM_WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("POST PATCH", "/datasets/{dataset_id}/examples", form_of_examples),
    ("POST", "/examples/multipart", form_of_examples),
    ("POST", "/datasets/examples/delete", delete_examples),
    ("DELETE", "/datasets/{dataset_id}/examples/{example_id}", delete_examples),
)
