"""Traces and threads of the newer API: `client.traces`, `client.threads`. A thread is the roots of one session.

A question is answered from the newest 5,000 roots of its time; as with LangSmith, that is the last day where no time is
given.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from collector.errors import DecodeError, NotFound, NotKept
from collector.protocols import langsmith_filter
from collector.protocols.times import iso, time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.queries import Runs, texts
from collector.receiver.doors.langsmith.reads import several
from collector.receiver.doors.langsmith.stats import summed
from collector.receiver.doors.langsmith.v2 import picked, plainly
from collector.receiver.doors.langsmith.views import Run
from collector.store.reader import Reader

Answer = Callable[[Call], Awaitable[Response]]
ROOTS, PAGE, MOST, PREVIEW = 5_000, 20, 100, 500
_DAY_NS = 86_400 * 10**9
_STATS = {
    "TURNS": "turns", "FIRST_START_TIME": "first_start_time", "LAST_START_TIME": "last_start_time",
    "LAST_END_TIME": "last_end_time", "LATENCY_P50": "latency_p50_seconds", "LATENCY_P99": "latency_p99_seconds",
    "PROMPT_TOKENS": "prompt_tokens", "COMPLETION_TOKENS": "completion_tokens", "TOTAL_TOKENS": "total_tokens",
    "TOTAL_COST": "total_cost", "FEEDBACK_STATS": "feedback_stats",
}  # fmt: skip


async def traces(call: Call) -> Response:
    """POST /api/v2/traces/query: the newest first."""
    said = await call.document()
    plainly(said)
    asked = {**_asked(said), "trace_filter": said.get("trace_filter")}
    wanted = {one.replace("-", "").lower() for one in texts(said.get("trace_ids")) or ()}

    def answer(reader: Reader) -> tuple[list[Run], str | None]:
        roots = _roots(reader, asked, bool(wanted))
        return _page([one for one in roots if not wanted or one["trace_id"].replace("-", "") in wanted], said)

    found, cursor = await call.ask(answer)
    items = [{"root_run": picked(one, said.get("selects")), "trace_aggregates": _aggregates(one)} for one in found]
    return json_response({"items": items, "next_cursor": cursor})


async def runs_of_trace(call: Call) -> Response:
    """GET /api/v2/traces/{id}/runs, in the order of their starts."""
    given = call.request.query_params
    asked = {
        "trace": call.path["trace_id"], "filter": given.get("filter"), "order": "asc",
        "start_time": given.get("min_start_time"), "end_time": given.get("max_start_time"), "is_root": None,
    }  # fmt: skip
    selects = several(given, "selects") or several(given, "selects[]")
    found = await call.ask(lambda reader: _all(reader, asked))
    return json_response({"items": [picked(one, selects) for one in found]})


async def threads(call: Call) -> Response:
    """POST /api/v2/threads/query: the one with the newest trace first."""
    said = await call.document()
    plainly(said)
    if said.get("thread_filter"):
        raise NotKept("threads are not filtered by their own sums here; filter their traces (trace_filter)")
    asked = {**_asked(said), "filter": said.get("filter")}
    some = langsmith_filter.parse(str(said["trace_filter"])) if said.get("trace_filter") else None

    def answer(reader: Reader) -> tuple[list[Run], str | None]:
        grouped: dict[str, list[Run]] = {}
        for root in _roots(reader, asked):
            if root["thread_id"]:
                grouped.setdefault(root["thread_id"], []).append(root)
        told = [_thread(name, own) for name, own in grouped.items() if some is None or any(some(one) for one in own)]
        return _page(told, said)

    found, cursor = await call.ask(answer)
    return json_response({"items": found, "next_cursor": cursor})


async def traces_of_thread(call: Call) -> Response:
    """GET /api/v2/threads/{id}/traces: its turns, the newest first."""
    given = dict(call.query)
    turns = await _turns(call, given.get("project_id"), given)
    selects = several(call.request.query_params, "selects") or several(call.request.query_params, "selects[]")
    numbered = [{**one, "turn_number": len(turns) - at} for at, one in enumerate(turns)]
    found, cursor = _page(numbered, given)
    return json_response({"items": [_turn(one, selects) for one in found], "next_cursor": cursor})


async def stats_of_thread(call: Call) -> Response:
    """GET /api/v2/threads/{id}/stats."""
    turns = await _turns(call, call.query.get("session_id"), {**call.query, "min_start_time": iso(0)})
    if not turns:
        raise NotFound(f"no thread {call.path['thread_id']!r} is in this project")
    sums = summed(turns)
    ends = [one["end_time"] for one in turns if one["end_time"]]
    told = {
        **sums,
        "turns": len(turns),
        "first_start_time": turns[-1]["start_time"],
        "last_start_time": turns[0]["start_time"],
        "last_end_time": max(ends, default=None),
        "latency_p50_seconds": sums["latency_p50"],
        "latency_p99_seconds": sums["latency_p99"],
    }
    selects = several(call.request.query_params, "selects") or several(call.request.query_params, "selects[]")
    names = [_STATS[one] for name in selects or _STATS for one in name.upper().split(",") if one in _STATS]
    return json_response({name: told[name] for name in names})


async def _turns(call: Call, project_id: str | None, given: Run) -> list[Run]:
    thread_id = str(call.path["thread_id"])
    asked = {**_asked({**given, "project_id": project_id, "min_start_time": iso(0)}), "filter": given.get("filter")}
    return await call.ask(
        lambda reader: [one for one in _roots(reader, asked) if one["thread_id"] == thread_id]
    )  # fmt: skip


def _asked(said: Run) -> dict[str, Any]:
    """A question about roots in the words of `/runs/query`."""
    since, until = said.get("min_start_time"), said.get("max_start_time")
    for moment in (since, until):
        if moment is not None and time_ns(moment) is None:
            raise DecodeError(f"{str(moment)[:60]!r} is no time")
    project = said.get("project_id")
    return {
        "session": [str(project)] if project else None,
        "is_root": True,
        "start_time": since or iso(time.time_ns() - _DAY_NS),
        "end_time": until,
        "tree_filter": said.get("tree_filter"),
    }


def _roots(reader: Reader, asked: Run, by_id: bool = False) -> list[Run]:
    """`by_id`: traces that are named are looked for at any time."""
    return _all(reader, {**asked, "start_time": None} if by_id else asked)


def _all(reader: Reader, asked: Run) -> list[Run]:
    runs, found, cursor = Runs(reader), list[Run](), None
    while len(found) < ROOTS:
        page, cursor = runs.query({**asked, "cursor": cursor})
        found += page
        if cursor is None:
            break
    return found


def _page(listed: Sequence[Run], said: Run) -> tuple[list[Run], str | None]:
    """(those of this page, the cursor of the next). DecodeError."""
    try:
        at, size = int(said.get("cursor") or 0), int(said.get("page_size") or PAGE)
    except (TypeError, ValueError) as error:
        raise DecodeError("cursor is one of ours, page_size a number") from error
    at, size = max(0, at), max(1, min(size, MOST))
    more = at + size < len(listed)
    return list(listed[at : at + size]), str(at + size) if more else None


def _aggregates(root: Run) -> Run:
    return {name: root[name] for name in ("first_token_time", "total_cost", "total_tokens")}


def _preview(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, default=str).decode()[:PREVIEW]


def _thread(name: str, own: Sequence[Run]) -> Run:
    """A thread out of its roots, the newest first."""
    last, first, sums = own[0], own[-1], summed(own)
    return {
        "thread_id": name,
        "count": len(own),
        "start_time": last["start_time"],
        "min_start_time": first["start_time"],
        "max_start_time": last["start_time"],
        "trace_id": last["trace_id"],
        "first_trace_id": first["trace_id"],
        "last_trace_id": last["trace_id"],
        "first_inputs": _preview(first["inputs"]),
        "last_outputs": _preview(last["outputs"]),
        "last_error": last["error"],
        "num_errored_turns": sum(one["status"] == "error" for one in own),
        "total_tokens": sums["total_tokens"],
        "total_cost": sums["total_cost"],
        "feedback_stats": sums["feedback_stats"],
    }


def _turn(root: Run, selects: Any) -> Run:
    start, end = time_ns(root["start_time"]), time_ns(root["end_time"])
    told = {
        **picked(root, [*(selects or ()), "THREAD_ID"]),
        "trace_id": root["trace_id"],
        "turn_number": root["turn_number"],
        "latency": None if start is None or end is None else (end - start) / 1e9,
        "inputs_preview": _preview(root["inputs"]),
        "outputs_preview": _preview(root["outputs"]),
    }
    wanted = {"trace_id", "turn_number", *(one.lower() for name in selects or () for one in name.split(","))}
    return {name: value for name, value in told.items() if name in wanted}


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("POST", "/traces/query", traces),
    ("GET", "/traces/{trace_id}/runs", runs_of_trace),
    ("POST", "/threads/query", threads),
    ("GET", "/threads/{thread_id}/traces", traces_of_thread),
    ("GET", "/threads/{thread_id}/stats", stats_of_thread),
)
