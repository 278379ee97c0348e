"""LangSmith's feedback as scores, and back.

Feedback has a key, and a score (a number or a truth value), a value (anything), a comment, a correction, in any
combination. A score of ours has a number or a label; the rest of what was sent is kept in its metadata under
"langsmith", so that the SDK reads back what it wrote.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import orjson

from collector.model import Score
from collector.protocols.langsmith_runs import run_span_id, run_trace_id
from collector.protocols.limits import SpanError
from collector.protocols.times import iso, time_ns

KEPT = "langsmith"
SOURCE = "langsmith"
_OWN = frozenset({"id", "key", "comment", "created_at", "extend_trace_retention"})


def score_of(said: dict[str, Any], whose: Callable[[str], str | None]) -> Score:
    """A score of one feedback object. SpanError when it has no id, no key, or is of no run and no trace.

    Feedback that names a run but no trace is that of the run wherever it is; until the run is here it is taken for
    a root. Feedback without a run is the project's (an experiment's), and kept as that.
    """
    key = said.get("key")
    score_id = str(said.get("id") or "")
    if not isinstance(key, str) or not key or not score_id:
        raise SpanError(f"feedback has no {'key' if score_id else 'id'}")
    run, trace, project = (str(said.get(name) or "") for name in ("run_id", "trace_id", "session_id"))
    if not run and not trace and not project:
        raise SpanError("feedback names no run, trace or project")
    trace_id = run_trace_id(trace) if trace else None
    if run and trace_id is None:
        trace_id = whose(run) or run_trace_id(run)
    value, label, data_type = judged(said.get("score"), said.get("value"), said.get("correction"))
    return Score(
        score_id, key, time_ns(said.get("created_at")) or time.time_ns(), trace_id,
        run_span_id(run) if run else None, None, value, label, data_type,
        str(said["comment"]) if said.get("comment") else None, SOURCE,
        {KEPT: {name: one for name, one in said.items() if name not in _OWN and one is not None}},
    )  # fmt: skip


def judged(score: Any, value: Any, correction: Any = None) -> tuple[float | None, str | None, str]:
    """(number, label, data type): exactly one of the first two."""
    if isinstance(score, bool):
        return float(score), None, "boolean"
    if isinstance(score, (int, float)) and math.isfinite(score):
        return float(score), None, "numeric"
    for said in (score, value, correction):
        if isinstance(said, bool):
            return float(said), None, "boolean"
        if isinstance(said, (int, float)) and math.isfinite(said):
            return float(said), None, "numeric"
        if said is not None and said != "" and said != {}:
            return None, said if isinstance(said, str) else orjson.dumps(said, default=str).decode(), "categorical"
    return None, "", "categorical"


def feedback_of(score: Score, run_id: str | None, trace_id: str | None) -> dict[str, Any]:
    """A score as the API's feedback object; of scores that came another way too."""
    kept = (score.metadata or {}).get(KEPT)
    sent: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
    if not isinstance(kept, dict):
        sent = {"score": bool(score.value) if score.data_type == "boolean" else score.value, "value": score.label}
    created = iso(score.time_ns)
    return {
        "score": None, "value": None, "correction": None, "feedback_source": None, "session_id": None,
        "comparative_experiment_id": None, "feedback_group_id": None, "extra": None, "modified_at": created,
        **sent,
        "id": score.score_id, "key": score.name, "comment": score.comment, "created_at": created,
        "run_id": sent.get("run_id") or run_id, "trace_id": sent.get("trace_id") or trace_id,
    }  # fmt: skip
