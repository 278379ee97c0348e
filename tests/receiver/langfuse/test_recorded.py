"""What real clients sent, sent again: taken at every address, and read as their own product shows it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.store import open_reader
from collector.store.library import Library
from tests.receiver.running import Running, running, settings_for

PAYLOADS = Path(__file__).parents[2] / "payloads"
RECORDED = PAYLOADS / "langfuse"
KEYS = {"authorization": "Basic cGstbGYteDpzay1sZi14"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = settings_for(tmp_path_factory.mktemp("langfuse"))
    settings.db.unlink()
    with running(settings, real=True) as one:
        yield one


def send(up: Running, folder: Path) -> list[int]:
    """Every request of a recording, as it was sent; the status of each answer."""
    codes = []
    for request in json.loads((folder / "requests.json").read_text()):
        body = (folder / request["file"]).read_bytes() if request.get("file") else b""
        headers = {**(request.get("headers") or {}), **KEYS}
        url = request["path"] + (f"?{request['query']}" if request.get("query") else "")
        if url.startswith("/__media_upload/"):
            url = f"/api/public/media/{url.rpartition('/')[2]}/data"
        answer = up.client.request(request["method"], url, content=body, headers=headers)
        codes.append(answer.status_code)
    return codes


def get(up: Running, path: str, **query: Any) -> Any:
    answer = up.client.get(f"/api/public/{path}", params=query, headers=KEYS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_version_2_reads_its_trace_back(up: Running) -> None:
    assert send(up, RECORDED / "langfuse2-ingestion") == [207, 207]
    name = "eae8d72f-48f7-47b4-9af0-82cfe14b79d5"
    trace = get(up, f"traces/{name}")
    assert (trace["id"], trace["name"], trace["sessionId"], trace["userId"]) == (
        name, "weather_agent", "thread-42", "user-7",
    )  # fmt: skip
    assert (trace["input"]["args"], trace["output"]) == (
        ["What's the weather in Patiala?"], "It is 31 degrees Celsius and sunny in Patiala.",
    )  # fmt: skip
    assert (trace["metadata"], trace["tags"], trace["latency"]) == ({"plan": "pro"}, ["demo", "weather"], 0.392784)
    assert [(o["type"], o["name"], o["parentObservationId"]) for o in trace["observations"]] == [
        ("GENERATION", "OpenAI-generation", None), ("SPAN", "get_weather", None),
        *[("GENERATION", "OpenAI-generation", None)] * 3,
    ]  # fmt: skip
    first, *_, failed = trace["observations"]
    assert first["id"] == "695a6713-5225-4b7e-9dfb-83d4c38e36d6"
    assert (first["usage"]["input"], first["usage"]["output"]) == (101, 53)
    assert first["usageDetails"] == {"input": 93, "input_cached_tokens": 8, "output": 53, "total": 154}
    assert first["input"]["messages"][1] == {"role": "user", "content": "What's the weather in Patiala?"}
    assert (failed["level"], failed["statusMessage"][:15]) == ("ERROR", "Error code: 429")
    assert [(s["name"], s["value"], s["comment"], s["traceId"]) for s in trace["scores"]] == [
        ("user-thumb", 1.0, "thumbs up", name)
    ]
    assert get(up, f"observations/{first['id']}")["traceId"] == name
    assert [one["id"] for one in get(up, "sessions/thread-42")["traces"]] == [name]


@pytest.mark.parametrize(
    ("folder", "body", "path", "code", "trace_id"),
    [
        ("langfuse4-openai", "langfuse4-scores.json", "ingestion", 207, "90f673eceb11d5dc5d3d6b6355c222a5"),
        ("langfuse5-openai", "langfuse5-scores.json", "scores", 202, "665ab54d42bafe6633107462207ffaaa"),
    ],
)
def test_versions_4_and_5_read_their_spans_and_scores_back(
    up: Running, folder: str, body: str, path: str, code: int, trace_id: str
) -> None:
    scores = (RECORDED / body).read_bytes()
    assert up.client.post(f"/api/public/{path}", content=scores, headers=KEYS).status_code == code  # before the spans
    traces = next((PAYLOADS / folder).glob("*traces.pb*"))
    headers = {**KEYS, "content-type": "application/x-protobuf"}
    if traces.suffix == ".gz":
        headers["content-encoding"] = "gzip"
        assert gzip.decompress(traces.read_bytes())
    answer = up.client.post("/api/public/otel/v1/traces", content=traces.read_bytes(), headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    found = get(up, "v2/observations", traceId=trace_id, fields="basic,io,usage,model,prompt,metrics", limit=100)
    assert len(found["data"]) == 13
    by_type = [one["type"] for one in found["data"]]
    assert (by_type.count("GENERATION"), by_type.count("AGENT"), by_type.count("EVENT")) == (8, 1, 1)
    agent = next(one for one in found["data"] if one["type"] == "AGENT")
    assert (agent["isRootObservation"], agent["userId"], agent["output"][:5]) == (True, "user-7", "It is")
    streamed = next(one for one in found["data"] if (one["output"] or "").startswith("Warm wind"))
    assert streamed["timeToFirstToken"] > 0
    assert {one["promptName"] for one in found["data"]} == {None, "weather-prompt"}
    scored = get(up, "v3/scores", traceId=trace_id)["data"]
    assert {one["name"]: (one["value"], one["subject"]["kind"]) for one in scored} == {
        "helpfulness": (0.9, "observation"), "user-thumb": (True, "trace"), "verdict": ("good", "trace"),
    }  # fmt: skip


def test_version_3_says_in_any_observation_what_its_trace_is(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings.db.unlink()
    with running(settings, real=True) as up:
        headers = {**KEYS, "content-type": "application/x-protobuf"}
        body = (RECORDED / "langfuse3-traces.pb").read_bytes()
        assert up.client.post("/api/public/otel/v1/traces", content=body, headers=headers).status_code == 200
        (listed,) = get(up, "traces", name="weather question", version="2.1", release="r9")["data"]
        trace = get(up, f"traces/{listed['id']}")
        with open_reader(up.status.file or "") as reader:
            (row,) = reader.traces()
            spans = {span.name: span.kind for span in reader.spans()}
    assert (row.name, row.output_preview, row.release) == ("weather question", "Sunny.", "r9")
    assert spans == {"agent": "agent", "look_up": "tool", "answer": "llm"}
    assert (trace["input"], trace["output"]) == ({"question": "What's the weather?"}, "Sunny.")
    assert (trace["public"], trace["userId"], trace["sessionId"], trace["tags"], trace["metadata"]["plan"]) == (
        True, "user-3", "thread-3", ["weather"], "pro",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("requests", "types"),
    [
        ({"js3-ingestion.json": "ingestion"},
         {"ask": "GENERATION", "plan": "SPAN", "note": "EVENT", "fails": "GENERATION"}),
        ({"js5-scores.json": "ingestion", "js5-traces.json": "otel/v1/traces"},
         {"ask": "GENERATION", "get_weather": "TOOL", "weather_agent": "AGENT"}),
    ],
)  # fmt: skip
def test_javascript_reads_its_trace_back(tmp_path: Path, requests: dict[str, str], types: dict[str, str]) -> None:
    settings = settings_for(tmp_path)
    settings.db.unlink()
    with running(settings, real=True) as up:
        for name, path in requests.items():
            body = (RECORDED / name).read_bytes()
            headers = {**KEYS, "content-type": "application/json", "transfer-encoding": "chunked"}
            answer = up.client.post(f"/api/public/{path}", content=iter([body[:99], body[99:]]), headers=headers)
            assert answer.status_code in (200, 207), answer.text
            assert not answer.json().get("errors")
        (listed,) = get(up, "traces", userId="user-7", sessionId="thread-42", tags=["weather", "demo"])["data"]
        trace = get(up, f"traces/{listed['id']}")
        assert (trace["name"], trace["output"]) == ("weather_agent", "It is 31 degrees Celsius and sunny in Patiala.")
        assert trace["metadata"]["plan"] == "pro"
        found = {one["name"]: one for one in trace["observations"]}
        assert {name: one["type"] for name, one in found.items()} == types
        ask = found["ask"]
        assert ask["usageDetails"] == {"input": 93, "input_cached_tokens": 8, "output": 53, "total": 154}
        assert (ask["model"], ask["modelParameters"]) == ("gpt-4o-mini", {"temperature": 0.2})
        assert (ask["timeToFirstToken"] >= 0, ask["input"][0]["role"]) == (True, "system")
        assert {one["name"]: one.get("stringValue", one["value"]) for one in trace["scores"]} == {
            "helpfulness": 0.9, "verdict": "good",
        }  # fmt: skip
        if "fails" in found:
            assert (found["fails"]["level"], found["plan"]["output"]) == ("ERROR", {"done": True})


def test_a_dataset_an_experiment_and_a_picture(up: Running) -> None:
    assert send(up, RECORDED / "langfuse5-datasets-media") == [
        200, 200, 201, 200, 200, 204, 200, 200, 200, 200, 202
    ]  # fmt: skip
    (item,) = get(up, "dataset-items", datasetName="weather-ds")["data"]
    assert (item["input"], item["expectedOutput"], item["status"]) == (
        {"q": "What's the weather in Patiala?"}, "sunny", "ACTIVE",
    )  # fmt: skip
    (experiment,) = get(up, "experiments", fromStartTime="2026-01-01T00:00:00Z")["data"]
    assert (experiment["id"], experiment["name"][:7], experiment["itemCount"]) == ("63b3a448d7ce4e3f", "exp1 - ", 1)
    (run,) = get(up, "experiment-items", experimentId="63b3a448d7ce4e3f")["data"]
    assert (run["id"], run["traceId"], run["output"]) == (
        "930f88cc7486e315", "035f29c88ba55ebc44ede8544a5a84ad", "It is 31 degrees Celsius and sunny in Patiala.",
    )  # fmt: skip
    assert [one["name"] for one in run["scores"]] == ["contains"]
    media = get(up, "media/aO5FmOZM0o7tUIwzPfsUx0")
    assert (media["contentType"], media["contentLength"]) == ("image/png", 12)
    data = up.client.get(media["url"])
    picture = next((RECORDED / "langfuse5-datasets-media").glob("04-*.bin")).read_bytes()
    assert (data.content, data.headers["content-type"], data.headers["x-content-type-options"]) == (
        picture, "image/png", "nosniff",
    )  # fmt: skip
    with open_reader(up.status.file or "") as reader:
        uses = Library(reader).media_of("0ad46a5ec5365256d1f89b016375a827")
    assert [(one[0], one[1], one[2]) for one in uses] == [("aO5FmOZM0o7tUIwzPfsUx0", "output", "0b640e7f1209309a")]


def test_sending_all_again_adds_nothing(up: Running) -> None:
    def totals() -> list[int]:
        lists = ("traces", "observations", "v2/scores")
        of_user = [get(up, path, userId="user-7")["meta"]["totalItems"] for path in lists]
        return [*of_user, get(up, "sessions")["meta"]["totalItems"]]

    assert send(up, RECORDED / "langfuse2-ingestion") == [207, 207]
    before = totals()
    assert min(before) > 0
    assert send(up, RECORDED / "langfuse2-ingestion") == [207, 207]
    assert totals() == before
