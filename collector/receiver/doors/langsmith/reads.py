"""What an SDK reads back: runs, feedback, attachments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import Response

from collector.errors import DecodeError, NotFound, NotKept
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.queries import MOST, Runs, feedback, select, told
from collector.store import runs
from collector.store.library import Library
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]


def several(query: QueryParams, name: str) -> list[str] | None:
    """All values of a parameter; None where it is not there."""
    return query.getlist(name) or None


def refuse(query: QueryParams, what: str, names: str) -> None:
    """NotKept where one of these parameters is given: an answer that passes it over would be another's."""
    for name in names.split():
        if query.get(name):
            raise NotKept(f"{what} are not found by {name} here; leave it out")


def slice_of(query: Mapping[str, str], most: int = MOST) -> tuple[int, int]:
    """(limit, offset). DecodeError where they are no numbers."""
    try:
        limit, offset = int(query.get("limit", most)), int(query.get("offset", 0))
    except ValueError as error:
        raise DecodeError(f"limit and offset are whole numbers: {error}") from error
    return max(0, min(limit, most)), max(0, offset)


def told_with_files(call: Call, document: Any) -> Response:
    """Runs or examples, the addresses of their attachments made whole: JavaScript's SDK hands them out as they are."""
    whole_addresses(call, document if isinstance(document, list) else [document])
    return json_response(document)


def whole_addresses(call: Call, listed: list[dict[str, Any]]) -> None:
    """Put our own address before those of attachments."""
    base = str(call.request.base_url).rstrip("/")
    for one in listed:
        for files in (one.get("s3_urls"), one.get("attachment_urls")):
            for file in (files or {}).values():
                if file["presigned_url"].startswith("/"):
                    file["presigned_url"] = base + file["presigned_url"]


async def run(call: Call) -> Response:
    """GET /runs/{id}."""
    run_id = str(call.path["run_id"]).lower()
    return told_with_files(call, await call.ask(lambda reader: select(Runs(reader).one(run_id), None)))


async def query(call: Call) -> Response:
    """POST /runs/query."""
    asked = await call.document()

    def answer(reader: Reader) -> dict[str, Any]:
        found, cursor = Runs(reader).query(asked)
        return {"runs": [select(one, asked.get("select")) for one in found], "cursors": {"next": cursor}}

    page = await call.ask(answer)
    whole_addresses(call, page["runs"])
    return json_response(page)


async def list_feedback(call: Call) -> Response:
    """GET /feedback."""
    given = call.request.query_params
    refuse(given, "scores", "has_comment has_score user level min_created_at max_created_at comparative_experiment_id")
    asked = {name: several(given, name) for name in ("run", "key", "source")} | {"session": given.get("session")}
    limit, offset = slice_of(call.query)
    return json_response(await call.ask(lambda reader: feedback(reader, asked, limit, offset)))


async def one_feedback(call: Call) -> Response:
    """GET /feedback/{id}."""
    score_id = str(call.path["feedback_id"])

    def answer(reader: Reader) -> dict[str, Any]:
        score = runs.score(reader, score_id)
        if score is None:
            raise NotFound(f"no feedback {score_id} is here")
        return told(reader, score)

    return json_response(await call.ask(answer))


async def attachment(call: Call) -> Response:
    """GET /attachments/{id}: a file, for the program that sent it; never shown by a browser as a page of ours."""
    media_id = str(call.path["media_id"])

    def answer(reader: Reader) -> tuple[bytes, str | None]:
        shelf = Library(reader)
        row = shelf.media(media_id)
        data = shelf.blob(row.hash) if row is not None and row.hash else None
        if row is None or data is None:
            raise NotFound(f"no attachment {media_id} is here")
        return data, row.mime_type

    data, mime_type = await call.ask(answer)
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(data, headers=headers, media_type=mime_type or "application/octet-stream")


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("POST", "/runs/query", query),
    ("GET", "/runs/{run_id}", run),
    ("GET", "/feedback", list_feedback),
    ("GET", "/feedback/{feedback_id}", one_feedback),
    ("GET", "/attachments/{media_id}", attachment),
)
