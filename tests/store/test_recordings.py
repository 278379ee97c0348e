"""What real clients sent gives the right sums, however it arrives: whole, backwards, twice, a span at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.model import Batch
from collector.protocols import langsmith, otlp
from collector.receiver.bodies import inflate
from collector.settings import Settings
from tests.store.audit import MODEL_KINDS, audit, carries, picture, rows

PAYLOADS = Path(__file__).parents[1] / "payloads"
EXPECTATIONS: dict[str, dict[str, Any]] = {
    **json.loads((PAYLOADS / "expectations.json").read_text()),
    **json.loads((PAYLOADS / "langsmith-expectations.json").read_text()),
}
FOLDERS = sorted(path.parent.name for path in PAYLOADS.glob("*/requests.json"))
SUMS = {
    "input_tokens": "input_tokens", "output_tokens": "output_tokens",
    "cached_input_tokens": "cache_read_tokens", "reasoning_tokens": "reasoning_tokens",
}  # fmt: skip

Deliveries = list[Batch]


@cache
def requests(folder: str) -> tuple[Batch, ...]:
    """The requests of a recording as batches, in the order they were sent."""
    found = []
    for request in json.loads((PAYLOADS / folder / "requests.json").read_text()):
        if request["file"] is None:
            continue
        body = (PAYLOADS / folder / request["file"]).read_bytes()
        headers = request.get("headers") or {}
        body = inflate(body, headers.get("content-encoding"), 10_000_000)
        if folder.startswith("langsmith"):
            found += runs(request["path"], body, headers)
            continue
        decode = otlp.decode_logs if "log" in request["path"].lower() else otlp.decode_traces
        kind = otlp.JSON if "json" in headers.get("content-type", "") else otlp.PROTOBUF
        found.append(decode(body, kind))
    return tuple(found)


def runs(path: str, body: bytes, headers: dict[str, str]) -> list[Batch]:
    """The runs of a request of LangSmith's own API; feedback aside, as not every delivery below has it."""
    if path == "/runs/multipart":
        return [replace(langsmith.decode_multipart(body, headers["content-type"]), scores=())]
    return [langsmith.decode_batch(body)] if path == "/runs/batch" else []


def as_sent(batches: Sequence[Batch], random: Random) -> Deliveries:
    return list(batches)


def in_one(batches: Sequence[Batch], random: Random) -> Deliveries:
    return [Batch("otlp-http", tuple(part for batch in batches for part in batch.parts))]


def backwards(batches: Sequence[Batch], random: Random) -> Deliveries:
    return [replace(batch, parts=batch.parts[::-1]) for batch in reversed(batches)]


def twice(batches: Sequence[Batch], random: Random) -> Deliveries:
    return [*batches, *batches]


def one_by_one(batches: Sequence[Batch], random: Random) -> Deliveries:
    parts = [part for batch in batches for part in batch.parts]
    random.shuffle(parts)
    return [Batch("otlp-http", (part,)) for part in parts]


WAYS: list[Callable[[Sequence[Batch], Random], Deliveries]] = [as_sent, in_one, backwards, twice, one_by_one]


def stored(path: Path, deliveries: Deliveries) -> None:
    with Ingest(path, Settings(db=path)) as ingest:
        for batch in deliveries:
            ingest.write(batch)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_recording_counts_each_call_once_however_it_arrives(folder: str, tmp_path: Path) -> None:
    wanted = EXPECTATIONS[folder]
    pictures = []
    for way in WAYS:
        path = tmp_path / f"{way.__name__}.db"
        stored(path, way(requests(folder), Random(7)))
        check(path, wanted, way.__name__)
        audit(path)
        pictures.append(picture(path))
    for way, found in zip(WAYS[1:], pictures[1:], strict=True):
        assert found == pictures[0], way.__name__


def check(path: Path, wanted: dict[str, Any], way: str) -> None:
    """The sums over all traces, sessions aside, are those a person counted from the bytes."""
    spans = [span for span in rows(path, "select * from spans") if span["start_ns"] is not None]
    traces = rows(path, "select * from traces")
    calls = [span for span in spans if span["counted"] and span["kind"] in MODEL_KINDS and carries(span)]
    found = {
        "span_count": len(spans),
        "trace_count": len(traces),
        "error_span_count": sum(trace["error_count"] for trace in traces),
        "model_calls_with_usage_deduplicated": len(calls),
        "totals_deduplicated": {name: sum(t[column] or 0 for t in traces) for name, column in SUMS.items()},
    }
    assert found == {name: wanted[name] for name in found}, way
    assert sum(trace["span_count"] for trace in traces) == wanted["span_count"]


def test_recordings_of_one_run_share_a_file_and_still_count_once(tmp_path: Path) -> None:
    """Two instrumentations of one client report the same calls; so do all recordings, sent again in another order."""
    path, again = tmp_path / "a.db", tmp_path / "b.db"
    everything = [batch for folder in FOLDERS for batch in requests(folder)]
    stored(path, everything)
    audit(path)
    stored(again, everything[::-1])
    assert picture(again) == picture(path)
    assert len(rows(path, "select 1 from spans where start_ns is not null")) == sum(
        EXPECTATIONS[folder]["span_count"] for folder in FOLDERS
    )
