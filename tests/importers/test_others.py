"""The logs of `llm`, exports of Langfuse and Phoenix, archives, and whatever else is in a file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
import sys
import uuid
import zipfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langsmith.schemas import Run

from collector import conventions
from collector.errors import DecodeError, TooLarge
from collector.importers import files, inflate, lines
from collector.importers.lines import Together
from collector.ingest import Ingest, settled
from collector.model import Batch, Document, SpanPart
from collector.settings import Settings
from collector.store import open_reader
from tests.importers.test_agent_logs import SAMPLES, named, outline, tokens
from tests.importers.test_files import BOTH, LINES, span_ids, write


def parts_of(path: Path) -> list[SpanPart]:
    batches = list(files.read(path))
    assert not [refusal for batch in batches for refusal in batch.refused]
    last = {(part.trace_id, part.span_id): part for batch in batches for part in batch.parts}
    return sorted(last.values(), key=lambda part: part.start_ns or 0)


@pytest.fixture
def llm(tmp_path):
    def made(version: str) -> list[SpanPart]:
        path = tmp_path / "logs.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript((SAMPLES / f"llm-{version}.sql").read_text())
        return parts_of(path)

    return made


def test_the_turns_of_llm_are_prompts_with_calls_and_tools(llm):
    parts = llm("0.36")
    assert outline(parts) == [
        "llm.prompt", "  llm.call", "llm.prompt", "  llm.call",
        "llm.prompt", "  llm.call", "  get_weather", "  llm.call",
    ]  # fmt: skip
    calls = named(parts, "llm.call")
    assert [tokens(call)[:3] for call in calls[2:]] == [(101, 53, 8), (185, 10, 8)]
    assert [(call.end_ns - call.start_ns) // 1_000_000 for call in calls[2:]] == [453, 225]
    last = calls[-1].reading
    assert (last.request_model, last.model) == ("fake-4o", "gpt-4o-mini-2024-07-18")
    assert last.output.messages[0].parts[0]["text"] == "It is 31 degrees Celsius and sunny in Patiala."
    assert [message.role for message in last.input.messages] == ["user", "assistant", "tool"]
    assert last.system[0].parts[0]["text"] == "You are a weather assistant."
    assert last.tool_definitions[0]["name"] == "get_weather"
    (tool,) = named(parts, "get_weather")
    assert (tool.reading.tool.arguments, json.loads(tool.reading.tool.result)["temp_c"]) == ({"city": "Patiala"}, 31)


def test_the_responses_of_older_llm_read_alike(llm):
    parts = llm("0.27.1")
    assert outline(parts)[-4:] == ["llm.prompt", "  llm.call", "  get_weather", "  llm.call"]
    calls = named(parts, "llm.call")
    assert calls[0].reading.params == {"example_bool": True}
    assert [message.role for message in calls[1].reading.input.messages] == ["user", "assistant", "user"]
    assert calls[0].reading.session_id == calls[1].reading.session_id != calls[2].reading.session_id
    assert named(parts, "get_weather")[0].reading.tool.result == "31 C"


@pytest.mark.parametrize("version", ["0.36", "0.27.1"])
def test_fragments_schemas_and_attachments_of_llm(llm, version):
    parts = llm(f"{version}-fragments")
    inputs = [call.reading.input.messages[-1].parts for call in named(parts, "llm.call")]
    notes, picture = inputs[4], inputs[5]
    assert notes == ({"type": "text", "text": "# Notes\nThe weather is hot.\n\nWhat do the notes say?"},)
    assert picture[1] == {"type": "image", "mime_type": "image/png", "url": "/home/ada/p.png"}
    assert [part["type"] for part in named(parts, "llm.call")[0].reading.output.messages[0].parts] == ["text"]
    assert named(parts, "llm.call")[-1].reading.params["schema"]["required"] == ["name", "age"]
    assert [tool.status_message for tool in named(parts, "get_weather")] == [None, "ValueError: no such city"]


def test_how_far_a_database_is_read_is_told(llm, tmp_path):
    llm("0.36")
    told: list[int] = []
    list(files.read(tmp_path / "logs.db", told=told.append))
    size = (tmp_path / "logs.db").stat().st_size
    assert told[0] < size  # its first bytes
    assert told[1:] == [size // 4, size // 2, size * 3 // 4, size]


def test_another_sqlite_file_is_a_sentence(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("create table t (a)")
    with pytest.raises(DecodeError, match="no log of `llm`"):
        list(files.read(tmp_path / "x.db"))


# --- Langfuse: objects as its public API lists them (GET /api/public/observations, /traces/{id}, /scores)

OBSERVATION = {
    "id": "obs-1", "traceId": "trace-1", "type": "GENERATION", "name": "chat", "startTime": "2026-01-01T00:00:01.000Z",
    "endTime": "2026-01-01T00:00:02.500Z", "completionStartTime": "2026-01-01T00:00:01.200Z", "model": "gpt-4o-mini",
    "modelParameters": {"temperature": 0.2}, "input": [{"role": "user", "content": "Weather?"}],
    "output": {"role": "assistant", "content": "Sunny."}, "usageDetails": {"input": 10, "output": 5, "total": 15},
    "costDetails": {}, "calculatedTotalCost": 0.0125, "level": "DEFAULT", "statusMessage": None, "metadata": {"k": "v"},
    "parentObservationId": None, "promptName": "weather", "promptVersion": 3, "environment": "prod",
    "updatedAt": "2026-01-01T00:00:03.000Z",
}  # fmt: skip
TRACE = {
    "id": "trace-1", "timestamp": "2026-01-01T00:00:00.000Z", "name": "agent", "userId": "user-7",
    "sessionId": "thread-42", "tags": ["weather"], "metadata": {"plan": "pro"}, "input": "Weather?", "output": "Sunny.",
    "observations": [OBSERVATION], "updatedAt": "2026-01-01T00:00:03.000Z",
    "scores": [{"id": "s1", "traceId": "trace-1", "name": "quality", "value": 0.5, "dataType": "NUMERIC",
                "timestamp": "2026-01-01T00:00:04.000Z", "source": "API"}],
}  # fmt: skip


def langfuse(path: Path) -> tuple[SpanPart, list[Batch]]:
    batches = list(files.read(path))
    (made,) = {part.span_id: part for batch in batches for part in batch.parts if part.name == "chat"}.values()
    return made, batches


def reads_well(part: SpanPart) -> None:
    reading = conventions.read(settled(part, lambda: 0))
    assert (reading.kind, reading.model) == ("llm", "gpt-4o-mini")
    assert (reading.usage.input_tokens, reading.usage.output_tokens) == (10, 5)
    assert (part.end_ns - part.start_ns) / 1e9 == 1.5
    assert reading.output.messages[0].parts == ({"type": "text", "text": "Sunny."},)


def test_a_trace_of_langfuse_brings_its_observations_and_scores(tmp_path):
    part, batches = langfuse(write(tmp_path / "x.json", json.dumps(TRACE, indent=2).encode()))
    reads_well(part)
    reading = conventions.read(part)
    assert (reading.cost_nanousd, reading.ttft_ns) == (12_500_000, 200_000_000)
    assert (reading.prompt_name, reading.prompt_version) == ("weather", "3")
    assert [score.name for batch in batches for score in batch.scores] == ["quality"]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"data": [OBSERVATION], "meta": {"page": 1}}),
        json.dumps([OBSERVATION]),
        json.dumps(OBSERVATION) + "\n" + json.dumps({**OBSERVATION, "id": "obs-2", "name": "again"}),
    ],
    ids=["page", "list", "lines"],
)
def test_observations_of_langfuse_however_they_are_listed(tmp_path, content):
    reads_well(langfuse(write(tmp_path / "x", content.encode()))[0])


def test_a_table_of_langfuse(tmp_path):
    row = {key: json.dumps(value) if isinstance(value, (dict, list)) else value for key, value in OBSERVATION.items()}
    table = io.StringIO()
    made = csv.DictWriter(table, list(row))
    made.writeheader()
    made.writerow(row)
    reads_well(langfuse(write(tmp_path / "x.csv", table.getvalue().encode()))[0])


# --- Langfuse's tables and buckets: columns as its source and its docs name them
# (worker/src/features/database-read-stream/{trace,observation}-stream.ts, docs: blob storage export field reference)

TABLE_TRACE = {
    "id": "trace-1", "timestamp": "2026-01-01T00:00:00.000Z", "name": "agent", "userId": "user-7",
    "sessionId": "thread-42", "environment": "prod", "tags": ["weather"], "bookmarked": False, "public": False,
    "input": "Weather?", "output": "Sunny.", "metadata": {"plan": "pro"}, "latency": 4.5, "level": "DEFAULT",
    "usage": {"promptTokens": "10", "completionTokens": "5", "totalTokens": "15"}, "observationCount": 1,
    "quality": [0.5, 1],
}  # fmt: skip
TABLE_ROW = {
    **{key: value for key, value in OBSERVATION.items() if key != "calculatedTotalCost"},
    "costDetails": {"total": 0.0125}, "totalCost": 0.0125, "traceName": "agent", "traceTags": ["weather"],
    "traceTimestamp": "2026-01-01 00:00:00.000", "userId": "user-7", "quality": [0.25], "comments": [],
}  # fmt: skip
ENRICHED = {
    "id": "obs-1", "trace_id": "trace-1", "project_id": "p", "environment": "prod", "type": "GENERATION",
    "parent_observation_id": "", "start_time": "2026-01-01 00:00:01.000000", "end_time": "2026-01-01 00:00:02.500000",
    "name": "chat", "metadata": {"k": "v"}, "level": "DEFAULT", "status_message": "", "version": "",
    "input": json.dumps(OBSERVATION["input"]), "output": json.dumps(OBSERVATION["output"]),
    "provided_model_name": "gpt-4o-mini", "model_parameters": '{"temperature":0.2}',
    "usage_details": {"input": 10, "output": 5, "total": 15}, "cost_details": {"total": 0.0125}, "total_cost": 0.0125,
    "completion_start_time": "2026-01-01 00:00:01.200000", "prompt_name": "weather", "prompt_version": 3,
    "updated_at": "2026-01-01 00:00:03.000000", "user_id": "user-7", "session_id": "thread-42",
    "trace_name": "agent", "tags": ["weather"],
}  # fmt: skip


def stored(path: Path, content: bytes) -> tuple[Any, list[tuple[str, float | None]]]:
    """The one trace that a file makes in a store, and its scores."""
    db = path.with_suffix(".db")
    db.unlink(missing_ok=True)
    with Ingest(db, Settings(db=db)) as ingest:
        for batch in files.read(write(path, content)):
            assert not batch.refused
            ingest.write(batch)
    with open_reader(db) as reader:
        (trace,) = reader.traces()
        return trace, sorted((score.name, score.value) for score in reader.scores(trace.trace_id))


@pytest.mark.parametrize("form", ["json", "lines", "csv"])
def test_tables_and_buckets_of_langfuse_bring_the_trace_its_scores_and_its_model(tmp_path, form):
    def made(row: dict[str, Any]) -> bytes:
        if form != "csv":
            return json.dumps([row] if form == "json" else row).encode()
        table = io.StringIO()
        writer = csv.DictWriter(table, list(row))
        writer.writeheader()
        writer.writerow({k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()})
        return table.getvalue().encode()

    alone, scores = stored(tmp_path / "t.x", made(TABLE_TRACE))
    assert (alone.status, (alone.end_ns - alone.start_ns) / 1e9) == ("ok", 4.5)
    assert (alone.session_id, scores) == ("thread-42", [("quality", 0.5), ("quality", 1)])
    for row, session in ((TABLE_ROW, None), (ENRICHED, "thread-42")):
        path = tmp_path / "o.x"
        trace, scores = stored(path, made(row))
        assert (trace.name, trace.user_id, trace.session_id, trace.tags) == ("agent", "user-7", session, ("weather",))
        assert (trace.models, trace.cost_nanousd) == (("gpt-4o-mini",), 12_500_000)
        assert scores == ([("quality", 0.25)] if row is TABLE_ROW else [])
        reads_well(langfuse(path)[0])


def test_one_trace_and_one_session_as_langfuse_downloads_them(tmp_path):
    bare = {key: value for key, value in TRACE.items() if key != "observations"}
    one, scores = stored(tmp_path / "t.json", json.dumps({"trace": bare, "observations": [OBSERVATION]}).encode())
    assert (one.name, one.span_count, scores) == ("agent", 2, [("quality", 0.5)])
    session = {"id": "thread-42", "projectId": "p", "traces": [TRACE], "users": ["user-7"]}
    again, _ = stored(tmp_path / "s.json", json.dumps(session, indent=1).encode())
    assert (again.trace_id, again.session_id, again.span_count) == (one.trace_id, "thread-42", 2)


# --- Phoenix: a span as its REST API lists it, and a row of its dataframe

PHOENIX = {
    "id": "U3BhbjoxNg==", "name": "chat", "context": {"trace_id": "0af7651916cd43dd8448eb211c80319c",
                                                      "span_id": "b7ad6b7169203331"},
    "span_kind": "LLM", "parent_id": None, "start_time": "2026-01-01T00:00:01.000000+00:00",
    "end_time": "2026-01-01T00:00:02.500000+00:00", "status_code": "OK", "status_message": "", "events": [],
    "attributes": {"llm": {"model_name": "gpt-4o-mini", "token_count": {"prompt": 10, "completion": 5},
                           "output_messages": [{"message": {"role": "assistant", "content": "Sunny."}}]}},
}  # fmt: skip
ROW = {
    "context.trace_id": "0af7651916cd43dd8448eb211c80319c", "context.span_id": "b7ad6b7169203331", "name": "chat",
    "span_kind": "LLM", "parent_id": "", "start_time": "2026-01-01 00:00:01+00:00",
    "end_time": "2026-01-01 00:00:02.500000+00:00", "status_code": "OK", "status_message": "", "events": "[]",
    "attributes.llm.model_name": "gpt-4o-mini", "attributes.llm.token_count.prompt": "10.0",
    "attributes.llm.token_count.completion": "5.0", "attributes.metadata": "",
    "attributes.llm.output_messages": "[{'message.role': 'assistant', 'message.content': 'Sunny.'}]",
}  # fmt: skip


def phoenix(content: bytes, path: Path) -> None:
    (part,) = parts_of(write(path, content))
    reads_well(part)
    assert (part.trace_id, part.span_id) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


def test_spans_of_phoenix_as_pages_lists_and_lines(tmp_path):
    for content in ({"data": [PHOENIX], "next_cursor": None}, [PHOENIX], PHOENIX):
        phoenix(json.dumps(content).encode(), tmp_path / "x")


def read_of(path: Path) -> list[tuple[object, ...]]:
    told = []
    for part in parts_of(path):
        reading = conventions.read(settled(part, lambda: 0))
        told.append((
            part.name, part.trace_id, part.span_id, part.parent_id, part.start_ns // 1_000_000, part.status or "ok",
            reading.kind, reading.model, reading.usage, reading.input, reading.output, reading.documents, reading.tool,
            reading.session_id, reading.user_id, reading.tags, reading.metadata, reading.params,
            reading.tool_definitions, [event.name for event in part.events],
        ))  # fmt: skip
    return told


def test_what_phoenix_itself_gave_out_reads_alike_by_rest_as_otlp_and_by_dataframe(tmp_path):
    rest = read_of(SAMPLES / "phoenix-20.26-spans.json")
    assert outline(parts_of(SAMPLES / "phoenix-20.26-spans.json")) == [
        "agent", "  ChatCompletion", "  get_weather", "  ChatCompletion", "  search", "  ChatCompletion",
    ]  # fmt: skip
    assert rest[4][11] == (Document("d1", "It is hot.", 0.9, 0, {"page": 3}),)
    assert rest[-1][5] == "error"
    assert read_of(SAMPLES / "phoenix-20.26-otlpv1.json") == rest
    frame = json.loads((SAMPLES / "phoenix-20.26-dataframe.json").read_text())
    rows = [dict(zip(frame, cells, strict=True)) for cells in zip(*(c.values() for c in frame.values()), strict=True)]
    ways = {
        "columns": frame,
        "records": rows,
        "index": {row["context.span_id"]: row for row in rows},
        "split": {"columns": list(frame), "index": [], "data": [list(row.values()) for row in rows]},
    }
    for way, document in ways.items():
        assert read_of(write(tmp_path / "x.json", json.dumps(document).encode())) == rest, way
    assert read_of(SAMPLES / "phoenix-20.26-dataframe.csv") == rest
    assert len(rest) == 6


def test_a_dataframe_of_phoenix_as_parquet():
    pytest.importorskip("pyarrow", reason="an optional reader")
    assert read_of(SAMPLES / "phoenix-20.26-dataframe.parquet") == read_of(SAMPLES / "phoenix-20.26-spans.json")


def test_parquet_comes_in_batches_and_says_where_it_cannot_be_read(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="an optional reader")
    whole = (SAMPLES / "phoenix-20.26-dataframe.parquet").read_bytes()
    rest = read_of(SAMPLES / "phoenix-20.26-spans.json")
    monkeypatch.setattr(files, "LINES_A_BATCH", 2)
    assert read_of(SAMPLES / "phoenix-20.26-dataframe.parquet") == rest
    assert len(list(files.read(SAMPLES / "phoenix-20.26-dataframe.parquet"))) == 3
    for broken in (whole[:-100], whole[:4] + bytes(len(whole) - 8) + whole[-4:]):
        with pytest.raises(DecodeError, match="a Parquet file that cannot be read"):
            list(files.read(write(tmp_path / "x", broken)))


def test_long_lines_come_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(files, "BYTES_A_BATCH", 1000)
    lines = [b"a" * 400 + b"\n"] * 7
    chunks = list(files._chunks(lines[0], io.BytesIO(b"".join(lines[1:])), "x"))
    assert [len(one) for one in chunks] == [3, 3, 1]


def test_without_pyarrow_parquet_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DecodeError, match="pip install pyarrow"):
        list(files.read(SAMPLES / "phoenix-20.26-dataframe.parquet"))


def test_a_dataframe_of_phoenix_as_csv(tmp_path):
    table = io.StringIO()
    made = csv.DictWriter(table, list(ROW))
    made.writeheader()
    made.writerow(ROW)
    phoenix(table.getvalue().encode(), tmp_path / "x.csv")


def test_a_span_without_an_id_is_refused_and_the_rest_goes_on(tmp_path):
    broken = {**PHOENIX, "context": {"trace_id": "", "span_id": ""}}
    batches = list(files.read(write(tmp_path / "x", json.dumps([broken, PHOENIX]).encode())))
    assert len(span_ids(batches)) == 1
    assert sum(refusal.count for batch in batches for refusal in batch.refused) == 1


# --- LangSmith: runs as its SDK's own model writes them

TRACE_ID, CALL_ID = uuid.UUID(int=7 << 100), uuid.UUID(int=8 << 100)


def runs() -> list[Run]:
    start, end = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 2, 500_000, tzinfo=UTC)
    common = {"start_time": start, "end_time": end, "trace_id": TRACE_ID, "session_id": uuid.UUID(int=9)}
    root = Run(id=TRACE_ID, name="agent", run_type="chain", inputs={"q": "Weather?"}, outputs={"a": "Sunny."},
               dotted_order=f"20260101T000001000000Z{TRACE_ID}", tags=["weather"],
               extra={"metadata": {"thread_id": "thread-42"}}, **common)  # fmt: skip
    call = Run(
        id=CALL_ID, name="chat", run_type="llm", parent_run_id=TRACE_ID,
        dotted_order=f"20260101T000001000000Z{TRACE_ID}.20260101T000001000000Z{CALL_ID}",
        inputs={"messages": [{"role": "user", "content": "Weather?"}]},
        outputs={"choices": [{"message": {"role": "assistant", "content": "Sunny."}}],
                 "usage_metadata": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}},
        extra={"metadata": {"ls_model_name": "gpt-4o-mini", "ls_provider": "openai"}}, **common,
    )  # fmt: skip
    return [root, call]


def test_runs_of_langsmith_as_lines_as_a_list_and_as_a_table(tmp_path):
    dumped = [json.loads(run.model_dump_json()) for run in runs()]
    table = io.StringIO()
    writer = csv.DictWriter(table, list(dumped[1]))
    writer.writeheader()
    for row in dumped:
        writer.writerow({k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()})
    lines_of = "\n".join(run.model_dump_json() for run in runs())
    for content in (lines_of, json.dumps(dumped), json.dumps({"data": dumped}), table.getvalue()):
        trace, _ = stored(tmp_path / "x", content.encode())
        assert (trace.name, trace.session_id, trace.tags, trace.models) == (
            "agent", "thread-42", ("weather",), ("gpt-4o-mini",),
        )  # fmt: skip
        (call,) = [part for batch in files.read(tmp_path / "x") for part in batch.parts if part.name == "chat"]
        reads_well(call)


@pytest.mark.parametrize("good", [PHOENIX, OBSERVATION, json.loads(runs()[0].model_dump_json())])
def test_an_object_of_an_export_that_no_json_can_say_costs_only_itself(tmp_path, good):
    bad = {**good, "x": 2**80, "inputs": {"n": 2**80}, "input": 2**80, "attributes": {"n": 2**80}}
    batches = list(files.read(write(tmp_path / "x", json.dumps([good, bad, good]).encode())))
    assert {part.name for batch in batches for part in batch.parts} >= {good["name"]}


# --- archives


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def test_each_file_of_a_zip_is_read_gzipped_ones_too(tmp_path):
    packed = zipped(("a.jsonl", LINES[0] + b"\n"), ("deep/b.gz", gzip.compress(LINES[1])))
    assert span_ids(list(files.read(write(tmp_path / "x", packed)))) == BOTH
    assert span_ids(list(files.read(write(tmp_path / "y", gzip.compress(packed))))) == BOTH


def test_a_bomb_is_refused_before_it_is_big(tmp_path, monkeypatch):
    monkeypatch.setattr(inflate, "FREE_BYTES", 10_000)
    zeros = b" " * 30_000_000
    for packed in (gzip.compress(zeros), zipped(("x", zeros))):
        with pytest.raises(TooLarge, match="inflates to over"):
            list(files.read(write(tmp_path / "x", packed)))


def test_a_file_of_a_zip_that_nobody_reads_costs_only_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(inflate, "FREE_BYTES", 10_000)
    good = ("../../out/of/here.jsonl", LINES[0]), ("b.jsonl", LINES[1])
    packed = zipped(("readme.txt", b"hello"), good[0], ("bomb", b" " * 30_000_000), good[1])
    batches = list(files.read(write(tmp_path / "x", packed)))
    assert span_ids(batches) == BOTH
    told = [refusal for batch in batches for refusal in batch.refused]
    assert {refusal.reason for refusal in told} == {"a file that is read by nobody"}
    assert sorted(str(refusal.sample).split()[0] for refusal in told) == ["bomb", "readme.txt"]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["x"], "nothing is unpacked to disk"
    with pytest.raises(DecodeError, match=r"readme.txt in .* is neither"):
        list(files.read(write(tmp_path / "y", zipped(("readme.txt", b"hello")))))


def test_a_zip_that_breaks_off_is_a_sentence(tmp_path):
    with pytest.raises(DecodeError, match="zip file that cannot be read"):
        list(files.read(write(tmp_path / "x", zipped(("a", LINES[0]))[:-30])))


def test_packed_too_often_is_a_sentence(tmp_path):
    packed = LINES[0]
    for _ in range(5):
        packed = gzip.compress(packed)
    with pytest.raises(DecodeError, match="packed more than"):
        list(files.read(write(tmp_path / "x", packed)))


# --- anything at all

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_RECORDS = [
    json.loads(line)
    for path in sorted(SAMPLES.rglob("*.jsonl"))
    for line in path.read_text().splitlines()
]  # fmt: skip


@st.composite
def _mangled(draw: st.DrawFn) -> dict[str, object]:
    """A record of a sample, one or two of its values replaced by anything."""
    record = json.loads(json.dumps(draw(st.sampled_from(_RECORDS))))
    for _ in range(draw(st.integers(0, 2))):
        at: object = record
        while isinstance(at, dict) and at:
            key = draw(st.sampled_from(sorted(at)))
            if not isinstance(at[key], (dict, list)) or not at[key] or draw(st.booleans()):
                at[key] = draw(_values)
                break
            at = at[key] if isinstance(at[key], dict) else at[key][0]
    return record


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["claude", "codex", "native"]), st.lists(_mangled() | _values, max_size=12))
def test_whatever_stands_in_a_line_nothing_breaks_and_nothing_is_silent(kind, records):
    reader = lines.reader(kind, Together())
    for record in records:
        batches = list(reader.feed([json.dumps(record).encode(errors="replace")]))
        for batch in batches:
            assert all(refusal.reason and refusal.count for refusal in batch.refused)
            for part in batch.parts:
                assert len(part.trace_id) == 32
                assert len(part.span_id) == 16
        if not isinstance(record, dict):
            assert sum(refusal.count for batch in batches for refusal in batch.refused) == 1


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(
        [
            b"",
            b"\0\0\0\x04\n\x02",
            b"\0\0\0\x08\x28\xb5\x2f\xfd",
            b"{",
            b"[{",
            b"\x1f\x8b\x08",
            b"PK\x03\x04",
            b"PAR1",
            b"id,traceId,startTime\n",
        ]
    ),
    st.binary(),
)
def test_any_bytes_are_read_or_refused_in_a_sentence(head, tail):
    with suppress(DecodeError, TooLarge):
        list(files.read_stream(io.BytesIO(head + tail), "x"))
