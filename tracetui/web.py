"""The web server of `tracetui serve`: textual-serve's, behind a token and a look at who asks.

Any page in any browser may connect to a port of this machine. So Host and Origin must be ours (the first keeps out
names that were pointed here, the second other pages), and the token must have come, once by the address, then as a
cookie that other sites do not send along.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

import click
from aiohttp import web
from textual_serve.server import Server

COOKIE = "tracetui"
_ELSEWHERE = re.compile(r"<link\b[^>]*https?://[^>]*>")
"""textual-serve's page loads a font from another host, which would learn of every visit."""
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebExplorer(Server):
    """`command` is run by a shell for every tab. `url` is what browsers use, without a slash at the end."""

    def __init__(self, command: str, *, host: str, port: int, url: str, token: str) -> None:
        super().__init__(command, host=host, port=port, title="tracetui", public_url=url)
        self.token = token

    def initialize_logging(self) -> None:
        """The host's logging is left alone: what goes wrong shows in the browser."""

    async def on_startup(self, app: web.Application) -> None:
        if self._guard not in app.middlewares:  # made elsewhere than in `_make_app`, which is textual-serve's own
            raise RuntimeError("this version of textual-serve cannot be guarded; install textual-serve 1.1.3")
        click.echo(f"Open {self.public_url}/?token={self.token}   (ctrl+c ends)")

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if request.host != urlsplit(self.public_url).netloc or origin not in (None, self._origin()):
            raise web.HTTPForbidden(text=f"This is not the address it is served at; open {self.public_url}/")
        if request.path == "/ws" and origin is None:
            raise web.HTTPForbidden(text="Only a page of this server may connect.")
        given = request.query.get("token")
        if not self._fits(given) and not self._fits(request.cookies.get(COOKIE)):
            raise web.HTTPForbidden(text="Open the address that `tracetui serve` printed: it holds the token.")
        if given is not None and request.path == "/":
            response = web.HTTPFound("/")  # out of the address bar and the history
            secure = self.public_url.startswith("https:")
            response.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict", secure=secure)
            return response
        answer = await handler(request)
        if request.path == "/" and isinstance(answer, web.Response) and answer.text:
            answer.text = _ELSEWHERE.sub("", answer.text)
        return answer

    def _origin(self) -> str:
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    def _fits(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())
