"""Files that spans speak of as `@@@langfuseMedia:type=…|id=…|source=…@@@`: announced, sent, and fetched again.

    POST  /api/public/media           {"sha256Hash", "contentType", "contentLength", "traceId", …} -> where to put it
    PUT   /api/public/media/{id}/data what is in it
    PATCH /api/public/media/{id}      how the sending went
    GET   /api/public/media/{id}      its type, its size, where to fetch it

The client checks that the id is the beginning of the hash in base64url; so a file has one id, whoever sends it.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, urlsafe_b64encode
from binascii import Error
from urllib.parse import quote

from starlette.responses import Response

from collector import ids
from collector.errors import DecodeError, NotFound, TooLarge
from collector.library import Media, MediaUse
from collector.model import Batch
from collector.protocols.langfuse import SOURCE
from collector.receiver.answers import json_response
from collector.receiver.call import Call
from collector.receiver.doors.langfuse.shapes import time
from collector.store.library import Library, MediaRow
from collector.store.reader import Reader

ID_CHARS = 22
SHA256_BYTES = 32
FOR_EVER = "9999-12-31T23:59:59Z"
HARMLESS = {
    "content-disposition": "attachment",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox",
}
"""What anybody sent is never run by a browser as a page of this address."""


async def announce(call: Call) -> Response:
    said = await call.document()
    digest = _digest(said.get("sha256Hash"))
    name = _id(digest)
    size, kind, field = said.get("contentLength"), said.get("contentType"), said.get("field")
    limit = call.house.settings.max_body_bytes
    if not isinstance(size, int) or not isinstance(kind, str) or not isinstance(field, str):
        raise DecodeError("media needs contentType, contentLength and field")
    if size > limit:
        raise TooLarge(f"a file of {size:,} bytes is over the limit of {limit:,}; it is not kept")
    trace, span = (said.get(key) or None for key in ("traceId", "observationId"))
    use = MediaUse(
        name, field, ids.trace_id(str(trace)) if trace else None, ids.span_id(str(span)) if span else None,
        str(said["datasetItemId"]) if said.get("datasetItemId") else None,
    )  # fmt: skip
    await call.write(Batch(SOURCE, library=(Media(name, kind, size, digest.hex()), use)))
    known = await call.ask(lambda reader: Library(reader).media(name))
    there = known is not None and known.hash is not None
    return json_response({"mediaId": name, "uploadUrl": None if there else _address(call, name)}, 201)


async def put(call: Call) -> Response:
    """The file itself. It must be what was announced."""
    name, body = call.path["id"], await call.raw()
    row = await _known(call, name)
    digest = hashlib.sha256(body).digest()
    if _id(digest) != name:
        raise DecodeError(f"{len(body):,} bytes are not the file {name} that was announced: their hash is another")
    kind = row.mime_type or call.headers.get("content-type")
    await call.write(Batch(SOURCE, library=(Media(name, kind, len(body), digest.hex(), body),)))
    return Response(status_code=200)


async def sent(call: Call) -> Response:
    """How the sending went, as the client saw it. The file tells better; so it is only acknowledged."""
    await call.json()
    await _known(call, call.path["id"])
    return Response(status_code=204)


async def get(call: Call) -> Response:
    name = call.path["id"]
    row = await _known(call, name)
    if row.hash is None:
        raise NotFound(f"file {name} was announced, and has not arrived")
    return json_response({
        "mediaId": name, "contentType": row.mime_type or "application/octet-stream", "contentLength": row.size or 0,
        "uploadedAt": time(row.updated_ns), "url": _address(call, name), "urlExpiry": FOR_EVER,
    })  # fmt: skip


async def fetch(call: Call) -> Response:
    def ask(reader: Reader) -> tuple[bytes | None, str | None]:
        shelf = Library(reader)
        row = shelf.media(call.path["id"])
        return (None, None) if row is None or row.hash is None else (shelf.blob(row.hash), row.mime_type)

    data, kind = await call.ask(ask)
    if data is None:
        raise NotFound(f"file {call.path['id']!r} is not here")
    return Response(data, headers=HARMLESS, media_type=kind or "application/octet-stream")


async def _known(call: Call, name: str) -> MediaRow:
    row = await call.ask(lambda reader: Library(reader).media(name))
    if row is None:
        raise NotFound(f"nobody announced a file {name!r}")
    return row


def _address(call: Call, name: str) -> str:
    """Where to put and to fetch the file: at the address that the client used. It sends no key along, so where one is
    needed the address holds it."""
    url = call.request.base_url
    token = call.house.settings.token
    login = f"tracetui:{quote(token, safe='')}@" if token else ""
    return f"{url.scheme}://{login}{url.netloc}/api/public/media/{name}/data"


def _digest(given: object) -> bytes:
    try:
        digest = b64decode(str(given).replace("-", "+").replace("_", "/"), validate=True)
    except (Error, ValueError):
        digest = b""
    if len(digest) != SHA256_BYTES:
        raise DecodeError("sha256Hash is the base64 of 32 bytes")
    return digest


def _id(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode()[:ID_CHARS]
