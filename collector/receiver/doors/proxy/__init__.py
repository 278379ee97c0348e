"""`/proxy/NAME/…`: a request to a model's API, passed on as it is to the upstream of that name, and recorded.

    OPENAI_BASE_URL=http://127.0.0.1:4318/proxy/openai/v1
    ANTHROPIC_BASE_URL=http://127.0.0.1:4318/proxy/anthropic

Only upstreams that are built in or named in the settings are asked (`upstreams`). Keys pass through and are never
stored; of all headers only `x-tracetui-…`, which end here, `traceparent` and `baggage` are read (`placing`).
`/proxy/NAME@RUN/…` says which run of `tracetui run` a call is of.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
import time
from functools import partial
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from starlette.responses import Response

from collector.errors import DecodeError
from collector.protocols.proxied import Asked
from collector.receiver.answers import json_response
from collector.receiver.call import Call, Door, Way
from collector.receiver.doors.proxy import canned
from collector.receiver.doors.proxy.links import Line, Links, Request
from collector.receiver.doors.proxy.passing import Passing, error_of, passed_on
from collector.receiver.doors.proxy.placing import OURS, Place, place_of
from collector.receiver.doors.proxy.recorder import Exchange, Recorder
from collector.receiver.doors.proxy.upstreams import LOCAL, Upstream, checked_path, find
from collector.receiver.house import House

ANY = "GET POST PUT PATCH DELETE OPTIONS"
NAME = "proxy"
UNSENT = frozenset({b"host", b"content-length", b"accept-encoding"})
_TARGET = re.compile(rb"[!-~]*")
NO_SOCKETS = (
    "WebSockets (the Realtime API, Responses over WebSocket) are not passed on; let this client go to its provider "
    "directly, and trace it with the SDK"
)
KEYS = ("authorization", "x-api-key", "api-key")


async def pass_on(call: Call) -> Response:
    name, _, run = call.path["upstream"].partition("@")
    upstream = find(name, call.house.settings.upstreams)
    path = _rest_of_path(call)
    if "websocket" in call.headers.get("upgrade", "").lower():
        return json_response(error_of(NO_SOCKETS, "not_passed_on", 501), 501)
    body = await call.raw()
    began_ns = time.time_ns()
    headers = passed_on(call.request.headers.raw, UNSENT)
    place = place_of(call.headers)
    recorder = call.house.keep("proxy-recorder", partial(_recorder, call.house))
    asked = Asked(
        call.request.method, path.decode("utf-8", "replace"), upstream.host, upstream.port, upstream.name, body,
        began_ns, place.trace_id or secrets.token_hex(16), secrets.token_hex(8), place.parent_id,
        place.source_trace_id, place.session, place.user, place.tags, place.metadata, place.name, place.service,
        run or None, LOCAL.get(upstream.name), place.notes, call.headers.get("content-type", ""),
    )  # fmt: skip
    exchange = _exchange(call, asked, place, recorder)
    request = _request(call, upstream, path, headers, body)
    line = call.house.keep(f"proxy-to-{upstream.base}", partial(_line, call.house, upstream))
    return Passing(line, request, exchange, recorder, call.house.settings.started_after_s)


def _rest_of_path(call: Call) -> bytes:
    """The path behind the upstream's name, encoded as it came."""
    scope = call.request.scope
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    rest = raw.partition(b"?")[0].split(b"/", 3)
    return checked_path(b"/" + rest[3] if len(rest) > 3 else b"")


def _exchange(call: Call, asked: Asked, place: Place, recorder: Recorder) -> Exchange:
    key = "\0".join(call.headers.get(name, "") for name in KEYS)
    exchange = Exchange(asked, call.headers.get("content-encoding"), key, place.trace_id is not None)
    if not recorder.hold(exchange, len(asked.body)):
        asked.body, exchange.encoding = b"", None
        asked.notes += (exchange.unread,)
    return exchange


def _request(call: Call, upstream: Upstream, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> Request:
    """The same to the upstream: without what belongs to this connection, to us, or would pack the answer so that it
    could not be read."""
    kept = [(name, value) for name, value in headers if not (name.startswith(OURS) or _is_our_token(call, name, value))]
    accepted = _accepted(call.request.headers.get("accept-encoding"))
    if accepted is not None:
        kept.append((b"accept-encoding", accepted.encode("latin-1", "replace")))
    query = call.request.scope["query_string"]
    target = upstream.path + path + (b"?" + query if query else b"")
    if not _TARGET.fullmatch(target):
        raise DecodeError(f"the path {path[:100]!r} is none: it has characters that no address has")
    return Request(call.request.method, target or b"/", kept, body)


def _accepted(header: str | None) -> str | None:
    """Accept-Encoding without Brotli, which we could not read: every client that takes it takes something else."""
    if header is None:
        return None
    kept = [one.strip() for one in header.split(",") if not one.strip().lower().startswith(("br", "*"))]
    return ", ".join(kept) or "identity"


def _is_our_token(call: Call, name: bytes, value: bytes) -> bool:
    """Whether this header is the collector's own token, which is nobody else's business."""
    if not call.house.settings.token or name.decode("latin-1") not in KEYS:
        return False
    return call.house.guard.has_token({name.decode("latin-1"): value.decode("latin-1")})


def _recorder(house: House) -> Recorder:
    recorder = Recorder(house.queue, house.settings.max_body_bytes, NAME)

    async def close() -> None:
        await asyncio.to_thread(recorder.close)

    house.at_close(close)
    return recorder


def _line(house: House, upstream: Upstream) -> Line:
    """Connections to one upstream, by the proxy that the environment names for it; no redirects, no cookies."""
    if upstream.base == canned.BASE:
        return canned.Canned()
    scheme, host = urlsplit(upstream.base).scheme, upstream.host
    through = None if proxy_bypass(upstream.netloc) else getproxies().get(scheme) or getproxies().get("all")
    line: Line
    if through:
        from collector.receiver.doors.proxy.through import Through

        line = Through(f"{scheme}://{upstream.netloc}", through)
    else:
        tls = _tls() if scheme == "https" else None
        line = Links(
            host,
            upstream.port or (443 if tls else 80),
            upstream.netloc.encode("ascii" if upstream.netloc.isascii() else "idna"),
            tls,
        )
    house.at_close(line.aclose)
    return line


def _tls() -> ssl.SSLContext:
    """The certificates that httpx trusts, and so do the SDKs of most providers; SSL_CERT_FILE and SSL_CERT_DIR too."""
    import httpx

    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def fail(call: Call, status: int, message: str) -> Response:
    return json_response(error_of(message, "proxy_error", status), status)


DOOR = Door(
    NAME,
    (Way(ANY, "/proxy/{upstream}", pass_on), Way(ANY, "/proxy/{upstream}/{path:path}", pass_on)),
    fail=fail,
)
