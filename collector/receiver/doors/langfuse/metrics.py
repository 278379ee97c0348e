"""Metrics: counts, sums and quantiles of traces, observations and scores, by dimensions and by time.

    {"view", "metrics": [{"measure", "aggregation"}], "dimensions": [{"field"}], "filters": [...],
     "timeDimension": {"granularity"}, "fromTimestamp", "toTimestamp", "orderBy": [{"field", "direction"}],
     "config": {"bins", "row_limit"}}

A row has its dimensions by name, `time_dimension`, and `{aggregation}_{measure}`. Usage and cost count once, as
everywhere here. Query: https://langfuse.com/docs/metrics/features/metrics-api
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
from starlette.responses import Response

from collector.errors import DecodeError, FilterError
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse import asking
from collector.receiver.doors.langfuse.asking import TYPES
from collector.store import lookup
from collector.store.lookup import SCORES, SPANS, TRACES, Is, Kind

MOST_ROWS = 500_000
"""Traces, observations or scores that one answer looks at."""
ROWS = 100
MS, USD = 1e6, 1e9
QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
AGGREGATIONS = ("sum", "avg", "count", "max", "min", *QUANTILES, "histogram")
GRANULARITIES = ("minute", "hour", "day", "week", "month")
AUTO = 50  # so many steps of time
LENGTHS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}  # seconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class View:
    """What can be asked of a list: columns of the store by dimension, and (column, divisor) by measure."""

    kind: Kind
    dimensions: Mapping[str, str]
    measures: Mapping[str, tuple[str, float]]
    filters: Mapping[str, asking.Column]
    base: tuple[Is, ...] = ()


_OF_SCORE = {
    "environment": "environment", "name": "name", "source": "api", "dataType": "data_type", "configId": "config",
    "traceName": "trace_name", "tags": "tags", "traceRelease": "trace_release", "userId": "user",
    "sessionId": "of_session", "traceId": "trace", "observationId": "span", "observationName": "span_name",
    "observationModelName": "span_model", "observationPromptName": "span_prompt",
    "observationPromptVersion": "span_prompt_version",
}  # fmt: skip
_VALUE = {"count": ("start", 1.0), "value": ("value", 1.0)}
_NO_COMMENT = Is("about", "null")
VIEWS: dict[str, View] = {
    "traces": View(
        TRACES,
        {"id": "trace", "name": "name", "tags": "tags", "userId": "user", "sessionId": "session", "release": "release",
         "version": "version", "environment": "environment"},
        {"count": ("start", 1), "observationsCount": ("spans", 1), "scoresCount": ("scores", 1),
         "latency": ("duration", MS), "totalTokens": ("tokens", 1), "totalCost": ("cost", USD)},
        asking.OF_TRACES,
    ),
    "observations": View(
        SPANS,
        {"id": "span", "traceId": "trace", "environment": "environment", "type": "kind", "name": "name",
         "level": "level", "version": "version", "tags": "tags", "release": "trace_release", "userId": "user",
         "sessionId": "session", "traceName": "trace_name", "traceRelease": "trace_release",
         "providedModelName": "model", "promptName": "prompt", "promptVersion": "prompt_version",
         "isRootObservation": "root", "parentObservationId": "parent"},
        {"count": ("start", 1), "latency": ("duration", MS), "streamingLatency": ("streamed", MS),
         "inputTokens": ("counted_input", 1), "outputTokens": ("counted_output", 1),
         "totalTokens": ("counted_tokens", 1), "outputTokensPerSecond": ("output_rate", 1),
         "tokensPerSecond": ("rate", 1), "totalCost": ("counted_cost", USD),
         "timeToFirstToken": ("ttft", MS), "countScores": ("scores", 1)},
        asking.OF_SPANS,
    ),
    "scores-numeric": View(
        SCORES, {**_OF_SCORE, "value": "value"}, _VALUE, asking.OF_SCORES,
        (_NO_COMMENT, Is("data_type", "in", ("numeric", "boolean"))),
    ),
    "scores-boolean": View(
        SCORES, {**_OF_SCORE, "booleanValue": "value"}, _VALUE, asking.OF_SCORES,
        (_NO_COMMENT, Is("data_type", "=", ("boolean",))),
    ),
    "scores-categorical": View(
        SCORES, {**_OF_SCORE, "stringValue": "label"}, {"count": ("start", 1)}, asking.OF_SCORES,
        (_NO_COMMENT, Is("data_type", "=", ("categorical",))),
    ),
}  # fmt: skip
_MEANT: dict[str, Callable[[Any], Any]] = {
    "type": lambda kind: TYPES.get(kind, "SPAN"), "level": lambda level: (level or "default").upper(),
    "isRootObservation": bool, "booleanValue": bool,
    "dataType": lambda kind: str(kind).upper(),
}  # fmt: skip


@dataclass(slots=True)
class Query:
    """A query that was understood."""

    view: View
    dimensions: list[str]
    measures: list[tuple[str, str]]
    wanted: list[Is]
    low: int
    high: int
    step: str | None = None
    order: list[tuple[str, bool]] | None = None
    rows: int = ROWS
    bins: int = 10

    @property
    def columns(self) -> list[str]:
        """What to ask the store for: the time, dimensions, measures."""
        found = [self.view.dimensions[name] for name in self.dimensions]
        return ["start", *found, *(self.view.measures[name][0] for name, _ in self.measures)]


async def metrics(call: Call) -> Response:
    """`GET /api/public/v2/metrics?query=…`, and of the first version, which knows traces as well."""
    asking.only(call, "query")
    query = read(call.query.get("query") or "")
    rows = await call.ask(lambda reader: lookup.values(reader, query.view.kind, query.wanted, query.columns, MOST_ROWS))
    return json_response({"data": answer(query, rows)})


def read(text: str) -> Query:
    """DecodeError or FilterError says what cannot be asked here, and what can."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as e:
        raise DecodeError(f"query is not JSON: {e}") from e
    if not isinstance(said, dict):
        raise DecodeError("query is a JSON object with view, metrics, fromTimestamp and toTimestamp")
    view = VIEWS[_one_of("view", said.get("view"), VIEWS)]
    dimensions = [_one_of("a dimension", one.get("field"), view.dimensions) for one in _objects(said, "dimensions")]
    measures = [
        (
            _one_of("a measure", one.get("measure"), view.measures),
            _one_of("an aggregation", one.get("aggregation"), AGGREGATIONS),
        )
        for one in _objects(said, "metrics")
    ]
    if not measures:
        raise DecodeError("metrics is a list of {measure, aggregation}; at least one")
    low, high = (asking.moment(str(said.get(key) or "")) for key in ("fromTimestamp", "toTimestamp"))
    if high <= low:
        raise DecodeError("toTimestamp is not after fromTimestamp")
    filters = asking.structured(orjson.dumps(_objects(said, "filters")).decode(), view.filters)
    wanted = [*view.base, Is("start", ">=", (low,)), Is("start", "<", (high,)), *filters]
    query = Query(view, dimensions, measures, wanted, low, high)
    time, config = said.get("timeDimension"), said.get("config")
    if isinstance(time, dict):
        query.step = _one_of("granularity", time.get("granularity"), (*GRANULARITIES, "auto"))
    if isinstance(config, dict):
        query.rows, query.bins = _whole(config, "row_limit", ROWS, 1000), _whole(config, "bins", 10, 100)
    fields = [*dimensions, *(f"{how}_{what}" for what, how in measures), *(["time_dimension"] if query.step else [])]
    if order := _objects(said, "orderBy"):
        query.order = [(_one_of("orderBy", one.get("field"), fields), one.get("direction") == "desc") for one in order]
    return query


