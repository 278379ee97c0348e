"""`GET /v1/status`: see `collector.receiver.status`.

Beside what the receiver says of itself, what its file's ledger says of every source, who was not let in, and which
attributes no convention knows: those only where they are asked for (`?keys=1`), since they take a look at many spans.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from collector.errors import TracetuiError
from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way

if TYPE_CHECKING:
    from collector.store.reader import Reader


async def tell(call: Call) -> Response:
    status = await asyncio.to_thread(call.house.status)
    said = status.to_json() | {"turned_away": dict(call.house.turned_away)}
    try:
        said |= await call.ask(sources)
        if call.query.get("keys"):
            said |= await call.ask(keys)
    except TracetuiError as e:  # who it is must be told all the same
        said |= {"sources": [], "note": str(e)}
    return json_response(said)


def sources(reader: Reader) -> dict[str, Any]:
    """{"sources": […]}: what became of what each of them sent."""
    from collector.store.received import by_source

    return {"sources": [one.to_json() for one in by_source(reader.ledger(), reader.last_seen())]}


def keys(reader: Reader) -> dict[str, Any]:
    """{"unmapped_keys": […], "unmapped_keys_more": how many more}."""
    from collector.store.unmapped import unmapped_keys

    listed, more = unmapped_keys(reader)
    return {"unmapped_keys": [asdict(one) for one in listed], "unmapped_keys_more": more}


DOOR = Door("status", (Way("GET", "/v1/status", tell),))
