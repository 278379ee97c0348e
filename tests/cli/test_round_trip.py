"""What comes in through OTLP goes out through OTLP equal, and native export and import are one round trip."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector.ingest import Ingest
from collector.library import Dataset, Example, Experiment, ExperimentRun, Media, MediaUse, Prompt
from collector.model import Batch, LogRecord, Score, SpanPart
from collector.protocols import native, otlp
from collector.settings import Settings
from tests.cli import otlp_plainly
from tracetui.cli import main

PAYLOADS = Path(__file__).parents[1] / "payloads"
PENDING = '"pending_span"'
"""Logfire's word for a span that has but started: it becomes a part of the real one, and is none itself."""
FOLDERS = sorted({path.parent.name for path in PAYLOADS.glob("*/*-traces.*")})


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACETUI_REDACT", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def run(*args: object) -> Result:
    result = CliRunner().invoke(main.cli, [str(arg) for arg in args], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def bodies(folder: str, what: str) -> list[Path]:
    return [path for path in sorted((PAYLOADS / folder).iterdir()) if what in path.name]


def sent(folder: str) -> dict[tuple[str, str], SpanPart]:
    """The spans of a recording, as its bodies say them."""
    found: list[SpanPart] = []
    for path in bodies(folder, "-traces."):
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        kind = otlp.JSON if ".json" in path.name else otlp.PROTOBUF
        found += otlp.decode_traces(body, kind).parts
    return by_id(found)


def sent_logs(folder: str) -> dict[tuple[str, str], tuple[LogRecord, ...]]:
    """The log records that name a span, in the order of their times, by their span."""
    found: dict[tuple[str, str], list[LogRecord]] = {}
    for path in bodies(folder, "-logs."):
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for part in otlp.decode_logs(body, otlp.JSON if ".json" in path.name else otlp.PROTOBUF).parts:
            found.setdefault((part.trace_id, part.span_id), []).extend(part.logs)
    return {key: tuple(sorted(logs, key=lambda log: (log.time_ns, log.position))) for key, logs in found.items()}


def by_id(parts: Iterable[SpanPart]) -> dict[tuple[str, str], SpanPart]:
    return {(part.trace_id, part.span_id): part for part in parts}


@pytest.mark.parametrize("folder", FOLDERS)
def test_otlp_export_equals_what_was_sent(folder, tmp_path):
    run("import", *bodies(folder, "-traces."), *bodies(folder, "-logs."), "--db", "traces.db")
    run("export", "--format", "otlp", "-o", "out.jsonl", "--db", "traces.db")
    lines = Path("out.jsonl").read_bytes().splitlines()
    traces, logs = (
        [line for line in lines if line.startswith(b'{"%s' % what)] for what in (b"resourceS", b"resourceL")
    )
    assert len(traces) + len(logs) == len(lines)
    came_out = by_id(part for line in traces for part in otlp.decode_traces(line, otlp.JSON).parts)
    went_in = sent(folder)
    assert came_out.keys() == went_in.keys()
    for key, part in went_in.items():
        assert came_out[key] == part
    said = by_id(part for line in logs for part in otlp.decode_logs(line, otlp.JSON).parts)
    assert {key: part.logs for key, part in said.items()} == sent_logs(folder)
    run("import", "out.jsonl", "--db", "again.db")
    assert shown("again.db") == shown("traces.db")
    exported = otlp_plainly.spans(map(json.loads, traces))
    for key, span in otlp_plainly.spans(as_google_reads_it(folder)).items():
        assert exported.get(key) == span or PENDING in span


def as_google_reads_it(folder: str) -> Iterable[dict[str, object]]:
    for path in bodies(folder, "-traces."):
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        yield json.loads(body) if ".json" in path.name else otlp_plainly.of_protobuf(body)


@pytest.mark.parametrize("folder", FOLDERS)
def test_native_export_and_import_are_one_round_trip(folder, tmp_path):
    run("import", *bodies(folder, "-logs."), *bodies(folder, "-traces."), "--db", "one.db")
    run("export", "-o", "one.jsonl.gz", "--db", "one.db")
    run("import", "one.jsonl.gz", "--db", "two.db")
    run("export", "-o", "two.jsonl.gz", "--db", "two.db")
    one, two = (gzip.decompress(Path(name).read_bytes()) for name in ("one.jsonl.gz", "two.jsonl.gz"))
    assert sorted(one.splitlines()) == sorted(two.splitlines())
    assert shown("one.db") == shown("two.db")


def shown(db: str) -> list[object]:
    """Every trace of a file as `show --json` has it."""
    listed = json.loads(run("traces", "--json", "--db", db).stdout)
    return [json.loads(run("show", trace["trace_id"], "--json", "--db", db).stdout) for trace in listed]


def pair(key: str, text: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": text}}


def unordered(value: object) -> object:
    """The same document with every list in one order: OTLP gives the order of attributes no meaning."""
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((unordered(item) for item in value), key=json.dumps)
    return value


def test_keys_sent_twice_and_entity_references_come_out_as_they_went_in(tmp_path):
    inner = {"key": "deep", "value": {"kvlistValue": {"values": [pair("b", "1"), pair("b", "2")]}}}
    twice = [pair("a", "first"), pair("c", "between"), pair("a", "second"), pair("a", "third"), inner]
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7", "name": "x", "kind": 1,
        "startTimeUnixNano": "1795000000000000000", "endTimeUnixNano": "1795000000100000000", "attributes": twice,
        "events": [{"timeUnixNano": "1795000000000000001", "name": "e", "attributes": twice}],
        "links": [{"traceId": "1af7651916cd43dd8448eb211c80319c", "spanId": "10f067aa0ba902b7", "attributes": twice}],
        "status": {},
    }  # fmt: skip
    entities = [
        {"schemaUrl": "https://s", "type": "service", "idKeys": ["service.name"], "descriptionKeys": ["a"]},
        {"type": "host", "idKeys": ["host.id"]},
    ]
    document = {
        "resourceSpans": [
            {
                "resource": {"attributes": [pair("service.name", "shop"), *twice], "entityRefs": entities},
                "scopeSpans": [{"scope": {"name": "n", "attributes": twice}, "spans": [span]}],
            }
        ]
    }
    Path("in.jsonl").write_text(json.dumps(document))
    run("import", "in.jsonl", "--db", "traces.db")
    run("export", "--format", "otlp", "-o", "out.jsonl", "--db", "traces.db")
    assert unordered(json.loads(Path("out.jsonl").read_bytes())) == unordered(document)
    run("export", "--format", "native", "-o", "native.jsonl", "--db", "traces.db")
    run("import", "native.jsonl", "--db", "again.db")
    run("export", "--format", "otlp", "-o", "again.jsonl", "--db", "again.db")
    assert Path("again.jsonl").read_bytes() == Path("out.jsonl").read_bytes()
    (part,) = otlp.decode_traces(json.dumps(document).encode(), otlp.JSON).parts
    assert otlp.decode_traces(otlp.encode_traces_protobuf([part]), otlp.PROTOBUF).parts == (part,)


def test_importing_twice_changes_nothing(tmp_path):
    (path,) = bodies("openinference-openai", "-traces.")
    first = json.loads(run("import", path, "--db", "traces.db", "--json").stdout)
    again = json.loads(run("import", path, "--db", "traces.db", "--json").stdout)
    assert (first["stored"], first["duplicate"]) == (first["received"], 0)
    assert (again["stored"], again["duplicate"]) == (0, first["received"])


def test_export_takes_a_filter_and_a_limit(tmp_path):
    (path,) = bodies("openinference-openai", "-traces.")
    run("import", path, "--db", "traces.db")
    lines = run("export", "kind:llm", "--limit", "2", "--db", "traces.db").stdout.splitlines()
    assert [native.decode([line]).parts[0].trace_id != "" for line in lines] == [True, True]


def test_an_export_is_private_and_appears_only_when_it_is_complete(tmp_path, monkeypatch):
    (path,) = bodies("openinference-openai", "-traces.")
    run("import", path, "--db", "traces.db")
    run("export", "-o", "out.jsonl", "--db", "traces.db")
    assert Path("out.jsonl").stat().st_mode & 0o777 == 0o600
    before = sorted(Path().iterdir())

    def broken(item: SpanPart) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(native, "encode", broken)
    assert CliRunner().invoke(main.cli, ["export", "-o", "more.jsonl", "--db", "traces.db"]).exit_code == 1
    assert sorted(Path().iterdir()) == before


def test_a_file_that_cannot_be_read_fails_and_the_others_are_imported(tmp_path):
    (path,) = bodies("openinference-openai", "-traces.")
    Path("poem.txt").write_text("once upon a time")
    result = CliRunner().invoke(main.cli, ["import", "poem.txt", str(path), "none.json", "--db", "traces.db"])
    assert result.exit_code == 1
    assert "poem.txt is neither" in result.stderr
    assert "none.json: No such file" in result.stderr
    assert len(json.loads(run("traces", "--json", "--db", "traces.db").stdout)) == 7


def test_scores_and_processes_travel_too(tmp_path):
    from collector.ingest import Ingest
    from collector.model import Batch, Process, Score
    from collector.settings import Settings
    from tests.builders import T0, make_part

    part = replace(make_part(1), process_id="p1")
    score = Score("s1", "quality", T0, trace_id=part.trace_id, span_id=part.span_id, value=0.5)
    process = Process("p1", 42, T0, host="h", heartbeat_ns=T0, ended_ns=T0 + 1)
    with Ingest(tmp_path / "one.db", Settings(redact="off")) as ingest:
        ingest.write(Batch("sdk", (part,), (score,), (process,)))
    lines = run("export", "--db", "one.db").stdout.splitlines()
    again = native.decode(lines)
    assert (again.scores, again.processes) == ((score,), (process,))


SHELF = (
    Prompt(
        "p1", "weather", "where is {{place}}?", 1, {"temperature": 0.5}, ("production",), ("demo",), "first", "x", 1
    ),
    Prompt("p2", "weather", [{"role": "user", "content": "{{place}}"}], 2, created_ns=2),
    Dataset("d", "cities", "where", {"v": 1}, {"type": "object"}, None, {"data_type": "kv"}, "langsmith", 3),
    Example(
        "e1", "d", {"q": 1}, {"a": [1.5, None, "é"]}, {"k": True}, "active", "test", "a" * 32, "b" * 16, {"x": 1}, 4
    ),
    Example("e2", "d", "plain", None, status="archived", created_ns=5),
    Experiment("x", "first go", "d", "about", {"m": 1}, {"y": 2}, "langfuse", 6, 7),
    ExperimentRun("r", "x", "e1", "a" * 32, "b" * 16, {"z": 3}, 8),
    Media("m", "image/png", 6, "ab" * 32, b"\x89PNG\x00\xff", {"name": "cat.png"}, 9),
    Media("announced", "text/plain", 3, created_ns=10),
    MediaUse("m", "input", "a" * 32, "b" * 16),
    MediaUse("m", "map", example_id="e1"),
)


def test_native_export_carries_the_library_and_scores_of_no_trace(tmp_path):
    score = Score("s", "nice", 11, session_id="thread-42", value=0.5, comment="all of it")
    for db in (tmp_path / "one.db", tmp_path / "filtered.db"):
        with Ingest(db, Settings(db=db, redact="off")) as ingest:
            ingest.write(Batch("test", scores=(score,), library=SHELF))
    run("export", "-o", "one.jsonl", "--db", "one.db")
    run("import", "one.jsonl", "--db", "two.db")
    run("import", "one.jsonl", "--db", "two.db")
    run("export", "-o", "two.jsonl", "--db", "two.db")
    assert Path("two.jsonl").read_bytes() == Path("one.jsonl").read_bytes()
    read = native.decode_body(Path("two.jsonl").read_bytes())
    assert read.scores == (score,)
    assert sorted(read.library, key=repr) == sorted(
        (*SHELF[:1], replace(SHELF[1], tags=("demo",)), *SHELF[2:]), key=repr
    )
    run("export", "kind:llm", "-o", "some.jsonl", "--db", "one.db")
    assert Path("some.jsonl").read_bytes() == b""


def test_examples_of_a_dataset_that_is_there_under_another_id_go_into_that_one(tmp_path):
    theirs = (
        Dataset("d-theirs", "weather", source="test", created_ns=1),
        Example("e-theirs", "d-theirs", {"city": "Oslo"}, {"t": 3}, created_ns=2),
        Experiment("x-theirs", "run", "d-theirs", source="test", created_ns=3),
    )
    ours = (
        Dataset("d-ours", "weather", source="test", created_ns=1),
        Example("e-ours", "d-ours", {"city": "Patiala"}, {"t": 31}, created_ns=2),
    )
    for name, library in (("theirs", theirs), ("ours", ours)):
        db = tmp_path / f"{name}.db"
        with Ingest(db, Settings(db=db)) as ingest:
            ingest.write(Batch("test", library=library))
    run("export", "-o", "theirs.jsonl", "--db", "theirs.db")
    said = run("import", "theirs.jsonl", "--db", "ours.db")
    assert said.stderr.count("there is a dataset 'weather' already (d-ours)") == 1
    run("import", "theirs.jsonl", "--db", "ours.db")
    run("export", "-o", "both.jsonl", "--db", "ours.db")
    read = native.decode_body(Path("both.jsonl").read_bytes()).library
    assert {item.dataset_id for item in read if isinstance(item, Dataset | Example | Experiment)} == {"d-ours"}
    assert {item.example_id for item in read if isinstance(item, Example)} == {"e-ours", "e-theirs"}
