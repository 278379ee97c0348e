"""Everything that OTLP can say, at its edges, comes out of a file as it went in, and no shape of a trace does harm."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.cli import otlp_plainly
from tracetui.cli import main

TRACE = "0af7651916cd43dd8448eb211c80319c"
TIMES = {"startTimeUnixNano": "1795000000000000000", "endTimeUnixNano": "1795000000100000000"}
Json = dict[str, Any]


def kvlist(*pairs: Json) -> Json:
    return {"kvlistValue": {"values": list(pairs)}}


def pair(key: str, value: Json | None = None) -> Json:
    return {"key": key} if value is None else {"key": key, "value": value}


LONG = [{"role": "user", "content": "word " * 400}, {"role": "assistant", "content": "\u00fc \ud83d\ude00"}]
VALUES: list[Json] = [
    *({"stringValue": text} for text in ("", "x\u0000y\u2028 \U0001f600", "A" * 5000, json.dumps(LONG))),
    *({"boolValue": flag} for flag in (False, True)),
    *({"intValue": str(n)} for n in (0, 1, 2**53 + 1, 2**63 - 1, -(2**63))),
    *({"doubleValue": x} for x in (0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, "NaN", "Infinity", "-Infinity")),
    *({"bytesValue": base64.b64encode(data).decode()} for data in (b"", bytes(range(256)), bytes(range(256)) * 30)),
    {},
    {"arrayValue": {}},
    {"arrayValue": {"values": [{}, {"stringValue": ""}, {"arrayValue": {"values": [{"boolValue": False}]}}]}},
    {"kvlistValue": {}},
    kvlist(pair("", {"stringValue": "no name"}), pair("$t", {"stringValue": "like a reference of ours"})),
    kvlist(pair("$t", {"stringValue": "alone"})),
    kvlist(pair("a", kvlist(pair("b", {}), pair("c")))),
]
ATTRIBUTES = [
    *(pair(f"k{n}", value) for n, value in enumerate(VALUES)),
    pair(""), pair("bare"),
    pair("llm.input_messages.", {"stringValue": "a prefix alone"}),
    pair("llm.input_messages.0.message.role", {"stringValue": "user"}),
    pair("llm.input_messages.1.message.content", {"intValue": "7"}),
    pair("gen_ai.prompt.00.role", {"stringValue": "user"}),
]  # fmt: skip


def span(n: int, parent: int | None = None, **fields: Any) -> Json:
    above = {} if parent is None else {"parentSpanId": f"{parent:016x}"}
    return {"traceId": TRACE, "spanId": f"{n:016x}", "name": f"span {n}", **above, **TIMES, **fields}


def events() -> list[Json]:
    at = {"timeUnixNano": "1795000000000000001", "name": "twice"}
    return [{"name": ""}, {**at, "attributes": ATTRIBUTES, "droppedAttributesCount": 3}, at, at]


def links() -> list[Json]:
    to = {"traceId": TRACE, "spanId": "00000000000000aa"}
    return [{**to, "traceState": "x=y", "flags": 256, "attributes": ATTRIBUTES, "droppedAttributesCount": 9}, to]


SPANS = [
    span(
        1, traceState="a=1,b=2", flags=0x301, kind=5, attributes=ATTRIBUTES, droppedAttributesCount=1,
        droppedEventsCount=2, droppedLinksCount=2**32 - 1, events=events(), links=links(),
        status={"code": 2, "message": "went wrong"},
    ),
    span(2, 1, endTimeUnixNano="1794000000000000000", status={"code": 1}),
    {**span(3, 1, status={"message": "only a message"}), "endTimeUnixNano": "0"},
    span(4, 4, kind=9, status={"code": 7}),
    span(5, 6),
    span(6, 5),
    span(7, 0xFF, startTimeUnixNano="1", endTimeUnixNano="2"),
    {"traceId": TRACE, "spanId": f"{8:016x}"},
]  # fmt: skip
SCOPE = {"name": "lib", "version": "1.0", "attributes": ATTRIBUTES, "droppedAttributesCount": 7}
RESOURCE = {"attributes": ATTRIBUTES, "droppedAttributesCount": 2**32 - 1}
DOCUMENT: Json = {
    "resourceSpans": [
        {
            "resource": RESOURCE, "schemaUrl": "https://resource",
            "scopeSpans": [
                {"scope": SCOPE, "schemaUrl": "https://scope", "spans": SPANS},
                {"scope": {}, "spans": [span(9)]},
                {"schemaUrl": "https://without-a-scope", "spans": [span(10)]},
            ],
        },
        {"scopeSpans": [{"spans": [span(11)]}]},
        {"resource": {}, "scopeSpans": [{"spans": [span(12)]}]},
    ]
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACETUI_REDACT", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def run(*args: str) -> Result:
    result = CliRunner().invoke(main.cli, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def in_base64(value: Any) -> Any:
    """The document as Google's parser wants it: ids are bytes to it, not hex."""
    if isinstance(value, dict):
        ids = {n: base64.b64encode(bytes.fromhex(value[n])).decode() for n in otlp_plainly.IDS if n in value}
        return {name: in_base64(item) for name, item in value.items()} | ids
    return [in_base64(item) for item in value] if isinstance(value, list) else value


def as_protobuf() -> bytes:
    return bytes(ParseDict(in_base64(DOCUMENT), ExportTraceServiceRequest()).SerializeToString())


@pytest.mark.parametrize("spelt", ["json", "protobuf"])
def test_whatever_otlp_can_say_comes_out_as_it_went_in(spelt: str) -> None:
    if spelt == "json":
        name, body, sent = "in.jsonl", json.dumps(DOCUMENT).encode(), DOCUMENT
    else:
        name, body = "in.pb", as_protobuf()
        sent = otlp_plainly.of_protobuf(body)
    Path(name).write_bytes(body)
    run("import", name, "--db", "traces.db")
    run("export", "--format", "otlp", "-o", "out.jsonl", "--db", "traces.db")
    came_out = otlp_plainly.spans(map(json.loads, Path("out.jsonl").read_bytes().splitlines()))
    went_in = otlp_plainly.spans([sent])
    assert len(went_in) == 12
    assert came_out == went_in


def test_circles_orphans_and_spans_without_anything_are_all_shown() -> None:
    Path("in.jsonl").write_text(json.dumps(DOCUMENT))
    run("import", "in.jsonl", "--db", "traces.db")
    shown = json.loads(run("show", TRACE, "--json", "--db", "traces.db").stdout)
    listed = [one["span_id"] for one in shown["spans"]]
    assert sorted(listed) == sorted(f"{n:016x}" for n in range(1, 13) if n != 8)  # 8 never started: a ghost
    assert shown["span_count"] == len(listed)
    tree = run("show", TRACE, "--tree", "--db", "traces.db").stdout
    assert all(f"span {n}" in tree for n in range(1, 13) if n != 8)
