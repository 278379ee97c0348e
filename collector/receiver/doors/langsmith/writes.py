"""What comes in: `/info`, so that an SDK knows how to send, then runs and feedback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from collector.errors import DecodeError, NotFound
from collector.library import Gone
from collector.model import Batch, Score
from collector.protocols import langsmith
from collector.protocols.langsmith_feedback import KEPT, judged
from collector.protocols.limits import Limits
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langsmith.links import Links
from collector.receiver.doors.langsmith.queries import told
from collector.receiver.doors.langsmith.views import TENANT
from collector.store import runs

Answer = Callable[[Call], Awaitable[Response]]
VERSION = "0.16.0"
"""Of LangSmith's API: what is served here is a part of this one. From 0.8.10 on, feedback comes with the runs; below
0.16.0, newer SDKs do not offer their newer queries."""
BATCH_BYTES = 20_971_520


async def info(call: Call) -> Response:
    """What the SDKs ask before they send: forms, compressed with zstd."""
    limit = min(BATCH_BYTES, call.house.settings.max_body_bytes)
    return json_response(
        {
            "version": VERSION,
            "license_expiration_time": None,
            "instance_flags": {
                "zstd_compression_enabled": True,
                "dataset_examples_multipart_enabled": True,
                "examples_multipart_enabled": True,
                "search_enabled": True,
            },
            "batch_ingest_config": {
                "use_multipart_endpoint": True,
                "scale_up_qsize_trigger": 1000,
                "scale_up_nthreads_limit": 16,
                "scale_down_nempty_trigger": 4,
                "size_limit": 100,
                "size_limit_bytes": limit,
            },
        }
    )


async def settings(call: Call) -> Response:
    """The workspace, of which there is one."""
    return json_response(
        {"id": TENANT, "tenant_handle": "local", "display_name": "tracetui", "created_at": "2026-01-01T00:00:00+00:00"}
    )


def links(call: Call) -> Links:
    """Which trace a run is in; one for all requests."""
    db = call.house.settings.db
    return call.house.keep("langsmith-links", lambda: Links(db))


async def _store(call: Call, decode: Callable[[bytes, Limits, langsmith.Whose], Batch]) -> Response:
    known, limits = links(call), Limits(spans=call.house.settings.max_spans)
    receipt = await call.store(lambda body: known.decode(lambda whose: decode(body, limits, whose)))
    said: dict[str, Any] = {"message": "Runs ingested"}
    if receipt.rejected:
        said["rejected"] = {"count": receipt.rejected, "reasons": list(receipt.reasons[:20])}
    return json_response(said, 202)


async def forms(call: Call) -> Response:
    """POST /runs/multipart."""
    kind = call.headers.get("content-type", "")
    return await _store(call, lambda body, limits, whose: langsmith.decode_multipart(body, kind, limits, whose))


async def batches(call: Call) -> Response:
    """POST /runs/batch."""
    return await _store(call, langsmith.decode_batch)


async def post_run(call: Call) -> Response:
    """POST /runs."""
    return await _store(call, lambda body, limits, whose: langsmith.decode_run(body, "post", None, limits, whose))


async def patch_run(call: Call) -> Response:
    """PATCH /runs/{id}."""
    run_id = str(call.path["run_id"])
    return await _store(call, lambda body, limits, whose: langsmith.decode_run(body, "patch", run_id, limits, whose))


async def post_feedback(call: Call) -> Response:
    """POST /feedback."""
    known = links(call)
    found: list[Score] = []

    def decode(body: bytes) -> Batch:
        batch = known.decode(lambda whose: langsmith.decode_feedback(body, whose=whose))
        found.extend(batch.scores)
        return batch

    await call.store(decode)
    return json_response(await call.ask(lambda reader: told(reader, found[0])))


async def patch_feedback(call: Call) -> Response:
    """PATCH /feedback/{id}: what is given replaces what was."""
    said, score_id = await call.json(), str(call.path["feedback_id"])
    if not isinstance(said, dict):
        raise DecodeError("a change of feedback is an object")
    score = await call.ask(lambda reader: runs.score(reader, score_id))
    if score is None:
        raise NotFound(f"no feedback {score_id} is here")
    before = (score.metadata or {}).get(KEPT)
    sent: dict[str, Any] = {"score": score.value, "value": score.label}
    if isinstance(before, dict):
        sent = dict(before)
    sent |= {name: said[name] for name in ("score", "value", "correction") if name in said}
    value, label, data_type = judged(sent.get("score"), sent.get("value"), sent.get("correction"))
    changed = Score(
        score.score_id, score.name, score.time_ns, score.trace_id, score.span_id, score.session_id, value, label,
        data_type, said.get("comment", score.comment), score.source, {**(score.metadata or {}), KEPT: sent},
    )  # fmt: skip
    await call.write(Batch(langsmith.SOURCE, scores=(changed,)))
    return json_response(await call.ask(lambda reader: told(reader, changed)))


async def delete_feedback(call: Call) -> Response:
    """DELETE /feedback/{id}."""
    await call.write(Batch(langsmith.SOURCE, library=(Gone("score", str(call.path["feedback_id"])),)))
    return json_response({"message": "deleted"})


WAYS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/info", info),
    ("GET", "/settings", settings),
    ("POST", "/runs/multipart", forms),
    ("POST", "/runs/batch", batches),
    ("POST", "/runs", post_run),
    ("PATCH", "/runs/{run_id}", patch_run),
    ("POST", "/feedback", post_feedback),
    ("PATCH", "/feedback/{feedback_id}", patch_feedback),
    ("DELETE", "/feedback/{feedback_id}", delete_feedback),
)