def _objects(said: dict[str, Any], key: str) -> list[dict[str, Any]]:
    given = said.get(key) or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise DecodeError(f"{key} is a list of objects")
    return given


def _one_of(what: str, given: Any, known: Iterable[str]) -> str:
    if not isinstance(given, str) or given not in known:
        raise DecodeError(f"{what} {str(given)[:60]!r} is not known here; there are {', '.join(known)}")
    return given


def _whole(config: dict[str, Any], key: str, default: int, most: int) -> int:
    given = config.get(key, default)
    if type(given) is not int or not 1 <= given <= most:
        raise DecodeError(f"{key} is a whole number from 1 to {most:,}")
    return given


def answer(query: Query, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The rows in groups. FilterError where there are more than are looked at."""
    if len(rows) > MOST_ROWS:
        raise FilterError(f"over {MOST_ROWS:,} rows to look at; ask for less time, or filter")
    step, first = _step(query), 1 + len(query.dimensions)
    meant = [_MEANT.get(name, _same) for name in query.dimensions]
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        keys = [told(key) for told, key in zip(meant, row[1:first], strict=True)]
        groups.setdefault((step(row[0]) if step else None, *keys), []).append(row[first:])
    if not query.dimensions and not query.step and not groups:
        groups[(None,)] = []
    found = []
    for (when, *keys), values in groups.items():
        out: dict[str, Any] = {} if when is None else {"time_dimension": when}
        for name, key in zip(query.dimensions, keys, strict=True):
            out[name] = orjson.loads(key or "[]") if name == "tags" else key
        for at, (what, how) in enumerate(query.measures):
            divisor = query.view.measures[what][1]
            out[f"{how}_{what}"] = _figure(
                how, [row[at] / divisor for row in values if row[at] is not None], query.bins
            )
        found.append(out)
    what, how = query.measures[0]
    for field, falling in reversed(
        query.order or [("time_dimension", False) if query.step else (f"{how}_{what}", True)]
    ):
        found.sort(key=partial(_rank, field), reverse=falling)
    return found[: query.rows]


def _same(value: Any) -> Any:
    return value


def _rank(field: str, row: dict[str, Any]) -> tuple[int, Any]:
    value = row.get(field)
    if isinstance(value, bool | int | float):
        return 1, value
    return (0, "") if value is None else (2, str(value))


def _figure(how: str, values: list[float], bins: int) -> Any:
    if how == "count":
        return len(values)
    if how == "histogram":
        return _histogram(values, bins)
    if not values:
        return None if how != "sum" else 0
    if how in QUANTILES:
        values.sort()
        return values[min(len(values) - 1, int(len(values) * QUANTILES[how]))]
    if how == "avg":
        return sum(values) / len(values)
    return sum(values) if how == "sum" else max(values) if how == "max" else min(values)


def _histogram(values: list[float], bins: int) -> list[list[float]]:
    """[from, to, how many] of so many steps of the same width."""
    if not values:
        return []
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * (bins if high > low else 1)
    for value in values:
        counts[min(len(counts) - 1, int((value - low) / width))] += 1
    return [[low + n * width, low + (n + 1) * width, count] for n, count in enumerate(counts) if count]


def _step(query: Query) -> Callable[[int], str] | None:
    """From a time to the beginning of its step, in UTC: a day for days, weeks (Mondays) and months."""
    if query.step is None:
        return None
    name = query.step
    if name == "auto":
        seconds = (query.high - query.low) / 1e9 / AUTO
        name = next((name for name, long in LENGTHS.items() if seconds <= long), "month")

    def begin(at_ns: int) -> str:
        moment = _EPOCH + timedelta(seconds=at_ns // 1_000_000_000)
        if name in ("minute", "hour"):
            return moment.replace(second=0, minute=moment.minute if name == "minute" else 0).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            )
        if name == "week":
            moment -= timedelta(days=moment.weekday())
        return moment.strftime("%Y-%m-01" if name == "month" else "%Y-%m-%d")

    return begin


# -- by day (version 2 of the Python SDK) -----------------------------------------------------------------


async def daily(call: Call) -> Response:
    """`GET /api/public/metrics/daily`: traces, observations, cost and usage by model of each day, the newest first."""
    asking.only(call, "traceName userId tags environment fromTimestamp toTimestamp")
    of_traces = asking.plain(call, {"traceName": ("name", str), "userId": ("user", str)}, "Timestamp")
    of_spans = asking.plain(call, {"traceName": ("trace_name", str), "userId": ("user", str)}, "Timestamp")
    columns = ("start", "trace", "model", "counted_input", "counted_output", "counted_cost")

    def ask(reader: Any) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        return (
            lookup.values(reader, TRACES, of_traces, ("start",), MOST_ROWS),
            lookup.values(reader, SPANS, of_spans, columns, MOST_ROWS),
        )

    traces, spans = await call.ask(ask)
    if max(len(traces), len(spans)) > MOST_ROWS:
        raise FilterError(f"over {MOST_ROWS:,} rows to look at; ask for less time, or filter")
    days: dict[str, dict[str, Any]] = {}
    for (at,) in traces:
        _day(days, at)["countTraces"] += 1
    models: dict[tuple[str, str | None], tuple[dict[str, Any], set[str]]] = {}
    for at, trace, model, *sums in spans:
        day = _day(days, at)
        day["countObservations"] += 1
        day["totalCost"] += (sums[2] or 0) / USD
        if model is not None or any(sums):
            _add(models, (day["date"], model), trace, sums)
    for (date, _), (row, seen) in models.items():
        days[date]["usage"].append({**row, "countTraces": len(seen)})
    first = asking.offset_of(call)
    some = sorted(days.values(), key=lambda day: day["date"], reverse=True)[first : first + asking.limit_of(call)]
    return json_response({"data": some, "meta": asking.meta(call, len(days))})


def _day(days: dict[str, dict[str, Any]], at_ns: int) -> dict[str, Any]:
    date = (_EPOCH + timedelta(seconds=at_ns // 1_000_000_000)).strftime("%Y-%m-%d")
    empty = {"date": date, "countTraces": 0, "countObservations": 0, "totalCost": 0.0, "usage": []}
    return days.setdefault(date, empty)


def _add(
    models: dict[tuple[str, str | None], tuple[dict[str, Any], set[str]]], key: tuple[str, str | None], trace: str,
    sums: Sequence[int | None],
) -> None:  # fmt: skip
    empty = {
        "model": key[1],
        "inputUsage": 0,
        "outputUsage": 0,
        "totalUsage": 0,
        "countObservations": 0,
        "totalCost": 0.0,
    }
    row, seen = models.setdefault(key, (empty, set()))
    seen.add(trace)
    row["inputUsage"] += sums[0] or 0
    row["outputUsage"] += sums[1] or 0
    row["totalUsage"] += (sums[0] or 0) + (sums[1] or 0)
    row["countObservations"] += 1
    row["totalCost"] += (sums[2] or 0) / USD
