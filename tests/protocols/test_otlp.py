from __future__ import annotations

import base64
import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.errors import DecodeError, TooLarge, UnsupportedMedia
from collector.model import LogRecord, Rank, Reading, SpanPart, Usage
from collector.protocols import otlp
from collector.protocols.limits import Limits
from tests.protocols import strategies

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SPAN_JSON: dict[str, Any] = {
    "traceId": TRACE,
    "spanId": SPAN,
    "name": "plan_trip",
    "startTimeUnixNano": "1000",
    "endTimeUnixNano": "5000",
}


def body(*spans: Any, **more: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}], **more}]}).encode()


def decoded(*spans: Any, limits: Limits | None = None) -> Any:
    return otlp.decode_traces(body(*spans), otlp.JSON, limits or Limits())


def with_value(value: Any) -> dict[str, Any]:
    return {**SPAN_JSON, "attributes": [{"key": "x", "value": value}]}


@given(st.lists(strategies.otlp_parts(), max_size=3))
def test_protobuf_comes_back_as_it_was(parts: list[SpanPart]) -> None:
    again = otlp.decode_traces(otlp.encode_traces_protobuf(parts), otlp.PROTOBUF)
    assert sorted(again.parts, key=repr) == sorted(parts, key=repr)
    assert again.refused == ()


@given(st.lists(strategies.otlp_parts(), max_size=3))
def test_json_comes_back_as_it_was(parts: list[SpanPart]) -> None:
    line = otlp.encode_traces(parts)
    assert b"\n" not in line
    assert sorted(otlp.decode_traces(line, otlp.JSON).parts, key=repr) == sorted(parts, key=repr)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0, 1.0, 5e-324])
@pytest.mark.parametrize("media", [otlp.JSON, otlp.PROTOBUF])
def test_every_float_survives(number: float, media: str) -> None:
    part = SpanPart(TRACE, SPAN, attributes={"x": number})
    encode = otlp.encode_traces if media == otlp.JSON else otlp.encode_traces_protobuf
    (again,) = otlp.decode_traces(encode([part]), media).parts
    assert repr(again.attributes) == repr(part.attributes)


def test_unset_values_and_empty_lists_are_told_apart() -> None:
    said = {"none": None, "list": [], "dict": {}, "text": "", "bytes": b"", "zero": 0, "false": False}
    for encode, media in ((otlp.encode_traces, otlp.JSON), (otlp.encode_traces_protobuf, otlp.PROTOBUF)):
        (again,) = otlp.decode_traces(encode([SpanPart(TRACE, SPAN, attributes=dict(said))]), media).parts
        assert again.attributes == said
        assert list(map(type, again.attributes.values())) == list(map(type, said.values()))


def test_a_span_without_an_end_is_running() -> None:
    (part,) = decoded({**SPAN_JSON, "endTimeUnixNano": 0}).parts
    assert (part.rank, part.start_ns, part.end_ns, part.at_ns) == (Rank.STARTED, 1000, None, 1000)


def test_an_end_before_the_start_is_clamped_and_goes_out_as_it_came() -> None:
    (part,) = decoded({**SPAN_JSON, "endTimeUnixNano": "400"}).parts
    assert (part.rank, part.start_ns, part.end_ns) == (Rank.FINISHED, 1000, 1000)
    for line in (otlp.encode_traces([part]),):
        (span,) = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
        assert span["endTimeUnixNano"] == "400"
        assert "attributes" not in span
    request = ExportTraceServiceRequest.FromString(otlp.encode_traces_protobuf([part]))
    assert request.resource_spans[0].scope_spans[0].spans[0].end_time_unix_nano == 400


@pytest.mark.parametrize(("code", "status"), [(0, None), (1, "ok"), (2, "error"), ("STATUS_CODE_ERROR", "error")])
def test_the_status_code_becomes_a_status(code: Any, status: str | None) -> None:
    (part,) = decoded({**SPAN_JSON, "status": {"code": code, "message": "m"}}).parts
    assert (part.status, part.status_message) == (status, "m")


