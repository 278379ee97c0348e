"""Metrics: what Langfuse's query asks is counted over the file, or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.receiver.running import Running, running, settings_for

FROM, TO = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"


def at(day: int, ms: int = 0) -> str:
    return f"2026-11-{day:02}T02:23:40.{ms:03}Z"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = settings_for(tmp_path_factory.mktemp("langfuse"))
    settings.db.unlink()
    with running(settings, real=True) as one:
        events = [
            {"id": f"e{n}", "type": kind, "timestamp": at(20), "body": body} for n, (kind, body) in enumerate(said())
        ]
        assert one.client.post("/api/public/ingestion", json={"batch": events}).json()["errors"] == []
        yield one


def said() -> Iterator[tuple[str, dict[str, Any]]]:
    for n in range(1, 6):
        trace = f"trace {n}"
        yield "trace-create", {"id": trace, "name": f"run {n % 2}", "userId": f"u{n % 2}", "timestamp": at(10 + n),
                               "tags": ["t"]}  # fmt: skip
        call = {"id": f"call {n}", "traceId": trace, "name": "ask", "startTime": at(10 + n), "model": "gpt-4o"}
        yield "generation-create", {**call, "endTime": at(10 + n, 100 * n), "completionStartTime": at(10 + n, 10),
                                    "usage": {"input": 10 * n, "output": n, "totalCost": n / 10}}  # fmt: skip
        yield "span-create", {"id": f"step {n}", "traceId": trace, "name": "step", "startTime": at(10 + n),
                              "endTime": at(10 + n, 1), "level": "WARNING"}  # fmt: skip
        yield "score-create", {"id": f"s{n}", "name": "q", "value": n / 10, "traceId": trace,
                               "observationId": f"call {n}", "timestamp": at(20)}  # fmt: skip
    yield "score-create", {"id": "good", "name": "verdict", "value": "good", "traceId": "trace 1", "timestamp": at(20)}
    yield "score-create", {"id": "yes", "name": "ok", "value": 1, "dataType": "BOOLEAN", "traceId": "trace 1",
                           "timestamp": at(20)}  # fmt: skip


def query(view: str, *metrics: str, **more: Any) -> dict[str, Any]:
    pairs = [{"aggregation": one.partition(" ")[0], "measure": one.partition(" ")[2]} for one in metrics]
    by = [{"field": name} for name in more.pop("by", "").split()]
    return {"view": view, "metrics": pairs, "dimensions": by, "fromTimestamp": FROM, "toTimestamp": TO, **more}


def ask(up: Running, asked: Any, path: str = "v2/metrics") -> list[dict[str, Any]]:
    answer = up.client.get(f"/api/public/{path}", params={"query": json.dumps(asked)})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_observations_by_type_with_sums_and_quantiles(up: Running) -> None:
    asked = query("observations", "count count", "sum totalCost", "p95 latency", "avg inputTokens",
                  "max timeToFirstToken", "sum countScores", by="type providedModelName")  # fmt: skip
    assert ask(up, asked) == [
        {"type": "GENERATION", "providedModelName": "gpt-4o", "count_count": 5, "sum_totalCost": pytest.approx(1.5),
         "p95_latency": 500, "avg_inputTokens": 30, "max_timeToFirstToken": 10, "sum_countScores": 5},
        {"type": "SPAN", "providedModelName": None, "count_count": 5, "sum_totalCost": 0, "p95_latency": 1,
         "avg_inputTokens": None, "max_timeToFirstToken": None, "sum_countScores": 0},
    ]  # fmt: skip


def test_traces_by_time_filtered_and_in_order(up: Running) -> None:
    steps = query("traces", "count count", "sum totalTokens", timeDimension={"granularity": "week"})
    assert ask(up, steps, "metrics") == [{"time_dimension": "2026-11-09", "count_count": 5, "sum_totalTokens": 165}]
    days = query("traces", "avg latency", timeDimension={"granularity": "day"}, orderBy=[
        {"field": "avg_latency", "direction": "desc"}], config={"row_limit": 2},
        filters=[{"type": "string", "column": "name", "operator": "=", "value": "run 1"}])  # fmt: skip
    assert ask(up, days, "metrics") == [
        {"time_dimension": "2026-11-15", "avg_latency": 500}, {"time_dimension": "2026-11-13", "avg_latency": 300},
    ]  # fmt: skip
    assert len(ask(up, query("traces", "count count", timeDimension={"granularity": "auto"}), "metrics")) == 5
    by_user = query("traces", "sum totalCost", "count scoresCount", by="userId tags")
    assert [(row["userId"], row["tags"]) for row in ask(up, by_user, "metrics")] == [("u1", ["t"]), ("u0", ["t"])]


def test_scores_and_how_they_are_spread(up: Running) -> None:
    asked = query("scores-numeric", "avg value", "histogram value", by="name source observationModelName",
                  filters=[{"type": "string", "column": "name", "operator": "=", "value": "q"}],
                  config={"bins": 2})  # fmt: skip
    (row,) = ask(up, asked)
    assert (row["source"], row["observationModelName"], row["avg_value"]) == ("API", "gpt-4o", pytest.approx(0.3))
    (low, *_), (_, high, _) = row["histogram_value"]
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.5))
    assert sum(count for *_, count in row["histogram_value"]) == 5
    assert ask(up, query("scores-categorical", "count count", by="stringValue")) == [
        {"stringValue": "good", "count_count": 1}
    ]
    assert ask(up, query("scores-boolean", "avg value", by="booleanValue")) == [{"booleanValue": True, "avg_value": 1}]


def test_nothing_found_counts_as_nothing(up: Running) -> None:
    nobody = [{"type": "string", "column": "name", "operator": "=", "value": "nobody"}]
    assert ask(up, query("traces", "count count", "sum totalCost", "p50 latency", filters=nobody), "metrics") == [
        {"count_count": 0, "sum_totalCost": 0, "p50_latency": None}
    ]
    assert ask(up, query("traces", "count count", by="name", filters=nobody), "metrics") == []


def test_days_as_version_2_asks_for_them(up: Running) -> None:
    found = up.client.get("/api/public/metrics/daily", params={"limit": 1, "userId": "u1"}).json()
    assert found["meta"]["totalItems"] == 3
    assert found["data"] == [{
        "date": "2026-11-15", "countTraces": 1, "countObservations": 2, "totalCost": 0.5, "usage": [
            {"model": "gpt-4o", "inputUsage": 50, "outputUsage": 5, "totalUsage": 55, "countObservations": 1,
             "totalCost": 0.5, "countTraces": 1}],
    }]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("{", "query is not JSON"),
        ([], "query is a JSON object"),
        (query("moon", "count count"), "view 'moon' is not known here; there are traces, observations"),
        (query("traces"), "at least one"),
        (query("traces", "count colour"), "a measure 'colour' is not known here"),
        (query("traces", "median latency"), "an aggregation 'median' is not known here"),
        (query("observations", "sum inputCost"), "a measure 'inputCost' is not known here"),
        (query("traces", "count count", by="colour"), "a dimension 'colour' is not known"),
        (query("traces", "count count", toTimestamp=FROM), "toTimestamp is not after"),
        (query("traces", "count count", fromTimestamp="x"), "is no time"),
        (query("traces", "count count", filters=[{"column": "input"}]), "cannot filter by 'input' here"),
        (query("traces", "count count", timeDimension={"granularity": "year"}), "granularity 'year'"),
        (query("traces", "count count", orderBy=[{"field": "name"}]), "orderBy 'name' is not known"),
        (query("traces", "count count", config={"row_limit": 0}), "row_limit is a whole number"),
        (query("traces", "count count", metrics=[1]), "metrics is a list of objects"),
    ],
)
def test_what_cannot_be_asked_is_said(up: Running, asked: Any, says: str) -> None:
    text = asked if isinstance(asked, str) else json.dumps(asked)
    answer = up.client.get("/api/public/v2/metrics", params={"query": text})
    assert (answer.status_code, says in answer.json()["message"]) == (400, True), answer.text
