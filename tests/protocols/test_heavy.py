"""A body that is small in bytes and large in memory is turned away before it is read; another is read."""

from __future__ import annotations

from functools import partial

import orjson
import pytest

from collector.errors import DecodeError, TooLarge
from collector.protocols import jsonbody, langfuse, langsmith, otlp, wire
from collector.protocols.limits import Limits
from collector.receiver.decoding import Decoders

MANY = b"{}," * 3_000_000


def message(tag: int, body: bytes) -> bytes:
    size, length = len(body), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([tag]) + length + bytes([size]) + body


def span(*fields: bytes) -> bytes:
    ids = message(0x0A, b"\1" * 16) + message(0x12, b"\2" * 8)
    times = b"\x39" + (1).to_bytes(8, "little") + b"\x41" + (2).to_bytes(8, "little")
    return message(0x12, ids + times + b"".join(fields))


def request(*spans: bytes) -> bytes:
    return message(0x0A, message(0x12, b"".join(spans)))


ATTRIBUTE = message(0x4A, message(0x0A, b"key") + message(0x12, message(0x0A, b"value")))


@pytest.mark.parametrize("head", ['{"resourceSpans":[', '{"resourceSpans":[{"scopeSpans":[{"spans":[', "["])
def test_otlp_of_millions_of_empty_objects_is_too_large(head: str) -> None:
    with pytest.raises(TooLarge, match=r"so many small pieces that reading it may take 7\d\d MB"):
        otlp.decode_traces(head.encode() + MANY, otlp.JSON)


def test_no_door_reads_such_a_body() -> None:
    decoders = Decoders(100_000)
    with pytest.raises(TooLarge, match="small pieces"):
        decoders.run(partial(decoders.decode, "native"), "sdk", b'{"type":"span","x":[' + MANY + b"{}]}")
    with pytest.raises(TooLarge, match="small pieces"):
        decoders.run(partial(decoders.decode, "openai-agents"), "openai", b'{"data":[' + MANY + b"{}]}")
    for read in (partial(langfuse.decode_ingestion, now_ns=0), langsmith.decode_batch):
        with pytest.raises(TooLarge, match="small pieces"):
            read(b'{"batch":[' + MANY + b"{}]}")
    form = b'--x\r\nContent-Disposition: form-data; name="post.1"\r\nContent-Type: application/json\r\n\r\n{"id":['
    with pytest.raises(TooLarge, match="small pieces"):
        langsmith.decode_multipart(form + MANY + b"{}]}\r\n--x--\r\n", "multipart/form-data; boundary=x")


def test_a_protobuf_of_json_texts_is_not_weighed_as_what_they_spell() -> None:
    texts = [message(0x4A, message(0x0A, b"k%d" % n) + message(0x12, message(0x0A, MANY[:900_000]))) for n in range(9)]
    assert len(otlp.decode_traces(request(span(*texts))).parts) == 1


def test_a_long_text_and_many_numbers_weigh_little() -> None:
    prose = "Where is my order, please? It was {nearly} here, you said. " * 100_000
    numbers = [0.12345678901] * 500_000
    body = orjson.dumps({"text": prose, "embedding": numbers})
    assert len(body) > 5 * jsonbody.LIGHT_BYTES / 2
    assert jsonbody.load(body)["text"] == prose


def test_a_message_of_more_fields_than_anybody_sends_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_FIELDS", 50)
    for body in (b"\x0a\x00" * 60, message(0x0A, b"\x12\x00" * 60), request(*[message(0x12, b"")] * 60)):
        with pytest.raises(DecodeError, match="a message of more than 50 fields"):
            otlp.decode_traces(body)
    assert len(otlp.decode_traces(request(*[span()] * 40)).parts) == 40
    whole = otlp.decode_traces(request(span(), span(*[message(0x5A, b"")] * 60)))
    assert [one.reason for one in whole.refused] == ["span is not valid protobuf"]
    assert len(whole.parts) == 1


def test_counted_fields_are_those_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = b"\x08\x96\x01" + b"\x09" + bytes(8) + b"\x0d" + bytes(4) + message(0x12, b"x" * 200)
    for many in (1, 3):
        body = fields * many
        monkeypatch.setattr(wire, "MOST_FIELDS", 4 * many)
        assert len(wire.message(body, 0, len(body))) == 4 * many
        monkeypatch.setattr(wire, "MOST_FIELDS", 4 * many - 1)
        with pytest.raises(ValueError, match="more than"):
            wire.message(body, 0, len(body))


def test_empty_scopes_count_as_what_could_be_in_them() -> None:
    with pytest.raises(TooLarge, match="over 10 spans or scopes of them"):
        otlp.decode_traces(message(0x0A, b"\x12\x00" * 11), limits=Limits(spans=10))


@pytest.mark.parametrize(("what", "body"), [
    ("resources", {"resourceSpans": [{}] * 11}), ("scopes", {"resourceSpans": [{"scopeSpans": [{}] * 11}]}),
])  # fmt: skip
def test_empty_ones_count_in_json_too(what: str, body: object) -> None:
    with pytest.raises(TooLarge, match=f"a body of 11 {what}; at most 10"):
        otlp.decode_traces(orjson.dumps(body), otlp.JSON, Limits(spans=10))


def test_pieces_of_all_spans_of_a_body_are_counted() -> None:
    event = message(0x5A, message(0x1A, message(0x0A, b"k")))
    body = request(span(ATTRIBUTE, event), span(ATTRIBUTE, event))
    assert len(otlp.decode_traces(body, limits=Limits(pieces=6)).parts) == 2
    with pytest.raises(TooLarge, match="over 5 attributes, events and links"):
        otlp.decode_traces(body, limits=Limits(pieces=5))
