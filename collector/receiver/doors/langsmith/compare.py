"""Comparative experiments: `evaluate((first, second))` makes one, and gives its runs feedback that names it.

Ours is an experiment without runs of its own, which says what it compares; lists of projects leave it out.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from collector.errors import DecodeError, NotFound
from collector.library import Experiment, Gone
from collector.model import Batch
from collector.protocols.langsmith import SOURCE
from collector.protocols.times import iso, time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.projects import COMPARED, compares
from collector.receiver.doors.langsmith.reads import slice_of
from collector.receiver.doors.langsmith.views import TENANT, Run, feedback_stats
from collector.store import runs
from collector.store.library import ExperimentRow, Library
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]
MOST = 1000


async def make(call: Call) -> Response:
    """POST /datasets/comparative."""
    said = await call.document()
    given, dataset = said.get("experiment_ids"), said.get("reference_dataset_id")
    if not isinstance(given, list) or len(given) < 2 or not dataset:
        raise DecodeError("a comparison needs two experiments at least (experiment_ids) and reference_dataset_id")
    ids = [str(one) for one in given]
    extra = said.get("extra") if isinstance(said.get("extra"), dict) else {}
    comparison_id = str(said.get("id") or uuid.uuid4())
    await call.ask(lambda reader: _known(reader, ids))
    await call.write(
        Batch(SOURCE, library=(Experiment(
            comparison_id, str(said.get("name") or comparison_id), str(dataset), said.get("description"),
            (extra or {}).get("metadata"), {COMPARED: ids}, SOURCE, time_ns(said.get("created_at")) or 0,
        ),))
    )  # fmt: skip
    return json_response(await call.ask(lambda reader: _told(reader, _one(reader, comparison_id))))


def _known(reader: Reader, ids: list[str]) -> None:
    library = Library(reader)
    for one in ids:
        if library.experiment(one) is None:
            raise NotFound(f"no experiment {one} is here to compare")


def _one(reader: Reader, comparison_id: str) -> ExperimentRow:
    found = Library(reader).experiment(comparison_id)
    if found is None or not compares(found):
        raise NotFound(f"no comparative experiment {comparison_id} is here")
    return found


async def listed(call: Call) -> Response:
    """GET /datasets/{id}/comparative: the newest first."""
    dataset_id = str(call.path["dataset_id"])
    limit, offset = slice_of(call.query)

    def answer(reader: Reader) -> list[Run]:
        found = [one for one in Library(reader).experiments(dataset_id=dataset_id, limit=MOST) if compares(one)]
        return [_told(reader, one) for one in found[::-1][offset : offset + limit]]

    return json_response(await call.ask(answer))


async def delete(call: Call) -> Response:
    """DELETE /datasets/comparative/{id}: the record; feedback stays."""
    comparison_id = str(call.path["comparison_id"])
    await call.ask(lambda reader: _one(reader, comparison_id))
    await call.write(Batch(SOURCE, library=(Gone("experiment", comparison_id),)))
    return json_response({"message": "deleted"})


def _told(reader: Reader, made: ExperimentRow) -> Run:
    library = Library(reader)
    names = [(one, library.experiment(one)) for one in compares(made)]
    out: dict[str, Any] = {
        "id": made.experiment_id,
        "name": made.name,
        "description": made.description,
        "tenant_id": TENANT,
        "created_at": iso(made.created_ns),
        "modified_at": iso(made.updated_ns),
        "reference_dataset_id": made.dataset_id,
        "extra": {"metadata": made.metadata or {}},
        "experiments_info": [{"id": one, "name": row.name if row else None} for one, row in names],
        "feedback_stats": feedback_stats(runs.scores_of_comparison(reader, made.experiment_id)),
    }
    return out


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("POST", "/datasets/comparative", make),
    ("GET", "/datasets/{dataset_id}/comparative", listed),
    ("DELETE", "/datasets/comparative/{comparison_id}", delete),
)
