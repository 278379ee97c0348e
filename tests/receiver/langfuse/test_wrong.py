"""Whatever is posted, the answer is a sentence, never a 500; and the receiver lives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.receiver.running import Running, running, settings_for

WRONG: list[Any] = [None, True, 1e400, -1, "", "x", "\ud800", [], [1], {}, {"a": None}, [[[["deep"]]]], "0", 2**70]
FIELDS: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "ingestion"): {"batch": [{"id": "e", "type": "span-create", "timestamp": "x", "body": {"id": "g"}}]},
    ("POST", "scores"): {"id": "s", "name": "n", "value": 1, "traceId": "t", "observationId": "o",
                         "dataType": "NUMERIC",
                         "metadata": {}, "timestamp": "2026-01-01T00:00:00Z", "comment": "c", "datasetRunId": "r"},
    ("POST", "v2/prompts"): {"name": "p", "prompt": "x", "labels": [], "tags": [], "config": {}, "commitMessage": "m"},
    ("PATCH", "v2/prompts/p/versions/1"): {"newLabels": []},
    ("POST", "v2/datasets"): {"name": "d", "description": "x", "metadata": {}, "inputSchema": {}},
    ("POST", "dataset-items"): {"datasetName": "known", "id": "i", "input": 1, "expectedOutput": 1, "metadata": 1,
                                "sourceTraceId": "t", "sourceObservationId": "o", "status": "ACTIVE"},
    ("POST", "dataset-run-items"): {"datasetItemId": "item", "runName": "r", "traceId": "t", "observationId": "o",
                                    "metadata": {}, "runDescription": "x", "createdAt": "2026-01-01T00:00:00Z"},
    ("POST", "comments"): {"projectId": "p", "objectType": "TRACE", "objectId": "t", "content": "c",
                           "authorUserId": "u"},
    ("POST", "score-configs"): {"name": "n", "dataType": "NUMERIC", "minValue": 1, "maxValue": 2, "categories": [],
                                "description": "d", "isArchived": False},
    ("POST", "media"): {"sha256Hash": "aO5FmOZM0o7tUIwzPfsUx0Vnf0HisBLmJWybE4swQnA=", "contentType": "image/png",
                        "contentLength": 1, "field": "input", "traceId": "t", "observationId": "o",
                        "datasetItemId": "i"},
}  # fmt: skip


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = settings_for(tmp_path_factory.mktemp("langfuse"))
    settings.db.unlink()
    with running(settings, real=True) as one:
        one.client.post("/api/public/v2/datasets", json={"name": "known"})
        one.client.post("/api/public/dataset-items", json={"datasetName": "known", "id": "item"})
        yield one


@pytest.mark.parametrize(("method", "path"), FIELDS)
def test_a_field_of_the_wrong_type_is_taken_or_refused(up: Running, method: str, path: str) -> None:
    right = FIELDS[method, path]
    bodies = [*WRONG, *({**right, name: value} for name in right for value in WRONG)]
    if path == "ingestion":
        event = right["batch"][0]
        bodies += [{"batch": [{**event, name: value}]} for name in event for value in WRONG]
    for body in bodies:
        answer = up.client.request(method, f"/api/public/{path}", content=json.dumps(body).encode())
        assert answer.status_code < 500, (body, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["message"]


def test_a_query_of_metrics_of_any_kind_is_answered_or_refused(up: Running) -> None:
    right: dict[str, Any] = {
        "view": "traces", "metrics": [{"measure": "latency", "aggregation": "histogram"}],
        "dimensions": [{"field": "name"}],
        "filters": [{"type": "number", "column": "totalCost", "operator": ">", "value": 1}],
        "timeDimension": {"granularity": "auto"}, "fromTimestamp": "1970-01-01T00:00:00Z",
        "toTimestamp": "2200-01-01T00:00:00Z", "orderBy": [{"field": "name", "direction": "desc"}],
        "config": {"bins": 2, "row_limit": 2},
    }  # fmt: skip
    queries = [right, *WRONG, *({**right, name: value} for name in right for value in WRONG)]
    filter_ = right["filters"][0]
    queries += [{**right, "filters": [{**filter_, name: value}]} for name in filter_ for value in WRONG]
    queries += [{**right, "config": {name: value}} for name in right["config"] for value in WRONG]
    for query in queries:
        answer = up.client.get("/api/public/metrics", params={"query": json.dumps(query)})
        assert answer.status_code < 500, (query, answer.text)
        answer = up.client.get("/api/public/traces", params={"filter": json.dumps(
            query.get("filters") if isinstance(query, dict) else query)})  # fmt: skip
        assert answer.status_code < 500, (query, answer.text)


@pytest.mark.parametrize(
    "path",
    ["traces", "observations", "v2/observations", "sessions", "scores", "v2/scores", "v3/scores", "experiments",
     "experiment-items", "v2/prompts", "v2/datasets", "dataset-items", "dataset-run-items", "comments",
     "score-configs", "metrics/daily", "models",
     "traces/%00",     "observations/%ed%a0%80", "media/..%2f..%2fetc", "v2/prompts/%F0%9F%98%80"],
)  # fmt: skip
def test_a_parameter_of_any_kind_is_taken_or_refused(up: Running, path: str) -> None:
    for query in (
        "page=9999999999999999999", "limit=-1", "page=²", "cursor=WzFd", "cursor=W10=", "cursor=é", "filter=[]",
        "filter=[1]", "filter=[{}]", 'filter=[{"column":"name","operator":"=","value":[1,{}]}]', "name=%00'\"",
        "fromTimestamp=0001-01-01T00:00:00Z&fromStartTime=9999-12-31T23:59:59Z", "userId=%F0%9F%98%80&tags=&tags=a",
        'filter=[{"column":"startTime","operator":">","value":5}]', "version=1e9",
        "fromTimestamp=2026-11-21", "value=nan&operator=>", "fields=,",
    ):  # fmt: skip
        answer = up.client.get(f"/api/public/{path}?{query}")
        assert answer.status_code < 500, (query, answer.text)
