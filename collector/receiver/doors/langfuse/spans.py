"""What Langfuse's SDKs send while an application runs: OTLP spans (from version 3 on), events (before), scores."""

from __future__ import annotations

import time
from dataclasses import replace

from starlette.responses import Response

from collector.library import Gone
from collector.model import Batch, Refusal
from collector.protocols import langfuse
from collector.protocols.limits import Limits
from collector.receiver.answers import answer_type, export_response, json_response, otlp_error, rejection
from collector.receiver.bodies import media_type
from collector.receiver.call import Call

DROPPED = "a Langfuse score that cannot be read"


async def export(call: Call) -> Response:
    """OTLP, as at every other address; and the experiments that the spans name."""
    header = call.request.headers.get("content-type")
    media_type(header, b"")
    kind = answer_type(header)

    def decode(body: bytes) -> Batch:
        nonlocal kind
        kind = media_type(header, body)
        batch = call.house.decoders.decode("traces", body, kind)
        return replace(batch, library=langfuse.experiments(batch.parts))

    receipt = await call.store(decode)
    return Response(export_response("traces", kind, receipt.rejected, rejection(receipt)), media_type=kind)


async def ingest(call: Call) -> Response:
    """A batch of events: 207, with an answer to each."""
    said = langfuse.Ingestion(Batch(langfuse.SOURCE))
    limits = Limits(spans=call.house.settings.max_spans)

    def decode(body: bytes) -> Batch:
        nonlocal said
        said = langfuse.decode_ingestion(body, time.time_ns(), limits)
        return said.batch

    await call.store(decode)
    return json_response({"successes": said.successes, "errors": said.errors}, 207)


async def score(call: Call) -> Response:
    """One score, or a list of them: a list is answered with 202 or, where some were wrong, with 207 and which."""
    many = False
    made: list[str] = []
    errors: list[dict[str, object]] = []
    limits = Limits(spans=call.house.settings.max_spans)

    def decode(body: bytes) -> Batch:
        nonlocal many, made, errors
        many = body.lstrip()[:1] == b"["
        scores, errors = langfuse.decode_scores(body, time.time_ns(), limits)
        made = [one.score_id for one in scores]
        refused = tuple(Refusal(DROPPED, str(one["error"])) for one in errors)
        return Batch(langfuse.SOURCE, scores=tuple(scores), refused=refused)

    await call.store(decode)
    if not errors:
        return json_response({"message": "Accepted"}, 202) if many else json_response({"id": made[0]})
    if not many:
        return fail(call, 400, str(errors[0]["error"]))
    told = [{**one, "message": one["error"]} for one in errors]
    return json_response({"accepted": len(made), "rejected": len(errors), "errors": told}, 207)


async def delete_score(call: Call) -> Response:
    await call.write(Batch(langfuse.SOURCE, library=(Gone("score", call.path["id"]),)))
    return Response(status_code=202)


def fail(call: Call, status: int, message: str) -> Response:
    """An error as Langfuse's API words it; for its OTLP path as OTLP does."""
    if call.request.url.path.startswith("/api/public/otel/"):
        return otlp_error(call, status, message)
    names = {400: "InvalidRequestError", 404: "LangfuseNotFoundError", 401: "UnauthorizedError",
             501: "NotImplementedError"}  # fmt: skip
    said = {"message": message, "error": names.get(status, "InternalServerError")}
    return json_response(said, 405 if status == 501 else status)  # what is answered with 5xx the SDKs send thrice
