"""Whatever comes in through any door: a 4xx or a row in the ledger, never a 500, a hang or a dead process.

Requests that real clients sent, damaged: bytes turned, cut, repeated; values replaced by others of wrong types, in the
document and inside the attributes that conventions read. They go through a real receiver into a real file. Whatever
door has a recording in tests/payloads is tried.
"""

from __future__ import annotations

import copy
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import store
from collector.protocols import otlp
from collector.receiver.doors import doors
from tests.protocols.strategies import values
from tests.receiver.running import Running, running, settings_for

PAYLOADS = Path(__file__).parents[1] / "payloads"
ALL_WELL = {200, 201, 202, 204, 207}
HIS_FAULT = {400, 404, 405, 409, 413, 415, 422}
SOME = settings(suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Recorded:
    """One request of a real client, its body inflated."""

    name: str
    method: str
    path: str
    kind: str
    body: bytes


@cache
def recorded() -> list[Recorded]:
    out = []
    for listing in sorted(PAYLOADS.glob("**/requests.json")):
        for request in json.loads(listing.read_text()):
            if request["file"] and request["kind"] == "http":
                file = listing.parent / request["file"]
                kind = request["headers"].get("content-type", "application/octet-stream")
                out.append(Recorded(file.name, request["method"], request["path"], kind, _inflated(file)))
    return out


def _inflated(file: Path) -> bytes:
    data = file.read_bytes()
    if file.suffix == ".gz":
        return gzip.decompress(data)
    if file.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("fuzz")
    with running(settings_for(folder, max_spans=10_000), real=True) as one:
        yield one


def send(up: Running, request: Recorded, **headers: str) -> int:
    url = request.path if request.path.startswith("/") else "/" + request.path
    answer = up.client.request(
        request.method, url, content=request.body, headers={"content-type": request.kind, **headers}
    )
    assert answer.status_code in ALL_WELL | HIS_FAULT, (answer.status_code, answer.text, request)
    return answer.status_code


@st.composite
def damaged(draw: st.DrawFn) -> Recorded:
    """Bytes turned, cut out, repeated or put in."""
    request = draw(st.sampled_from(recorded()))
    body = bytearray(request.body)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        how = draw(st.sampled_from(["turn", "cut", "drop", "repeat", "insert"]))
        if how == "turn" and body:
            body[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del body[at:]
        elif how == "drop":
            del body[at : at + draw(st.integers(1, 40))]
        elif how == "repeat":
            body[at:at] = body[at : at + draw(st.integers(1, 40))]
        else:
            body[at:at] = draw(st.binary(min_size=1, max_size=8))
    return replace(request, body=bytes(body))


json_values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8),
    st.sampled_from([[], {}, [[]], [{}], {"": None}, "{", "[1", '{"a": NaN}', "\ud800", "0", "-1", "1e400", "\x00"]),
)  # fmt: skip


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every node below the root."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def put(document: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


@cache
def documents() -> list[tuple[Recorded, Any, list[tuple[Any, ...]]]]:
    """Every recorded body that is JSON, and OTLP's protobuf as JSON."""
    out = []
    for request in recorded():
        if request.path.endswith("/v1/traces"):
            parts = otlp.decode_traces(request.body, request.kind).parts
            request = replace(request, kind="application/json", body=otlp.encode_traces(parts[:12]))
        if "json" in request.kind:
            document = orjson.loads(request.body)
            out.append((request, document, list(places(document))))
    return out


@st.composite
def mistyped(draw: st.DrawFn) -> Recorded:
    """A few values of a document replaced by ones of other types."""
    request, document, ways = draw(st.sampled_from(documents()))
    document = copy.deepcopy(document)
    for way in draw(st.lists(st.sampled_from(ways), min_size=1, max_size=3, unique=True)):
        try:
            put(document, way, copy.deepcopy(draw(json_values)))
        except (LookupError, TypeError):  # inside a value that was replaced before
            continue
    return replace(request, body=json.dumps(document).encode())


@cache
def spans() -> list[Any]:
    return [
        part
        for request in recorded()
        if request.path.endswith("/v1/traces")
        for part in otlp.decode_traces(request.body, request.kind).parts
        if part.attributes
    ]


@st.composite
def misread(draw: st.DrawFn) -> Recorded:
    """A span whose attributes, which some convention reads, have values that it cannot mean."""
    part = draw(st.sampled_from(spans()))
    keys = draw(st.lists(st.sampled_from(sorted(part.attributes)), min_size=1, max_size=4, unique=True))
    wrong = st.one_of(values, st.sampled_from(['{"a":', "[[[]]]", '[{"role": 1}]', '{"content": [[]]}', "-1", "nan"]))
    attributes = {**part.attributes, **{key: draw(wrong) for key in keys}}
    body = otlp.encode_traces([replace(part, attributes=attributes)])
    return Recorded("misread", "POST", "/v1/traces", "application/json", body)


@SOME
@given(damaged())
def test_damaged_bytes_are_answered(up: Running, request_: Recorded) -> None:
    send(up, request_)