@pytest.mark.parametrize(("value", "want"), [
    ({"stringValue": "a"}, "a"), ({"boolValue": True}, True), ({"intValue": "9223372036854775807"}, 2**63 - 1),
    ({"intValue": -5}, -5), ({"intValue": 7.0}, 7), ({"doubleValue": 1}, 1.0),
    ({"doubleValue": "-Infinity"}, -math.inf),
    ({"bytesValue": "3q0="}, b"\xde\xad"), ({"bytesValue": "3q0"}, b"\xde\xad"), ({"arrayValue": {}}, []),
    ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, [1, None]), ({"kvlistValue": {}}, {}),
    ({"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}, {"key": "n"}]}}, {"k": "v", "n": None}),
    ({}, None), (None, None), ({"stringValue": None}, None), ({"int_value": "3"}, 3), ({"quantumValue": 3}, None),
])  # fmt: skip
def test_every_json_value_is_read(value: Any, want: Any) -> None:
    (part,) = decoded(with_value(value)).parts
    assert part.attributes == {"x": want}
    assert type(part.attributes["x"]) is type(want)


@pytest.mark.parametrize("value", [
    {"intValue": "a"}, {"intValue": 2**63}, {"intValue": "NaN"}, {"intValue": [1]}, {"boolValue": 7},
    {"doubleValue": "x"},
    {"bytesValue": "§"}, {"bytesValue": 5}, {"arrayValue": {"values": 7}}, {"kvlistValue": {"values": [7]}}, 7,
    {"stringValue": 7}, {"doubleValue": {}},
])  # fmt: skip
def test_a_value_in_the_wrong_shape_costs_its_span_only(value: Any) -> None:
    batch = decoded(with_value(value), SPAN_JSON)
    assert [part.name for part in batch.parts] == ["plan_trip"]
    assert len(batch.parts) == 1
    (refusal,) = batch.refused
    assert refusal.count == 1
    assert TRACE in refusal.sample


@pytest.mark.parametrize("change", [
    {"traceId": ""}, {"traceId": "0" * 32}, {"spanId": "0" * 16}, {"spanId": None}, {"traceId": "ab"},
    {"traceId": "z" * 32},
    {"name": 7}, {"startTimeUnixNano": "soon"}, {"startTimeUnixNano": -1}, {"attributes": {"a": 1}}, {"events": 7},
    {"events": [7]}, {"links": [{"traceId": "?"}]}, {"status": 7}, {"kind": []}, {"endTimeUnixNano": 2**64},
])  # fmt: skip
def test_a_bad_span_is_refused_with_its_reason_and_the_rest_goes_on(change: dict[str, Any]) -> None:
    batch = decoded({**SPAN_JSON, **change}, SPAN_JSON, 7)
    assert len(batch.parts) == 1
    assert sum(refusal.count for refusal in batch.refused) == 2
    assert all(refusal.reason for refusal in batch.refused)


def test_json_leniency() -> None:
    """snake_case, upper-case and base64 ids, enum names, numbers as floats, unknown fields."""
    span = {
        "trace_id": TRACE.upper(), "span_id": base64.b64encode(bytes.fromhex(SPAN)).decode(),
        "kind": "SPAN_KIND_CLIENT",
        "start_time_unix_nano": 1.5e18, "end_time_unix_nano": "1.6e18", "mood": "sunny", "parent_span_id": "0" * 16,
        "events": None, "links": None, "status": None,
    }  # fmt: skip
    text = json.dumps({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]}).encode()
    (part,) = otlp.decode_traces(b"\xef\xbb\xbf" + text, "application/json; charset=utf-8").parts
    assert (part.trace_id, part.span_id, part.parent_id, part.otel_kind) == (TRACE, SPAN, None, 3)
    assert (part.start_ns, part.end_ns) == (1_500_000_000_000_000_000, 1_600_000_000_000_000_000)


def test_half_a_surrogate_pair_does_not_lose_the_body() -> None:
    text = body(with_value({"stringValue": "cut \ud83d"}))
    assert b"\\ud83d" in text
    (part,) = otlp.decode_traces(text, otlp.JSON).parts
    assert part.attributes == {"x": "cut \ufffd"}


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"7", b'"x"', b'{"resourceLogs": []}', b'{"resourceSpans": 7}', b"\xff\xfe", b"[" * 100_000],
)
def test_json_that_is_not_otlp_says_so(text: bytes) -> None:
    with pytest.raises(DecodeError):
        otlp.decode_traces(text, otlp.JSON)


@pytest.mark.parametrize(
    "text", [b"{}", b'{"resourceSpans": []}', b'{"resourceSpans": [{}]}', b'{"resourceSpans": [{"scopeSpans": [{}]}]}']
)
def test_an_empty_request_is_a_request(text: bytes) -> None:
    assert otlp.decode_traces(text, otlp.JSON).parts == ()
    assert otlp.decode_traces(b"", otlp.PROTOBUF).parts == ()


