"""A judgement, from what the host said of it."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from collector.ids import span_id as span_id_of
from collector.ids import trace_id as trace_id_of
from collector.model import Score
from collector.sdk.capture import capture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.sdk.live import Span


def made(
    name: str, value: float | bool | str, comment: str | None, trace_id: str | None, span_id: str | None,
    session_id: str | None, score_id: str | None, metadata: Mapping[str, Any] | None, current: Span | None,
) -> Score:  # fmt: skip
    """ValueError for a value that is none of the three, and where there is nothing to judge."""
    if trace_id is None and session_id is None:
        if current is None:
            raise ValueError(f"score {name!r} names no trace, span or session, and there is no current span")
        trace_id, span_id = current.trace_id, current.span_id
    if isinstance(value, bool):
        data_type, number, label = "boolean", float(value), None
    elif isinstance(value, int | float):
        data_type, number, label = "numeric", float(value), None
    elif isinstance(value, str):
        data_type, number, label = "categorical", None, value
    else:
        raise ValueError(f"score {name!r} must be a number, a text or a bool, not {type(value).__name__}")
    return Score(
        score_id=score_id or uuid4().hex,
        name=str(name),
        time_ns=time_ns(),
        trace_id=None if trace_id is None else trace_id_of(trace_id),
        span_id=None if span_id is None else span_id_of(span_id),
        session_id=session_id,
        value=number,
        label=label,
        data_type=data_type,
        comment=comment,
        source="sdk",
        metadata=capture(dict(metadata))[0] if metadata else None,
    )
