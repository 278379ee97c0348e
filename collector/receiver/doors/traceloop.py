"""Images that the Traceloop SDK takes out of messages (`TRACELOOP_BASE_URL` = our address), and sends by themselves.

    POST /v2/traces/{trace}/spans/{span}/images   {"image_name"} -> {"url"}: where to send it, and what the message says
    POST /v2/images/{id}                          {"image_data": base64}
    GET  /v2/images/{id}                          the image

Without an answer the SDK leaves the whole message out of its span. Source: traceloop.sdk.images of traceloop-sdk 0.62,
which writes the span's ids in decimal.
"""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
from base64 import b64decode
from binascii import Error

from starlette.responses import Response

from collector.errors import DecodeError, NotFound
from collector.library import Media, MediaUse
from collector.model import Batch
from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way
from collector.receiver.doors.langfuse.media import HARMLESS
from collector.store.library import Library
from collector.store.reader import Reader

SOURCE = "traceloop"
ID_BYTES = 16


async def announce(call: Call) -> Response:
    said = await call.json()
    named = said.get("image_name") if isinstance(said, dict) else None
    if not isinstance(named, str) or not named:
        raise DecodeError("an image needs an image_name")
    trace, span = _hex(call.path["trace"], 32), _hex(call.path["span"], 16)
    name = secrets.token_urlsafe(ID_BYTES)
    mime = mimetypes.guess_type(named)[0]
    await call.write(Batch(SOURCE, library=(Media(name, mime), MediaUse(name, named, trace, span))))
    return json_response({"url": f"{str(call.request.base_url).rstrip('/')}/v2/images/{name}"})


async def put(call: Call) -> Response:
    said, name = await call.json(), call.path["id"]
    row = await call.ask(lambda reader: Library(reader).media(name))
    if row is None:
        raise NotFound(f"nobody announced an image {name!r}")
    text = said.get("image_data") if isinstance(said, dict) else None
    try:
        data = b64decode(str(text).rpartition(",")[2], validate=True) if text else b""
    except (Error, ValueError):
        data = b""
    if not data:
        raise DecodeError("image_data is an image in base64")
    digest = hashlib.sha256(data).hexdigest()
    await call.write(Batch(SOURCE, library=(Media(name, row.mime_type, len(data), digest, data),)))
    return Response(status_code=204)


async def fetch(call: Call) -> Response:
    def ask(reader: Reader) -> tuple[bytes | None, str | None]:
        shelf = Library(reader)
        row = shelf.media(call.path["id"])
        return (None, None) if row is None or row.hash is None else (shelf.blob(row.hash), row.mime_type)

    data, kind = await call.ask(ask)
    if data is None:
        raise NotFound(f"image {call.path['id']!r} is not here")
    return Response(data, headers=HARMLESS, media_type=kind or "application/octet-stream")


def _hex(given: str, digits: int) -> str:
    """An id as its SDK writes it: a number in decimal, or hex of its full length."""
    try:
        number = int(given, 16 if len(given) == digits else 10)
    except ValueError:
        number = 0
    if not 0 < number < 16**digits:
        raise DecodeError(f"{given[:60]!r} is no id of {digits // 2} bytes")
    return f"{number:0{digits}x}"


DOOR = Door(
    SOURCE,
    (
        Way("POST", "/v2/traces/{trace}/spans/{span}/images", announce),
        Way("POST", "/v2/images/{id}", put),
        Way("GET", "/v2/images/{id}", fetch),
    ),
)