@pytest.mark.parametrize(
    "data", [b"\x0a", b"hello world", b"\xff" * 40, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"]
)
def test_protobuf_that_is_not_otlp_says_so(data: bytes) -> None:
    with pytest.raises(DecodeError):
        otlp.decode_traces(data, otlp.PROTOBUF)
    with pytest.raises(DecodeError):
        otlp.decode_logs(data, otlp.PROTOBUF)


@given(st.binary(max_size=60))
def test_no_bytes_crash_a_decoder(data: bytes) -> None:
    for decode in (otlp.decode_traces, otlp.decode_logs):
        for media in (otlp.PROTOBUF, otlp.JSON):
            with contextlib.suppress(DecodeError):
                decode(data, media)


def test_text_that_is_not_utf8_costs_its_span_only() -> None:
    good = SpanPart(TRACE, SPAN, name="good", start_ns=1, end_ns=2)
    bad = SpanPart(TRACE, "c" * 16, name="BAD", start_ns=1, end_ns=2)
    data = otlp.encode_traces_protobuf([good, bad]).replace(b"BAD", b"B\xffD")
    batch = otlp.decode_traces(data, otlp.PROTOBUF)
    assert [part.name for part in batch.parts] == ["good"]
    assert [refusal.count for refusal in batch.refused] == [1]


@pytest.mark.parametrize("media", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_another_content_type_is_not_read(media: str) -> None:
    with pytest.raises(UnsupportedMedia, match="OTLP"):
        otlp.decode_traces(b"", media)


def nested(depth: int) -> Any:
    value: Any = {"stringValue": "deep"}
    for level in range(depth):
        if level % 2:
            value = {"arrayValue": {"values": [value]}}
        else:
            value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
    return value


@pytest.mark.parametrize("groups", ["[1]", '["a"]', '[{"scopeSpans": [3]}]', '[{"scopeSpans": [{}, []]}]'])
def test_a_group_that_is_no_object_is_not_passed_over(groups: str) -> None:
    with pytest.raises(DecodeError, match="not only objects"):
        otlp.decode_traces(f'{{"resourceSpans": {groups}}}'.encode(), otlp.JSON)


def test_a_group_that_is_null_is_none() -> None:
    body = b'{"resourceSpans": [null, {"scopeSpans": [null, {"spans": []}]}]}'
    assert otlp.decode_traces(body, otlp.JSON).parts == ()


def test_values_nested_too_deeply_cost_their_span() -> None:
    limit = Limits().depth
    assert len(decoded(with_value(nested(limit))).parts) == 1
    batch = decoded(with_value(nested(limit + 1)), SPAN_JSON)
    assert len(batch.parts) == 1
    assert batch.refused[0].reason == "values nested too deeply"
    with_limit = decoded(with_value(nested(limit))).parts
    again = otlp.decode_traces(otlp.encode_traces_protobuf(with_limit), otlp.PROTOBUF)
    assert again.parts == with_limit


def test_json_nested_beyond_reason_is_an_answer_and_no_crash() -> None:
    text = b'{"resourceSpans":[{"scopeSpans":[{"spans":' + b"[" * 5000 + b"]" * 5000 + b"}]}]}"
    with pytest.raises(DecodeError):
        otlp.decode_traces(text, otlp.JSON)


def test_too_many_spans_are_too_large() -> None:
    with pytest.raises(TooLarge, match="3 spans; at most 2"):
        decoded(SPAN_JSON, SPAN_JSON, SPAN_JSON, limits=Limits(spans=2))
    data = otlp.encode_traces_protobuf([SpanPart(TRACE, SPAN)] * 3)
    with pytest.raises(TooLarge):
        otlp.decode_traces(data, otlp.PROTOBUF, Limits(spans=2))


def test_too_many_attributes_cost_their_span() -> None:
    wide = {**SPAN_JSON, "attributes": [{"key": str(n), "value": {"intValue": n}} for n in range(5)]}
    assert decoded(wide, SPAN_JSON, limits=Limits(attributes=4)).refused[0].reason == "more than 4 attributes"


def test_one_reason_is_counted_and_keeps_one_sample() -> None:
    batch = decoded(*[{**SPAN_JSON, "traceId": "", "name": f"n{n}"} for n in range(3)])
    (refusal,) = batch.refused
    assert refusal.count == 3
    assert "n0" in refusal.sample


def test_a_resource_is_one_object_for_all_its_spans() -> None:
    batch = otlp.decode_traces(
        body(SPAN_JSON, {**SPAN_JSON, "spanId": "c" * 16}, resource={"attributes": []}), otlp.JSON
    )
    assert batch.parts[0].resource is batch.parts[1].resource is not None


def log_body(*records: dict[str, Any]) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}).encode()


