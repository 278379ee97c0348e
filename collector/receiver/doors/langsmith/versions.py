"""Versions of a dataset: one, the present. What is asked of an older one is refused, not answered with this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.responses import Response

from collector.errors import DecodeError, NotFound, NotKept
from collector.protocols.times import iso, time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.views import Run
from collector.store.library import Library
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]
LATEST = "latest"
DELETED = "last_deleted_ns"
"""In a dataset's `extra`: when an example of it was deleted last."""


def version_of(reader: Reader, dataset_id: str) -> Run:
    """The present version. NotFound where there is no such dataset."""
    changed = Library(reader).changed_ns(dataset_id)
    if changed is None:
        raise NotFound(f"no dataset {dataset_id} is here")
    return {"tags": [LATEST], "as_of": iso(changed)}


def present(reader: Reader, dataset_id: str, as_of: str | None) -> None:
    """Raise unless `as_of` (a tag, or a moment) means a dataset as it is now. NotKept, NotFound for a tag."""
    moment = _moment(as_of)
    changed = Library(reader).changed_ns(dataset_id)
    if moment is not None and changed is not None and moment < changed // 1000:
        raise _other(iso(changed), as_of)


def as_it_was(reader: Reader, dataset_id: str | None, as_of: str | None, told: Sequence[Run]) -> list[Run]:
    """Of these examples, those that were there already, where nothing that `as_of` means has changed since.

    `evaluate()` over an experiment asks for the examples as they were when it ran: what was added later is left out,
    what was changed or deleted since is known no more. NotKept, NotFound for a tag.
    """
    moment = _moment(as_of)
    if moment is None:
        return list(told)
    row = Library(reader).dataset(dataset_id=dataset_id) if dataset_id else None
    deleted = row.extra.get(DELETED) if row is not None and isinstance(row.extra, dict) else None
    if isinstance(deleted, int) and moment < deleted // 1000:
        raise _other(iso(deleted), as_of)
    then = [one for one in told if _us(one["created_at"]) <= moment]
    for one in then:
        if _us(one["modified_at"]) > moment:
            raise _other(one["modified_at"], as_of)
    return then


def _moment(as_of: str | None) -> int | None:
    """Unix microseconds, in which clients tell moments; None for the present."""
    if not as_of or as_of == LATEST:
        return None
    if time_ns(as_of) is None:
        raise NotFound(f"no version of the dataset has the tag {as_of[:60]!r}; there is {LATEST!r} alone")
    return _us(as_of)


def _us(moment: str) -> int:
    return (time_ns(moment) or 0) // 1000


def _other(changed: str, as_of: str | None) -> NotKept:
    return NotKept(
        f"tracetui keeps the examples of a dataset as they are now, and some changed at {changed}, after {as_of}"
    )


async def versions(call: Call) -> Response:
    """GET /datasets/{id}/versions, and /version by `tag` or `as_of`."""
    dataset_id = str(call.path["dataset_id"])
    asked = call.query.get("tag") or call.query.get("as_of")

    def answer(reader: Reader) -> Run:
        found = version_of(reader, dataset_id)
        present(reader, dataset_id, asked)
        return found

    if not call.request.url.path.endswith("s"):
        return json_response(await call.ask(answer))
    if call.query.get("offset", "0") not in ("0", ""):
        return json_response([])  # a second page
    if call.query.get("search"):
        raise DecodeError("the one version of a dataset is not searched for")
    return json_response([await call.ask(answer)])


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/datasets/{dataset_id}/versions", versions),
    ("GET", "/datasets/{dataset_id}/version", versions),
)
