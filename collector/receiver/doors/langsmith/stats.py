"""`POST /runs/stats`: what the runs that a query finds have in common."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.responses import Response

from collector.protocols.times import time_ns
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.queries import LOOKED_AT, Runs
from collector.receiver.doors.langsmith.views import Run, feedback_stats
from collector.store.reader import Reader
from collector.store.runs import scores

Answer = Callable[[Call], Awaitable[Response]]
COUNTED, NEWEST = 20, 2_000
"""Of so many projects at once, and of so many of a project's traces, more than the sums are told."""
_TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens", "total_cost")


async def stats(call: Call) -> Response:
    """POST /runs/stats: the fields of `/runs/query`; times are seconds, what nobody knows is null."""
    asked = await call.document()
    return json_response(await call.ask(lambda reader: summed(_found(reader, asked))))


def _found(reader: Reader, asked: Run) -> list[Run]:
    runs, found, cursor = Runs(reader), list[Run](), None
    while len(found) < LOOKED_AT:
        page, cursor = runs.query({**asked, "cursor": cursor, "limit": None})
        found += page
        if cursor is None:
            break
    return found


def summed(found: Sequence[Run]) -> Run:
    """What some runs have in common; times are seconds, what nobody knows is None."""
    seconds = [_seconds(run, "end_time") for run in found]
    first = [_seconds(run, "first_token_time") for run in found]
    out: Run = {
        "run_count": len(found),
        "latency_p50": _share(seconds, 0.5),
        "latency_p99": _share(seconds, 0.99),
        "first_token_p50": _share(first, 0.5),
        "first_token_p99": _share(first, 0.99),
        "median_tokens": _share([run["total_tokens"] for run in found], 0.5),
        "error_rate": sum(run["status"] == "error" for run in found) / len(found) if found else None,
        "streaming_rate": sum(one is not None for one in first) / len(found) if found else None,
        "last_run_start_time": max((run["start_time"] for run in found), default=None),
        "feedback_stats": _feedback(found),
    }
    whole = {run["trace_id"] for run in found if run["parent_run_id"] is None}  # a root has its trace's sums
    counted = [run for run in found if run["parent_run_id"] is None or run["trace_id"] not in whole]
    for name in _TOTALS:
        known = [run[name] for run in counted if run[name] is not None]
        out[name] = sum(known) if known else None
    return out


def of_project(reader: Reader, project: Run) -> Run:
    """A project with what its newest 2,000 traces have in common, and the feedback that is its own."""
    runs, found, cursor = Runs(reader), list[Run](), None
    while len(found) < NEWEST:
        page, cursor = runs.query({"session": [project["id"]], "is_root": True, "cursor": cursor})
        found += page
        if cursor is None:
            break
    counted = summed(found)
    names = ("latency_p50", "latency_p99", "first_token_p50", "first_token_p99", "streaming_rate", "feedback_stats")
    own = scores(reader, names=None, sources=None, project_id=project["id"], limit=LOOKED_AT, offset=0)
    alone = [one for one in own if one.span_id is None]
    return {**project, **{name: counted[name] for name in names}, "session_feedback_stats": feedback_stats(alone)}


def _seconds(run: Run, until: str) -> float | None:
    start, end = time_ns(run["start_time"]), time_ns(run[until])
    return None if start is None or end is None else (end - start) / 1e9


def _share(values: Sequence[Any], share: float) -> Any:
    """The smallest value that this share of the known ones does not exceed."""
    known = sorted(value for value in values if value is not None)
    return known[max(0, math.ceil(share * len(known)) - 1)] if known else None


def _feedback(found: Sequence[Run]) -> Run:
    sums: dict[str, tuple[int, float, int]] = {}
    for run in found:
        for key, said in (run["feedback_stats"] or {}).items():
            count, total, scored = sums.get(key, (0, 0.0, 0))
            n, average = said.get("n") or 0, said.get("avg")
            sums[key] = (count + n, total + (average or 0.0) * n, scored + (n if average is not None else 0))
    return {key: {"n": n, "avg": total / scored if scored else None} for key, (n, total, scored) in sums.items()}


WAYS: tuple[tuple[str, str, Answer], ...] = (("POST", "/runs/stats", stats),)
