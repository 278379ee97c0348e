"""`GET /v1/status`: see `collector.receiver.status`."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way


async def tell(call: Call) -> Response:
    status = await asyncio.to_thread(call.house.status)
    return json_response(status.to_json())


DOOR = Door("status", (Way("GET", "/v1/status", tell),))
