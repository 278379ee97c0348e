"""Langfuse's API at its edges: pages, labels, what is wrong and what is not here, said in its own words."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector import ids
from collector.receiver.doors.langfuse import API, DOOR
from collector.store import open_reader
from collector.store.received import by_source
from tests.receiver.running import Running, running, settings_for

TIME = "2026-11-21T02:23:40.{:06d}Z"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = settings_for(tmp_path_factory.mktemp("langfuse"), max_body_bytes=20_000)
    settings.db.unlink()
    with running(settings, real=True) as one:
        events = [
            {"id": f"e{n}", "type": kind, "timestamp": TIME.format(n), "body": body}
            for n, (kind, body) in enumerate(observations())
        ]
        assert one.client.post("/api/public/ingestion", json={"batch": events}).json()["errors"] == []
        yield one


def observations() -> Iterator[tuple[str, dict[str, Any]]]:
    for n in range(5):
        trace = {"id": f"trace {n}", "name": f"run {n % 2}", "userId": f"u{n % 2}", "sessionId": "s", "tags": [f"t{n}"]}
        yield "trace-create", {**trace, "timestamp": TIME.format(10 * n)}
        span = {"id": f"call {n}", "traceId": f"trace {n}", "name": f"call {n}", "startTime": TIME.format(10 * n + 1)}
        long = {"long": "x" * 300, "short": "y"}
        more = {"endTime": TIME.format(10 * n + 5), "model": "gpt-4o", "metadata": long, "level": "WARNING"}
        yield "generation-create", {**span, **more, "usage": {"input": n, "output": 1}, "environment": f"env{n}",
                                         "version": f"{n}"}  # fmt: skip
    yield "score-create", {"id": "of a trace", "name": "q", "value": 0.5, "traceId": "trace 1"}
    yield "score-create", {"id": "of a session", "name": "q", "value": "good", "sessionId": "s"}


def ask(up: Running, method: str, path: str, **kwargs: Any) -> httpx.Response:
    return up.client.request(method, f"/api/public/{path}", **kwargs)


def get(up: Running, path: str, **query: Any) -> Any:
    answer = ask(up, "GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def criteria(kind: str, column: str, operator: str, value: Any) -> str:
    return json.dumps([{"type": kind, "column": column, "operator": operator, "value": value}])


def keyed(kind: str, column: str, key: str, operator: str, value: Any) -> str:
    return json.dumps([{"type": kind, "column": column, "key": key, "operator": operator, "value": value}])


def names(found: Any) -> list[str]:
    return [one["name"] for one in found["data"]]


# --- queries ---


def test_pages_follow_one_another(up: Running) -> None:
    first, second = (get(up, "observations", limit=2, page=page) for page in (1, 2))
    assert (names(first), names(second)) == (["call 4", "call 3"], ["call 2", "call 1"])
    assert first["meta"] == {"page": 1, "limit": 2, "totalItems": 5, "totalPages": 3}


def test_a_cursor_goes_on_where_the_last_page_ended(up: Running) -> None:
    seen, cursor = [], None
    while cursor is not None or not seen:
        found = get(up, "v2/observations", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += names(found)
        cursor = found["meta"]["cursor"]
    assert seen == [f"call {n}" for n in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"traceId": "trace 3"}, ["call 3"]),
        ({"userId": "u1"}, ["call 3", "call 1"]),
        ({"type": "SPAN"}, []),
        ({"type": "GENERATION", "name": "call 2"}, ["call 2"]),
        ({"environment": ["env1", "env2"]}, ["call 2", "call 1"]),
        ({"level": "WARNING", "fromStartTime": TIME.format(21), "toStartTime": TIME.format(41)}, ["call 3", "call 2"]),
        ({"isRootObservation": "true", "limit": 1}, ["call 4"]),
        ({"isRootObservation": "false"}, []),
        ({"filter": criteria("string", "name", "ends with", "4")}, ["call 4"]),
        ({"filter": criteria("number", "inputTokens", ">=", 3)}, ["call 4", "call 3"]),
        ({"filter": criteria("number", "inputTokens", ">=", 3), "userId": "u1"}, ["call 3"]),
        ({"filter": criteria("string", "name", "=", "call 3"), "name": "call 1"}, ["call 3"]),
        ({"filter": criteria("stringOptions", "type", "none of", ["GENERATION"])}, []),
        ({"filter": criteria("arrayOptions", "tags", "any of", ["t0"])}, ["call 0"]),
        ({"filter": criteria("boolean", "isRootObservation", "<>", True)}, []),
        ({"filter": criteria("null", "promptName", "is not null", None)}, []),
        ({"filter": keyed("stringObject", "metadata", "short", "=", "y"), "limit": 1}, ["call 4"]),
        ({"version": "2"}, ["call 2"]),
    ],
)  # fmt: skip
def test_observations_are_found_by_what_the_sdk_can_ask(up: Running, query: dict[str, Any], found: list[str]) -> None:
    assert names(get(up, "v2/observations", **query)) == names(get(up, "observations", **query)) == found


def test_groups_of_fields_and_short_metadata(up: Running) -> None:
    (few,) = get(up, "v2/observations", traceId="trace 1", fields="metadata")["data"]
    assert few.keys() == set("id traceId startTime endTime projectId parentObservationId type metadata".split())
    assert few["metadata"] == {"long": "x" * 200, "short": "y"}
    (more,) = get(up, "v2/observations", traceId="trace 1", fields="metadata", expandMetadata="long")["data"]
    assert more["metadata"]["long"] == "x" * 300


def test_traces_and_sessions_are_found_too(up: Running) -> None:
    assert [one["id"] for one in get(up, "traces", userId="u1")["data"]] == ["trace 3", "trace 1"]
    assert [one["id"] for one in get(up, "traces", tags=["t2"])["data"]] == ["trace 2"]
    by_filter = criteria("stringOptions", "name", "any of", ["run 1"])
    assert [one["id"] for one in get(up, "traces", filter=by_filter)["data"]] == ["trace 3", "trace 1"]
    listed = get(up, "traces", name="run 0", limit=1, orderBy="timestamp.asc")
    assert (listed["data"][0]["id"], listed["data"][0]["observations"], listed["meta"]["totalItems"]) == (
        "trace 0", ["call 0"], 3,
    )  # fmt: skip
    assert [one["id"] for one in get(up, "sessions")["data"]] == ["s"]
    assert len(get(up, "sessions/s")["traces"]) == 5


def test_traces_come_in_the_order_and_with_the_fields_that_are_asked_for(up: Running) -> None:
    def order(by: str, **query: Any) -> list[str]:
        return [one["id"][-1] for one in get(up, "traces", orderBy=by, **query)["data"]]

    assert (order("latency.asc"), order("name.asc")) == (["0", "1", "2", "3", "4"], ["0", "2", "4", "1", "3"])
    assert order("totalCost.desc", limit=2) == ["4", "3"]
    assert order("timestamp.desc", filter=keyed("numberObject", "scores_avg", "q", ">=", 0.5)) == ["1"]
    assert order("timestamp.desc", filter=criteria("number", "totalTokens", ">", 3)) == ["4", "3"]
    assert order("timestamp.desc", environment="env3") == ["3"]
    few = get(up, "traces/trace 1", fields="core,scores")
    assert (few["input"], few["observations"], few["latency"], len(few["scores"])) == (None, [], -1, 1)


def test_what_has_no_environment_is_of_the_default_one(up: Running) -> None:
    assert [one["id"] for one in get(up, "v2/scores", environment="default", name="q")["data"]] == ["of a session"]
    assert get(up, "v2/scores", source="EVAL")["data"] == get(up, "v2/scores", queueId="x")["data"] == []
    assert len(get(up, "v2/scores", source="API")["data"]) >= 2


def test_scores_are_found_by_what_they_judge(up: Running) -> None:
    assert [one["id"] for one in get(up, "v2/scores", name="q")["data"]] == ["of a session", "of a trace"]
    assert [one["id"] for one in get(up, "scores")["data"]] == ["of a trace"]  # older clients know no other
    assert [one["id"] for one in get(up, "v2/scores", operator=">=", value=0.5)["data"]] == ["of a trace"]
    (score,) = get(up, "v3/scores", sessionId="s,other")["data"]
    assert (score["value"], score["subject"]) == ("good", {"kind": "session", "id": "s"})
    assert get(up, "v2/scores/of%20a%20trace")["trace"]["userId"] == "u1"


@pytest.mark.parametrize(
    ("path", "query", "code", "says"),
    [
        ("traces/nobody", {}, 404, "has no trace"),
        ("observations/nobody", {}, 404, "there is no observation 'nobody'"),
        ("sessions/nobody", {}, 404, "there is no session 'nobody'"),
        ("v2/scores/nobody", {}, 404, "there is no score 'nobody'"),
        ("v2/datasets/nobody", {}, 404, "there is no dataset 'nobody'; create_dataset makes it"),
        ("dataset-items/nobody", {}, 404, "there is no dataset item 'nobody'"),
        ("media/nobody", {}, 404, "nobody announced a file 'nobody'"),
        ("observations", {"limit": "many"}, 400, "limit is 'many'; it takes a whole number from 1"),
        ("observations", {"page": "0"}, 400, "page is '0'"),
        ("v2/observations", {"cursor": "x"}, 400, "the cursor is none of ours"),
        ("v2/observations", {"fields": "colour"}, 400, "the groups are core, basic"),
        ("v2/observations", {"parseIoAsJson": "true"}, 400, "leave it out"),
        ("v2/observations", {"filter": "{"}, 400, "filter is not JSON"),
        ("v2/observations", {"filter": '[{"column": "input"}]'}, 400, "cannot filter by 'input' here"),
        ("v2/observations", {"filter": '[{"column": "name", "operator": "~", "value": 1}]'}, 400, "no operator '~'"),
        ("traces", {"filter": '[{"column": "input"}]'}, 400, "cannot filter by 'input' here; by id, name"),
        ("traces", {"filter": '[{"column": "metadata"}]'}, 400, "a filter by metadata needs a key"),
        ("traces", {"orderBy": "public.desc"}, 400, "traces come by timestamp, name, id"),
        ("traces", {"fields": "core,colour"}, 400, "fields has 'colour'; the groups are core, io"),
        ("sessions", {"userId": "u1"}, 400, "/api/public/sessions knows no userId here"),
        ("v2/scores", {"filter": '[{"column": "name"}]'}, 400, "/api/public/v2/scores takes no filter here"),
        ("traces", {"fromTimestamp": "yesterday"}, 400, "'yesterday' is no time"),
        ("v2/scores", {"operator": ">", "value": "good"}, 400, "'good' is no number"),
    ],
)  # fmt: skip
def test_what_is_not_there_or_wrong_is_said(
    up: Running, path: str, query: dict[str, str], code: int, says: str
) -> None:
    answer = ask(up, "GET", path, params=query)
    assert (answer.status_code, says in answer.json()["message"]) == (code, True), answer.text


ASKED = [way.path for way in DOOR.ways if way.methods == "GET" and way.path.startswith(f"{API}/")]
WITHOUT_ROWS = re.compile("health|projects|media")
"""What these answer is the same whatever is asked beside."""


@pytest.mark.parametrize("path", [path for path in ASKED if not WITHOUT_ROWS.search(path)])
def test_a_parameter_that_nobody_knows_is_refused_by_every_query_call(up: Running, path: str) -> None:
    answer = ask(up, "GET", re.sub(r"{[^}]*}", "x", path).removeprefix(f"{API}/"), params={"colour": "red"})
    assert (answer.status_code, "knows no colour here; " in answer.json()["message"]) == (400, True), answer.text


def test_what_the_api_has_and_we_have_not_is_not_taken(up: Running) -> None:
    for path in ("annotation-queues", "annotation-queues/q/items"):
        answer = ask(up, "POST", path, json={"name": "x"})
        assert (answer.status_code, answer.json()["error"]) == (405, "NotImplementedError")
        assert path.partition("/")[0].replace("-", " ") in answer.json()["message"]
    assert ask(up, "DELETE", "traces/any").status_code == ask(up, "DELETE", "traces").status_code == 405


# --- scores ---


def test_one_score_is_answered_with_its_id_and_a_list_says_which_are_wrong(up: Running) -> None:
    one = ask(up, "POST", "scores", json={"id": "mine", "name": "n", "value": 1, "traceId": "elsewhere"})
    assert (one.status_code, one.json()) == (200, {"id": "mine"})
    many = ask(up, "POST", "scores", json=[{"name": "n", "value": 1, "traceId": "t"}, {"name": "n", "value": None}])
    assert (many.status_code, many.json()["accepted"], many.json()["rejected"]) == (207, 1, 1)
    assert many.json()["errors"][0]["message"] == "score 'n' names no trace, session or dataset run"
    assert ask(up, "POST", "scores", json={"name": "n", "traceId": "t"}).status_code == 400
    assert ask(up, "DELETE", "scores/mine").status_code == 202
    assert ask(up, "GET", "v2/scores/mine").status_code == 404


def test_the_ledger_counts_what_is_no_span(up: Running) -> None:
    before = kept(up)
    ask(up, "POST", "scores", json=[{"name": "n", "value": 1, "traceId": "t"}, {"name": "n", "traceId": "t"}])
    ask(up, "POST", "v2/datasets", json={"name": "counted"})
    after = kept(up)
    assert {name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name)} == {
        ("kept", "scores"): 1, ("kept", "datasets"): 1, ("rejected", "a Langfuse score that cannot be read"): 1,
    }  # fmt: skip


def kept(up: Running) -> dict[tuple[str, str], int]:
    with open_reader(up.status.file or "") as reader:
        (source,) = (one for one in by_source(reader.ledger(), {}) if one.source == "langfuse")
    return {(one.outcome, one.reason): one.count for one in source.reasons}


# --- prompts ---


def test_prompts_by_label_version_and_default(up: Running) -> None:
    for n in (1, 2, 3):
        labels = {1: ["production"], 2: ["staging"], 3: []}[n]
        made = ask(up, "POST", "v2/prompts", json={"name": "a/b c", "prompt": f"v{n}", "labels": labels, "tags": ["t"]})
        assert (made.status_code, made.json()["version"]) == (201, n)
    path = "v2/prompts/a%2Fb%20c"
    assert get(up, path)["prompt"] == "v1"
    assert get(up, path, label="staging")["prompt"] == "v2"
    assert get(up, path, label="latest")["labels"] == ["latest"]
    assert get(up, path, version=2)["prompt"] == "v2"
    assert ask(up, "PATCH", f"{path}/versions/3", json={"newLabels": ["production", "latest"]}).status_code == 200
    assert (get(up, path)["prompt"], get(up, path, version=1)["labels"]) == ("v3", [])
    (listed,) = get(up, "v2/prompts", tag="t")["data"]
    assert (listed["name"], listed["versions"], listed["labels"]) == (
        "a/b c", [1, 2, 3], ["latest", "production", "staging"],
    )  # fmt: skip
    missing = ask(up, "GET", path, params={"label": "canary"})
    assert missing.json() == {
        "message": "there is no prompt 'a/b c' with label 'canary'; it has versions (1, 2, 3) and labels "
        "('latest', 'production', 'staging')",
        "error": "LangfuseNotFoundError",
    }
    assert ask(up, "DELETE", path, params={"version": 3}).status_code == 204
    assert get(up, path, label="latest")["version"] == 2
    assert ask(up, "DELETE", path).status_code == 204
    assert ask(up, "GET", path).status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"name": "x"}', b'{"name": "", "prompt": "x"}', b'{"name": "x", "prompt": "x", "tags": 1}']
)
def test_a_wrong_prompt_is_refused(up: Running, body: bytes) -> None:
    answer = ask(up, "POST", "v2/prompts", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequestError")


def test_a_prompt_may_be_made_of_others(up: Running) -> None:
    def make(name: str, prompt: Any) -> None:
        assert ask(up, "POST", "v2/prompts", json={"name": name, "prompt": prompt, "labels": ["production"]}).is_success

    make("tone", "Be {{tone}}.")
    make("rules", "@@@langfusePrompt:name=tone|label=production@@@ Obey.")
    make("chat of parts", [{"role": "system", "content": "1. @@@langfusePrompt:name=rules|version=1@@@"},
                           {"type": "placeholder", "name": "x"}])  # fmt: skip
    whole = get(up, "v2/prompts/chat of parts")
    assert whole["prompt"][0]["content"] == "1. Be {{tone}}. Obey."
    (above,), (below,) = whole["resolutionGraph"]["dependencies"].values()
    assert (above["name"], below["name"]) == ("rules", "tone")
    assert "langfusePrompt" in get(up, "v2/prompts/rules", resolve="false")["prompt"]
    make("tone", "@@@langfusePrompt:name=rules|label=production@@@")
    for name, says in (("rules", "is made of itself"), ("lost", "there is no such text"), ("of chat", "a list of")):
        if name != "rules":
            part = {"lost": "nobody", "of chat": "chat of parts"}[name]
            make(name, f"@@@langfusePrompt:name={part}|label=production@@@")
        answer = ask(up, "GET", f"v2/prompts/{name}")
        assert (answer.status_code, says in answer.json()["message"]) == (400, True), answer.text


def test_models_have_the_prices_that_calls_are_priced_by(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, prices={"my-model": {"input": 2, "output": 8}})
    settings.db.unlink()
    with running(settings, real=True) as up:
        body = {"id": "c", "traceId": "t", "startTime": TIME.format(1), "model": "gpt-4o"}
        event = {"id": "e", "type": "generation-create", "timestamp": TIME.format(1), "body": body}
        assert ask(up, "POST", "ingestion", json={"batch": [event]}).status_code == 207
        found = {one["id"]: one for one in get(up, "models")["data"]}
        assert found.keys() == {"gpt-4o", "my-model"}
        assert (found["my-model"]["prices"]["input"], found["my-model"]["isLangfuseManaged"]) == (
            {"price": 2e-6},
            False,
        )
        assert found["gpt-4o"]["inputPrice"] > found["gpt-4o"]["prices"]["input_cached_tokens"]["price"] > 0
        assert get(up, "models/gpt-4o-mini")["outputPrice"] > 0
        assert ask(up, "GET", "models/made-up").status_code == 404
        made = ask(up, "POST", "models", json={"modelName": "x"})
        assert (made.status_code, "under [prices]" in made.json()["message"]) == (405, True)


# --- comments, score configs ---


def test_comments_stand_with_the_scores_and_are_listed_alone(up: Running) -> None:
    made = {}
    about = {"TRACE": "trace 1", "observation": "call 1", "SESSION": "s", "PROMPT": "a/b c"}
    for kind, name in about.items():
        said = {"projectId": "tracetui", "objectType": kind, "objectId": name, "content": f"on {kind}"}
        made[kind] = ask(up, "POST", "comments", json=said).json()["id"]
    assert get(up, "comments", limit=1)["meta"]["totalItems"] == 4
    (one,) = get(up, "comments", objectType="OBSERVATION", objectId="call 1")["data"]
    assert one == get(up, f"comments/{made['observation']}")
    assert (one["content"], one["objectType"], one["objectId"]) == ("on observation", "OBSERVATION", "call 1")
    with open_reader(up.status.file or "") as reader:
        kept = reader.scores(ids.trace_id("trace 1"))
    assert [(one.name, one.label) for one in kept if one.name == "comment"] == [
        ("comment", "on TRACE"), ("comment", "on observation"),
    ]  # fmt: skip
    assert "comment" not in names(get(up, "v2/scores"))
    assert ask(up, "GET", f"v2/scores/{made['TRACE']}").status_code == 404
    assert "comment" not in [one["name"] for one in get(up, "traces/trace 1")["scores"]]


def test_score_configs_are_made_changed_and_listed(up: Running) -> None:
    said = {"name": "quality", "dataType": "NUMERIC", "minValue": 0, "maxValue": 1}
    config = ask(up, "POST", "score-configs", json=said).json()
    assert (config["minValue"], config["isArchived"], config["dataType"]) == (0, False, "NUMERIC")
    path = f"score-configs/{config['id']}"
    assert ask(up, "PATCH", path, json={"isArchived": True, "description": "how good"}).json()["isArchived"] is True
    assert (get(up, path)["description"], get(up, path)["maxValue"]) == ("how good", 1)
    assert ask(up, "POST", "score-configs", json={"name": "yes", "dataType": "BOOLEAN"}).json()["categories"] == [
        {"label": "True", "value": 1}, {"label": "False", "value": 0},
    ]  # fmt: skip
    assert names(get(up, "score-configs")) == ["yes", "quality"]


@pytest.mark.parametrize(
    ("path", "body", "code", "says"),
    [
        ("comments", {"objectType": "MOON", "objectId": "x", "content": "x"}, 400, "comments are about TRACE"),
        ("comments", {"objectType": "TRACE", "objectId": "x", "content": "x" * 5001}, 400, "over the limit of 5,000"),
        ("comments", {"objectType": "OBSERVATION", "objectId": "nobody", "content": "x"}, 404, "no observation"),
        ("score-configs", {"name": "x", "dataType": "COLOUR"}, 400, "it is one of NUMERIC"),
        ("score-configs", {"name": "x", "dataType": "CATEGORICAL"}, 400, "needs categories"),
        ("score-configs", {"name": "x", "dataType": "CATEGORICAL", "categories": ["a"]}, 400, "a list of"),
        ("score-configs", {"name": "x", "dataType": "NUMERIC", "minValue": 2, "maxValue": 1}, 400, "not below"),
    ],
)
def test_what_a_comment_or_a_config_lacks_is_said(up: Running, path: str, body: Any, code: int, says: str) -> None:
    answer = ask(up, "POST", path, json=body)
    assert (answer.status_code, says in answer.json()["message"]) == (code, True), answer.text


# --- datasets ---


def test_items_of_a_version_and_archived_ones(up: Running) -> None:
    assert ask(up, "POST", "v2/datasets", json={"name": "versioned"}).status_code == 200
    item = {"datasetName": "versioned", "id": "of versions", "input": 1}
    then = ask(up, "POST", "dataset-items", json=item).json()["updatedAt"]
    ask(up, "POST", "dataset-items", json={**item, "input": 2})
    ask(up, "POST", "dataset-items", json={**item, "id": "old", "status": "ARCHIVED"})
    assert [one["input"] for one in get(up, "dataset-items", datasetName="versioned")["data"]] == [2]
    assert [one["input"] for one in get(up, "dataset-items", datasetName="versioned", version=then)["data"]] == [1]
    assert get(up, "dataset-items/old")["status"] == "ARCHIVED"
    assert ask(up, "GET", "dataset-items", params={"version": then}).status_code == 400


def test_a_run_links_items_to_traces(up: Running) -> None:
    assert ask(up, "POST", "v2/datasets", json={"name": "a/b"}).status_code == 200
    dataset = get(up, "v2/datasets/a%2Fb")
    for n in range(3):
        item = {"datasetName": "a/b", "id": f"item {n}", "input": n, "sourceTraceId": f"trace {n}"}
        assert ask(up, "POST", "dataset-items", json=item).json()["sourceTraceId"] == f"trace {n}"
    assert get(up, "dataset-items", datasetName="a/b", limit=2)["meta"]["totalPages"] == 2
    assert [one["id"] for one in get(up, "dataset-items", sourceTraceId="trace 1")["data"]] == ["item 1"]
    for n in range(2):
        link = {"runName": "r/1", "datasetItemId": f"item {n}", "traceId": f"trace {n}", "runDescription": "why"}
        assert ask(up, "POST", "dataset-run-items", json=link).status_code == 200
    by_span = {"runName": "r/1", "datasetItemId": "item 2", "observationId": "call 2"}
    assert ask(up, "POST", "dataset-run-items", json=by_span).status_code == 200
    run = get(up, "datasets/a%2Fb/runs/r%2F1")
    assert (run["description"], [one["datasetItemId"] for one in run["datasetRunItems"]]) == (
        "why", ["item 0", "item 1", "item 2"],
    )  # fmt: skip
    assert run["datasetRunItems"][0]["traceId"] == "trace 0"
    assert names(get(up, "datasets/a%2Fb/runs")) == ["r/1"]
    assert len(get(up, "dataset-run-items", datasetId=dataset["id"], runName="r/1")["data"]) == 3
    old = get(up, "datasets/a%2Fb")
    assert (len(old["items"]), old["runs"]) == (3, ["r/1"])
    assert ask(up, "DELETE", "dataset-items/item%200").status_code == 200
    assert ask(up, "DELETE", "datasets/a%2Fb/runs/r%2F1").status_code == 200
    assert get(up, "datasets/a%2Fb/runs")["data"] == []
    assert ask(up, "DELETE", "v2/datasets/a%2Fb").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "code", "says"),
    [
        ("v2/datasets", {}, 400, "name is missing"),
        ("v2/datasets", [], 400, "the body is a JSON object"),
        ("dataset-items", {"datasetName": "nobody"}, 404, "there is no dataset 'nobody'"),
        ("dataset-run-items", {"datasetItemId": "nobody", "runName": "r"}, 404, "there is no dataset item"),
        ("media", {"sha256Hash": "x"}, 400, "sha256Hash is the base64 of 32 bytes"),
    ],
)
def test_a_wrong_body_is_refused_in_a_sentence(up: Running, path: str, body: Any, code: int, says: str) -> None:
    answer = ask(up, "POST", path, json=body)
    assert (answer.status_code, says in answer.json()["message"]) == (code, True), answer.text


# --- media ---


def announce(up: Running, data: bytes, **more: Any) -> httpx.Response:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    said = {"sha256Hash": digest, "contentType": "image/png", "contentLength": len(data), "field": "input", **more}
    return ask(up, "POST", "media", json={"traceId": "trace 0", **said})


def test_a_file_is_asked_for_once_and_must_be_what_was_announced(up: Running) -> None:
    said = announce(up, b"picture").json()
    assert ask(up, "GET", f"media/{said['mediaId']}").status_code == 404  # announced, and not here yet
    assert up.client.put(said["uploadUrl"], content=b"another").status_code == 400
    assert up.client.put(said["uploadUrl"], content=b"picture").status_code == 200
    assert announce(up, b"picture").json() == {"mediaId": said["mediaId"], "uploadUrl": None}
    assert up.client.get(get(up, f"media/{said['mediaId']}")["url"]).content == b"picture"


def test_a_file_over_the_limit_is_refused_before_it_is_sent(up: Running) -> None:
    assert announce(up, b"x", contentLength=10_000_000).status_code == 413
    assert announce(up, b"x", contentLength="1").status_code == 400


def test_with_a_token_a_file_is_sent_by_the_address_alone(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, token="se/cret")
    settings.db.unlink()
    with running(settings, real=True) as up:
        assert announce(up, b"picture").status_code == 401
        up.client.auth = ("pk-lf-x", "se/cret")
        address = announce(up, b"picture").json()["uploadUrl"]
        with httpx.Client(trust_env=False) as nobody:
            assert nobody.put(address, content=b"picture").status_code == 200


def test_the_address_of_a_trace_says_how_to_see_it(up: Running) -> None:
    answer = up.client.get("/project/tracetui/traces/abc")
    assert "tracetui show abc" in answer.text
    assert get(up, "health")["status"] == "OK"
    assert get(up, "projects")["data"][0]["id"] == "tracetui"
