"""The HTTP application: a gate that decides who comes in, then the doors' ways, then an answer whatever happens."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson
from starlette.convertors import Convertor
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Message, Receive, Scope, Send

from collector.errors import (
    DecodeError,
    FilterError,
    Forbidden,
    NotFound,
    NotKept,
    StoreBusy,
    StoreError,
    TooLarge,
    TracetuiError,
    UnsupportedMedia,
)
from collector.receiver.answers import JSON, answer_type, error_body, plain_error
from collector.receiver.call import BODY_S, Call, Door, Way
from collector.receiver.guard import cors_headers
from collector.receiver.house import House
from collector.receiver.room import Overloaded

AT_ONCE = 256
HTTP_CODES: tuple[tuple[type[Exception], int], ...] = (
    (DecodeError, 400),
    (FilterError, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (UnsupportedMedia, 415),
    (TooLarge, 413),
    (Overloaded, 429),
    (NotKept, 501),
    (StoreBusy, 503),
    (StoreError, 503),
)
REFUSALS = {
    400: "the body is not what its type says",
    408: "the body came too slowly",
    413: "over a limit of size or number",
    415: "of a type or encoding that is not read",
    501: "of a kind that is not kept here",
}
"""Which answers mean that something was sent and thrown away: the ledger's reasons."""
NO_WAY = "sent to a path that nothing answers"

log = logging.getLogger(__name__)


class Application:
    """In front of everything: who may come in, how many at once, what a browser is told; then the way that fits."""

    def __init__(self, house: House, doors: Iterable[Door]) -> None:
        self._house = house
        self._ways = Ways(doors)
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        answer = self._turned_away(scope, headers)
        origin = headers.get("origin")
        if origin is not None and self._house.guard.allows_origin(origin):
            preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
            extra = cors_headers(origin, headers.get("access-control-request-headers"), preflight=preflight)
            send = _with_headers(send, extra)
            if preflight:
                answer = Response(status_code=204)
        if answer is None:
            self._busy += 1
            try:
                answer = await self._answer(scope, receive, send)
                await answer(scope, receive, send)
            finally:
                self._busy -= 1
        else:
            await answer(scope, receive, send)

    def _turned_away(self, scope: Scope, headers: Headers) -> Response | None:
        verdict = self._house.guard.check(headers)
        if verdict.status == 401 and scope["path"] == "/v1/status":
            introduction = orjson.dumps(self._house.status().introduction())
            return Response(introduction, 401, {"www-authenticate": "Bearer"}, media_type=JSON)
        status, message = verdict.status, verdict.message
        if not status and self._busy >= AT_ONCE:
            status, message = 429, f"{AT_ONCE} requests are being handled at once"
        if not status:
            return None
        self._house.turned_away[f"{status} {verdict.reason or 'too many requests at once'}"] += 1
        kind = answer_type(headers.get("content-type"))
        return _headed(Response(error_body(status, kind, message), status, media_type=kind))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response:
        door, way, params = self._ways.find(scope["method"], scope["path"])
        request = Request({**scope, "path_params": params}, receive, send)
        if door is None or way is None:
            return await self._nobody(request)
        call = Call(self._house, request, door.name)
        try:
            return await way.answer(call)
        except Exception as e:  # noqa: BLE001  # one of the four edges: whatever happened, the sender gets an answer
            return await self._failure(door, call, e)
        finally:
            call.end()

    async def _failure(self, door: Door, call: Call, error: Exception) -> Response:
        status, message = explain(error)
        if status == 500:
            log.exception("%s %s could not be answered", call.request.method, call.request.url.path, exc_info=error)
        if status in REFUSALS and (status != 501 or call.request.method not in ("GET", "HEAD")):
            await self._house.count_refusal(door.name, REFUSALS[status], f"{call.request.url.path}: {message}")
        return _headed(door.fail(call, status, message))

    async def _nobody(self, request: Request) -> Response:
        method, path = request.method, request.url.path
        methods = self._ways.methods(path)
        if method not in ("GET", "HEAD", "OPTIONS"):
            await self._house.count_refusal("http", NO_WAY, f"{method} {path}")
        if not methods:
            return plain_error(None, 404, f"nothing answers {method} {path} here; docs/ has a page for each client")
        answer = plain_error(None, 405, f"{path} answers {', '.join(methods)}, not {method}")
        answer.headers["allow"] = ", ".join(methods)
        return answer


class Ways:
    """Finds a request's way: plain paths, which exporters post to, by a look-up; then patterns in order."""

    def __init__(self, doors: Iterable[Door]) -> None:
        self._plain: dict[tuple[str, str], tuple[Door, Way]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Convertor[Any]], Door, Way]] = []
        for door in doors:
            for way in door.ways:
                if "{" in way.path:
                    pattern, _, convertors = compile_path(way.path)
                    self._patterns.append((pattern, convertors, door, way))
                else:
                    for method in way.methods.split():
                        self._plain.setdefault((method, way.path), (door, way))

    def find(self, method: str, path: str) -> tuple[Door | None, Way | None, dict[str, Any]]:
        """(None, None, {}) where nothing fits. HEAD is answered as GET."""
        method = "GET" if method == "HEAD" else method
        found = self._plain.get((method, path))
        if found is not None:
            return *found, {}
        for pattern, convertors, door, way in self._patterns:
            match = pattern.match(path)
            if match and method in way.methods.split():
                return door, way, {name: convertors[name].convert(text) for name, text in match.groupdict().items()}
        return None, None, {}

    def methods(self, path: str) -> list[str]:
        """What a path answers, sorted."""
        plain = {method for method, known in self._plain if known == path}
        return sorted(plain.union(*[way.methods.split() for p, _, _, way in self._patterns if p.match(path)]))


def explain(error: BaseException) -> tuple[int, str]:
    """The status code an error is answered with, and its sentence. What nobody foresaw keeps its details."""
    if isinstance(error, ClientDisconnect):
        return 400, "the sender went away before the end of the body"
    if isinstance(error, TimeoutError):
        return 408, f"the body did not arrive within {BODY_S:.0f} s"
    status = next((code for kind, code in HTTP_CODES if isinstance(error, kind)), 500)
    known = isinstance(error, (TracetuiError, Overloaded)) and status != 500
    return status, str(error) if known else f"the collector failed: {type(error).__name__}"


def _headed(response: Response) -> Response:
    """With what the status code wants to be said beside it."""
    if response.status_code in (429, 503):
        response.headers.setdefault("retry-after", "1")
    if response.status_code == 408:
        response.headers["connection"] = "close"  # what is still to come is not waited for
    if response.status_code == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def _with_headers(send: Send, extra: dict[str, str]) -> Callable[[Message], Awaitable[None]]:
    added = [(name.encode(), value.encode("latin-1", "replace")) for name, value in extra.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return sending
