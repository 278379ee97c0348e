"""To an upstream by the proxy that the environment names for it (`HTTPS_PROXY` …): what `links` does, with httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from collector.receiver.doors.proxy.links import (
    CONNECT_S,
    IDLE_S,
    MOST_IDLE,
    WRITE_S,
    Answering,
    ConnectError,
    RemoteProtocolError,
    Request,
    WriteTimeout,
)

TIMEOUTS = {"connect": CONNECT_S, "read": None, "write": WRITE_S, "pool": CONNECT_S}
LIMITS = httpx.Limits(max_connections=500, max_keepalive_connections=MOST_IDLE, keepalive_expiry=IDLE_S)


class Through:
    """Connections to the upstream at `base` ("https://host:port"), by the proxy at `proxy`."""

    def __init__(self, base: str, proxy: str) -> None:
        self._base = httpx.URL(base)
        self._transport = httpx.AsyncHTTPTransport(limits=LIMITS, proxy=proxy, trust_env=True)

    async def ask(self, request: Request) -> Answering:
        """See `links.Links.ask`."""
        asked = httpx.Request(
            request.method, self._base.copy_with(raw_path=request.target), headers=request.headers,
            content=request.body or None, extensions={"timeout": TIMEOUTS},
        )  # fmt: skip
        try:
            return _Answer(await self._transport.handle_async_request(asked))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout) as e:
            raise ConnectError(str(e) or repr(e)) from e
        except httpx.WriteTimeout as e:
            raise WriteTimeout(f"nothing more of the request was taken for {WRITE_S:.0f} s") from e
        except httpx.TransportError as e:
            raise RemoteProtocolError(str(e) or repr(e)) from e

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Answer:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers.raw
        self._response = response
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._pieces: AsyncIterator[bytes] = aiter(response.stream)

    async def piece(self) -> bytes:
        while True:
            try:
                found = await anext(self._pieces)
            except StopAsyncIteration:
                return b""
            except httpx.TransportError as e:
                raise RemoteProtocolError(str(e) or repr(e)) from e
            if found:
                return found

    async def close(self) -> None:
        await self._response.aclose()