def test_log_records_become_late_parts_of_the_span_they_name() -> None:
    named = {"traceId": TRACE, "spanId": SPAN, "body": {"kvlistValue": {"values": []}}}
    batch = otlp.decode_logs(
        log_body(
            {**named, "timeUnixNano": "0", "observedTimeUnixNano": "7", "eventName": "gen_ai.choice"},
            {**named, "timeUnixNano": "9", "attributes": [{"key": "event.name", "value": {"stringValue": "old"}}]},
            {"body": {"stringValue": "hello"}},
            {"body": {"stringValue": "world"}},
        ),
        otlp.JSON,
    )
    (part,) = batch.parts
    assert (part.trace_id, part.span_id, part.rank, part.at_ns) == (TRACE, SPAN, Rank.UPDATE, 9)
    assert [(log.time_ns, log.event_name, log.body) for log in part.logs] == [(7, "gen_ai.choice", {}), (9, "old", {})]
    (refusal,) = batch.refused
    assert (refusal.reason, refusal.count) == ("log record names no span", 2)


def test_log_records_of_one_time_know_their_order() -> None:
    said = [{"traceId": TRACE, "spanId": SPAN, "body": {"stringValue": body}, "timeUnixNano": time}
            for body, time in (("c", "7"), ("b", "7"), ("a", "7"), ("d", "9"))]  # fmt: skip
    (part,) = otlp.decode_logs(log_body(*said), otlp.JSON).parts
    assert [(log.body, log.position) for log in part.logs] == [("c", 0), ("b", 1), ("a", 2), ("d", 0)]


def test_logs_in_protobuf_say_the_same() -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.trace_id, record.span_id = bytes.fromhex(TRACE), bytes.fromhex(SPAN)
    record.observed_time_unix_nano, record.severity_text, record.severity_number = 7, "INFO", 9
    record.body.string_value = "hello"
    attribute = record.attributes.add()
    attribute.key, attribute.value.string_value = "event.name", "greeting"
    request.resource_logs[0].scope_logs[0].log_records.add().body.string_value = "lost"
    batch = otlp.decode_logs(request.SerializeToString(), otlp.PROTOBUF)
    (log,) = batch.parts[0].logs
    assert (log.time_ns, log.event_name, log.body, log.severity, log.severity_number) == (
        7,
        "greeting",
        "hello",
        "INFO",
        9,
    )
    assert batch.refused[0].count == 1


@pytest.mark.parametrize(
    ("encode", "media"), [(otlp.encode_logs, otlp.JSON), (otlp.encode_logs_protobuf, otlp.PROTOBUF)]
)
def test_log_records_come_back_as_they_were(encode: Any, media: str) -> None:
    records = (
        LogRecord(
            7, "gen_ai.choice", {"message": {"content": "ä ✔"}, "index": 0}, {"gen_ai.system": "openai"}, "INFO", 9
        ),
        LogRecord(7, "", None, {}, position=1),
        LogRecord(8, "gen_ai.user.message", "text", {"n": [1, 2.5, True]}),
    )
    parts = [SpanPart(TRACE, SPAN, logs=records), SpanPart(TRACE, "c" * 16, name="says nothing")]
    (again,) = otlp.decode_logs(encode(parts), media).parts
    assert (again.trace_id, again.span_id, again.logs) == (TRACE, SPAN, records)


def test_what_our_own_sdk_knows_goes_out_as_attributes() -> None:
    reading = Reading(convention="sdk", kind="llm", request_model="m1", model="m1", usage=Usage(5, 2))
    part = SpanPart(TRACE, SPAN, attributes={"mine": 1}, reading=reading, status="error")
    (again,) = otlp.decode_traces(otlp.encode_traces([part]), otlp.JSON).parts
    assert again.attributes["gen_ai.usage.input_tokens"] == 5
    assert again.attributes["mine"] == 1
    assert again.status == "error"
