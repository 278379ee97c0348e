"""`POST /v1/native`: spans, scores and processes as our own JSON lines; the answer is the receipt, as JSON."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial

from starlette.responses import Response

from collector.model import Receipt
from collector.receiver.answers import json_response, otlp_error
from collector.receiver.call import Call, Door, Way


async def take(call: Call) -> Response:
    receipt = await call.store(partial(call.house.decoders.decode, "native"), alone=True)
    return json_response(receipt_json(receipt))


def receipt_json(receipt: Receipt) -> dict[str, object]:
    """{"received", "stored", "duplicate", "clipped", "rejected", "reasons"}: counts of spans. "refused" and "cut"
    name them: [{"reason", "count", "spans": [[trace id, span id], …]}, …] and [[trace id, span id], …]."""
    refused = [{"reason": one.reason, "count": one.count, "spans": one.spans} for one in receipt.refused]
    return asdict(replace(receipt, refused=())) | {"refused": refused}


DOOR = Door("sdk", (Way("POST", "/v1/native", take),), fail=otlp_error)