@SOME
@given(mistyped())
def test_values_of_wrong_types_are_answered(up: Running, request_: Recorded) -> None:
    send(up, request_)


@SOME
@given(misread())
def test_attributes_that_mean_nothing_are_stored(up: Running, request_: Recorded) -> None:
    assert send(up, request_) == 200


@SOME
@given(st.data(), st.sampled_from(["gzip", "deflate", "zstd"]))
def test_damaged_compression_is_answered(up: Running, data: st.DataObject, encoding: str) -> None:
    request = data.draw(st.sampled_from(recorded()))
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[encoding](
        request.body[:3000]
    )
    at = data.draw(st.integers(0, len(packed)))
    body = packed[:at] + data.draw(st.binary(max_size=3)) + packed[at + data.draw(st.integers(0, 3)) :]
    send(up, replace(request, body=body), **{"content-encoding": encoding})


@pytest.mark.parametrize("kind", ["application/json", "application/x-protobuf", "multipart/form-data; boundary=x", ""])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"0", b'"', b"--x--", b"\x00", b"\xff\xfe{}"])
def test_the_smallest_bodies_are_answered_at_every_door(up: Running, kind: str, body: bytes) -> None:
    for method, path in sorted({(one.method, one.path) for one in recorded()}):
        send(up, Recorded("small", method, path, kind, body))


def test_after_all_that_the_file_is_sound_and_the_ledger_tells(up: Running) -> None:
    whole = next(one for one in recorded() if one.path == "/v1/traces" and "protobuf" in one.kind)
    assert [send(up, whole), send(up, replace(whole, body=b"\x0a\xff"))] == [200, 400]
    with store.open_reader(up.receiver.settings.db) as reader:
        outcomes = {row.outcome for row in reader.ledger()}
        assert {"received", "stored", "rejected"} <= outcomes
        for row in reader.traces(limit=1000):
            for span in reader.tree_spans(row.trace_id, limit=20):
                reader.span(row.trace_id, span.span_id)


def asked_for() -> list[tuple[str, str]]:
    """(method, path) of everything that is asked, not sent: every door but the proxy, which asks others."""
    return [
        (method, way.path)
        for door in doors()
        if door.name != "proxy"
        for way in door.ways
        for method in way.methods.split()
        if method in ("GET", "DELETE")
    ]


odd = st.one_of(
    st.text(max_size=6), st.integers(-(2**66), 2**66).map(str),
    st.sampled_from(["0", "-1", "nan", "", "null", "[]", '{"a":', "'", "%", "2020-01-01", "9999-99-99T99:99:99Z",
                     "\x00", "a" * 32, "11111111-1111-4111-8111-111111111111", "true", "..", "é🙂"]),
)  # fmt: skip
NAMES = (
    "page", "limit", "cursor", "filter", "fromTimestamp", "toTimestamp", "fromStartTime", "orderBy", "name", "userId",
    "tags", "type", "level", "version", "label", "traceId", "datasetName", "expand", "fields", "id", "run", "session",
    "offset", "dataset", "as_of", "metadata", "parseIoAsJson", "sessionId", "environment", "keys",
    "name_contains", "sort_by",
)  # fmt: skip


@SOME
@given(st.data())
def test_odd_questions_are_answered(up: Running, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(asked_for()))
    path = re.sub(r"\{\w+(:\w+)?\}", lambda _: quote(data.draw(odd), safe=""), path)
    query = data.draw(st.dictionaries(st.sampled_from(NAMES), odd, max_size=4))
    answer = up.client.request(method, path, params=query)
    assert answer.status_code < 500 or answer.status_code == 501, (method, path, query, answer.text)


def taken() -> list[tuple[str, str]]:
    """(method, path) of what takes a JSON document at LangSmith's door, without what only repeats it under a prefix."""
    return [
        (method, way.path)
        for door in doors()
        if door.name == "langsmith"
        for way in door.ways
        for method in way.methods.split()
        if method in ("POST", "PUT", "PATCH") and not way.path.startswith(("/api/v1", "/platform"))
    ]


FIELDS = (
    "id name run_id feedback_key expires_in expires_at experiment_ids reference_dataset_id extra example_ids operations"
    " split_name examples tag as_of project_id filter trace_filter selects page_size cursor min_start_time trace_ids"
    " session session_ids filters order error start_time run_type query score value correction inputs metadata"
    " dataset_id"
).split()


@SOME
@given(st.data())
def test_odd_documents_are_answered(up: Running, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(taken()))
    path = re.sub(r"\{\w+(:\w+)?\}", lambda _: quote(data.draw(odd), safe=""), path)
    said = data.draw(st.dictionaries(st.sampled_from(FIELDS), st.one_of(values, odd, st.lists(odd, max_size=2))))
    body = json.dumps(data.draw(st.sampled_from([said, [said]])), default=repr)
    answer = up.client.request(method, path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code < 500 or answer.status_code == 501, (method, path, body, answer.text)
