"""`POST /v1/traces/ingest`: what the OpenAI Agents SDK sends to its own backend.

Answered 204, with which its exporter is content; what was refused is in the ledger, for it reads no more than the code.
"""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from collector.receiver.call import Call, Door, Way


async def take(call: Call) -> Response:
    await call.store(partial(call.house.decoders.decode, "openai-agents"))
    return Response(status_code=204)


DOOR = Door("openai-agents", (Way("POST", "/v1/traces/ingest", take),))
