"""The newer spelling of the same queries: `client.runs.query`, `client.runs.retrieve`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from collector.errors import DecodeError, NotKept
from collector.protocols.times import time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.queries import Runs
from collector.receiver.doors.langsmith.reads import several
from collector.receiver.doors.langsmith.views import Run
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]
_NAMES = {
    "project_ids": "session", "ids": "id", "has_error": "error", "min_start_time": "start_time",
    "max_start_time": "end_time", "page_size": "limit", "reference_examples": "reference_example", "trace_id": "trace",
}  # fmt: skip
_SAME = ("filter", "trace_filter", "tree_filter", "is_root", "cursor")


def plainly(said: dict[str, Any]) -> None:
    """NotKept for what only a model, an index of meanings, or a history of scores could answer."""
    for name in ("ai_search", "sem_filter"):
        if said.get(name):
            raise NotKept(f"{name}: tracetui asks no model what a query means; use filter and trace_filter")
    for name in ("min_feedback_modified_at", "max_feedback_modified_at", "reference_dataset_id"):
        if said.get(name):
            raise NotKept(f"runs are not found by {name} here")


async def query(call: Call) -> Response:
    """POST /api/v2/runs/query."""
    said = await call.document()
    plainly(said)
    asked: dict[str, Any] = {_NAMES.get(name, name): value for name, value in said.items() if name in {*_NAMES, *_SAME}}
    if isinstance(said.get("run_type"), str):
        asked["run_type"] = said["run_type"].lower()
    selects = said.get("selects")

    def answer(reader: Reader) -> dict[str, Any]:
        found, cursor = Runs(reader).query(asked)
        return {"items": [picked(run, selects) for run in found], "next_cursor": cursor}

    return json_response(await call.ask(answer))


async def retrieve(call: Call) -> Response:
    """GET /api/v2/runs/{id}?selects=…"""
    run_id = str(call.path["run_id"]).lower()
    selects = several(call.request.query_params, "selects") or several(call.request.query_params, "selects[]")
    return json_response(await call.ask(lambda reader: picked(Runs(reader).one(run_id), selects)))


def picked(run: Run, selects: Any) -> Run:
    """A run in the newer API's words, with the fields that were asked for."""
    start, end = time_ns(run["start_time"]), time_ns(run["end_time"])
    said = {
        **{
            name: value
            for name, value in run.items()
            if name not in ("session_id", "s3_urls", "feedback", "serialized")
        },
        "run_type": run["run_type"].upper(),
        "status": run["status"].upper(),
        "project_id": run["session_id"],
        "is_root": run["parent_run_id"] is None,
        "metadata": run["extra"]["metadata"],
        "manifest": run["serialized"],
        "latency_seconds": None if start is None or end is None else (end - start) / 1e9,
        "error_preview": (run["error"] or "")[:200] or None,
        "prompt_token_details": {"raw": run["prompt_token_details"]} if run["prompt_token_details"] else None,
        "completion_token_details": {"raw": run["completion_token_details"]}
        if run["completion_token_details"]
        else None,
        "attachments": {name: one["presigned_url"] for name, one in (run["s3_urls"] or {}).items()} or None,
    }
    if selects is None:
        return {"id": run["id"]}
    if not isinstance(selects, list):
        raise DecodeError('"selects" is a list of fields, such as ["ID", "NAME"]')
    wanted = {"id", *(str(name).lower() for one in selects for name in str(one).split(","))}
    return {name: value for name, value in said.items() if name in wanted}


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("POST", "/runs/query", query),
    ("GET", "/runs/{run_id}", retrieve),
)
