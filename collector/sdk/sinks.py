"""Where the worker's batches go: the file itself, or a collector over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from collector.errors import StoreBusy, StoreError
from collector.model import Receipt

if TYPE_CHECKING:
    from collector.model import Batch
    from collector.redact import Policy
    from collector.settings import Settings

HTTP_TIMEOUT_S = 10
LOOK_S = 0.01
"""At a time, for signals: the process has other things to do, so the next writer may have to do the rest."""
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class Sink(Protocol):
    """Takes batches. `write` returns once the batch is safe; it raises StoreError when it may be tried again."""

    def write(self, batch: Batch) -> Receipt: ...

    def chores(self) -> object: ...

    def release(self) -> None:
        """Close for now: the process forks."""

    def close(self) -> None: ...


def open_sink(settings: Settings) -> Sink:
    """The sink that the settings ask for."""
    if settings.url:
        from collector.redact import Policy

        return HttpSink(settings.url, settings.token, Policy(settings))
    from collector.ingest import Ingest

    return Ingest(settings.db, settings, look_s=LOOK_S)


class HttpSink:
    """POSTs native JSON lines to `{url}/v1/native`, after `policy`: secrets are gone before they leave the process,
    and the collector cannot call this program's `mask`."""

    def __init__(self, url: str, token: str | None = None, policy: Policy | None = None) -> None:
        from urllib import request  # not before it is needed: it loads ssl and email
        from urllib.parse import urlsplit

        self.url = url.rstrip("/") + "/v1/native"
        self.policy = policy
        self.headers = {"Content-Type": "application/x-ndjson"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        local = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
        proxies = request.ProxyHandler({}) if local else request.ProxyHandler()  # a proxy cannot reach our loopback
        self.opener = request.build_opener(proxies)

    def write(self, batch: Batch) -> Receipt:
        from urllib import error, request

        from collector.protocols import native

        body = native.encode_batch(batch if self.policy is None else self.policy.batch(batch))
        post = request.Request(self.url, body, self.headers)  # noqa: S310  # the settings allow http and https only
        try:
            with self.opener.open(post, timeout=HTTP_TIMEOUT_S) as answer:
                return _receipt(answer.read(), len(batch.parts))
        except error.HTTPError as e:
            with e:
                message = f"{self.url} answered {e.code} to {len(batch.parts)} spans: {e.read(300)!r}"
                raise (StoreBusy if e.code in TRY_AGAIN else ValueError)(message) from e
        except OSError as e:
            raise StoreError(f"{self.url} could not be reached: {e}") from e

    def chores(self) -> None:
        """Nothing: the collector does its own."""

    def release(self) -> None:
        self.close()

    def close(self) -> None:
        self.opener.close()


def _receipt(body: bytes, sent: int) -> Receipt:
    try:
        told = json.loads(body)
        return Receipt(
            received=int(told["received"]),
            stored=int(told["stored"]),
            duplicate=int(told["duplicate"]),
            clipped=int(told["clipped"]),
            rejected=int(told["rejected"]),
            reasons=tuple(told.get("reasons", ())),
        )
    except (ValueError, KeyError, TypeError):
        return Receipt(received=sent, stored=sent)
