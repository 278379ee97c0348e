"""The reader of protobuf says what the official library says."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError as ProtobufError
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.errors import DecodeError
from collector.model import SpanPart
from collector.protocols import otlp, otlp_protobuf_values, wire
from tests.protocols import strategies


def value_of(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: value_of(item.value) for item in value.kvlist_value.values}
    return None if kind is None else getattr(value, kind)


pieces = st.lists(
    st.sampled_from([
        KeyValue(key="k").SerializeToString(), KeyValue(key="").SerializeToString(), b"\x12\x00", b"\x0a\x00",
        b"\x12\x03\x0a\x01v", b"\x12\x02\x10\x01", b"\x12\x02\x18\x05", b"\x12\x0b\x18" + b"\xff" * 9 + b"\x01",
        b"\x12\x09\x21" + b"\x01" * 8, b"\x12\x04\x2a\x02\x0a\x00", b"\x12\x02\x32\x00", b"\x12\x03\x3a\x01\xff",
        b"\x12\x04\x0a\x00\x18\x01", b"\x1a\x01x", b"\x20\x01", b"\x2d\x00\x00\x00\x00", b"\x81\x01" + b"\x00" * 8,
        b"\x12\x82\x00\x18\x05",
    ]),
    max_size=5,
).map(b"".join)  # fmt: skip


@given(pieces | st.binary(max_size=20))
def test_a_key_and_value_in_any_shape_reads_as_the_library_reads_it(data: bytes) -> None:
    try:
        want: Any = KeyValue.FromString(data)
    except ProtobufError:
        want = None
    try:
        got = otlp_protobuf_values.pair(data, 0, len(data), 8)
    except wire.BROKEN:
        got = None
    if want is not None and got is not None:
        assert got[0] == want.key
        assert repr(got[1]) == repr(value_of(want.value)) or _merged(data)
    elif want is not None:
        assert b"\x0b" in data or any(byte & 7 == 3 for byte in data)  # groups, which OTLP never had


def _merged(data: bytes) -> bool:
    """A singular message sent twice is merged by the library; here the last one stands."""
    return sum(tag == 0x12 for tag, _, _ in wire.message(data, 0, len(data))) > 1


@given(strategies.otlp_parts(), st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_body_is_read_or_refused(part: SpanPart, at: int, byte: int) -> None:
    data = bytearray(otlp.encode_traces_protobuf([part]))
    data[at % len(data)] = byte
    try:
        batch = otlp.decode_traces(bytes(data), otlp.PROTOBUF)
    except DecodeError:
        return
    assert len(batch.parts) + sum(refusal.count for refusal in batch.refused) <= 1


@given(strategies.otlp_parts())
def test_a_truncated_body_is_not_read(part: SpanPart) -> None:
    data = otlp.encode_traces_protobuf([part])
    for cut in range(1, min(len(data), 40)):
        try:
            ExportTraceServiceRequest.FromString(data[:-cut])
        except ProtobufError:
            try:
                batch = otlp.decode_traces(data[:-cut], otlp.PROTOBUF)
            except DecodeError:
                continue
            assert batch.parts == ()


def test_the_field_numbers_are_those_of_the_schema() -> None:
    """Whoever moves one finds out here."""
    wanted = {
        Span: "trace_id span_id trace_state parent_span_id name kind start_time_unix_nano end_time_unix_nano attributes"
        " dropped_attributes_count events dropped_events_count links dropped_links_count status flags",
        Span.Event: "time_unix_nano name attributes dropped_attributes_count",
        Span.Link: "trace_id span_id trace_state attributes dropped_attributes_count flags",
    }
    for message, names in wanted.items():
        numbers = {field.name: field.number for field in message.DESCRIPTOR.fields}
        assert [numbers[name] for name in names.split()] == list(range(1, len(names.split()) + 1))
    numbers = {field.name: field.number for field in LogRecord.DESCRIPTOR.fields}
    assert (numbers["body"], numbers["attributes"], numbers["trace_id"], numbers["span_id"]) == (5, 6, 9, 10)
    assert (numbers["observed_time_unix_nano"], numbers["event_name"]) == (11, 12)


def test_a_value_that_could_be_changed_is_not_shared() -> None:
    parts = [SpanPart("ab" * 16, f"{n:016x}", attributes={"x": [1]}) for n in (1, 2)]
    first, second = otlp.decode_traces(otlp.encode_traces_protobuf(parts), otlp.PROTOBUF).parts
    assert first.attributes["x"] is not second.attributes["x"]
