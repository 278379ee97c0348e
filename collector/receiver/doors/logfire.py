"""`GET /v1/info`: what the Logfire SDK asks its backend before it sends (`LOGFIRE_BASE_URL` = our address).

It wants the project that its token writes to; without an answer it warns that data may not arrive. The spans
themselves come as OTLP, those that have only begun too. Source: `LogfireCredentials.from_token` of logfire 5.
"""

from __future__ import annotations

from starlette.responses import Response

from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way


async def info(call: Call) -> Response:
    return json_response({"project_name": "tracetui", "project_url": str(call.request.base_url)})


DOOR = Door("logfire", (Way("GET", "/v1/info", info),))
