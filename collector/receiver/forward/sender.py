"""Posts what waits, oldest first; tries again what may be tried again."""

from __future__ import annotations

import gzip
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from collector.errors import DecodeError
from collector.model import SpanPart
from collector.receiver.forward.queue import Queue, Waiting

if TYPE_CHECKING:
    import httpx

    from collector.settings import Settings
    from collector.store.reader import Reader

MOST_BYTES = 4_000_000  # one request; what waited long is sent in few
TIMEOUT_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LONGEST_ASKED_S = 3600.0
"""As long as Retry-After may make us wait."""
AGAIN = frozenset({408, 429, 502, 503, 504})
"""May be tried again: opentelemetry.io/docs/specs/otlp/#retryable-response-codes, and 408."""

log = logging.getLogger(__name__)


class Forwarder:
    """Sends on what `stored` is given. `refused` hears (reason, sample, count) of what did not get through.

    `pause` is a seam for tests: it is called with the seconds to wait before the next try.
    """

    def __init__(
        self,
        settings: Settings,
        refused: Callable[[str, str, int], None],
        open_reader: Callable[[], AbstractContextManager[Reader]],
        *,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        assert settings.forward is not None
        self.url = settings.forward.rstrip("/").removesuffix("/v1/traces")
        self._headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        self._headers |= {name.lower(): value for name, value in settings.forward_headers.items()}
        self.queue = Queue(Path(f"{settings.db}-forward"), settings.forward_bytes)
        self._refused = refused
        self._open_reader = open_reader
        self._pause = pause or self._wait
        self._ending = threading.Event()
        self.sent = self.refusals = 0
        self._most_bytes = MOST_BYTES
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="forward", daemon=True)
        self._thread.start()

    def stored(self, parts: Sequence[SpanPart]) -> None:
        """Queue what was just committed. Never raises: a full disk here must not refuse what is stored already."""
        from collector.receiver.forward.bodies import bodies

        try:
            for signal, body, items in bodies(parts, self._open_reader):
                self.queue.put(signal, body, items)
        except Exception as e:  # noqa: BLE001  # the spans are stored already: nothing here may refuse them
            log.warning("cannot queue spans to be sent on: %r", e)
            self._refused("could not be queued to be sent on", repr(e), len(parts))

    def close(self, patience_s: float = 2.0) -> None:
        """Send what can be sent in so long; the rest waits on disk for the next start."""
        deadline = time.monotonic() + patience_s
        while len(self.queue) and self.trouble is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self._ending.set()
        self.queue.wake()
        self._thread.join(TIMEOUT_S)

    def report(self) -> dict[str, Any]:
        """For the status: what became of it. The address without user and password."""
        address = urlsplit(self.url)
        return {
            "url": address._replace(netloc=address.netloc.rpartition("@")[2]).geturl(),
            "sent": self.sent,
            "refused": self.refusals,
            "waiting_bodies": len(self.queue),
            "waiting_bytes": self.queue.size,
            "trouble": self.trouble,
        }

    def _wait(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def _run(self) -> None:
        import httpx

        with httpx.Client(timeout=TIMEOUT_S, headers=self._headers) as client:
            pause = FIRST_PAUSE_S
            while not self._ending.is_set():
                chosen = self.queue.first(self._most_bytes)
                if dropped := self.queue.take_dropped():
                    self._refuse("not sent on: more waited than forward_bytes", self.trouble or "", dropped)
                if not chosen:
                    self.queue.wait(1.0)
                    continue
                later = self._post(client, chosen)
                if later is None:
                    pause = FIRST_PAUSE_S
                    continue
                self._pause(max(later, pause * random.uniform(0.5, 1.0)))  # noqa: S311  # so that not all come at once
                pause = min(pause * 2, LONGEST_PAUSE_S)

    def _post(self, client: httpx.Client, chosen: list[Waiting]) -> float | None:
        """Send some bodies as one: two protobuf messages behind each other are one with both their lists.

        None when they are done with, else the seconds that the other side asks to wait (0: as long as we like).
        """
        import httpx

        items = sum(one.items for one in chosen)
        try:
            raw = b"".join(one.path.read_bytes() for one in chosen)
            body = gzip.compress(raw, 1)
            answer = client.post(f"{self.url}/v1/{chosen[0].signal}", content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            self._tell(f"{type(e).__name__}: {e}")
            return 0.0
        except OSError as e:  # a file that somebody deleted
            self.queue.done(chosen)
            self._refuse("not sent on: its file could not be read", str(e), items)
            return None
        if answer.status_code in AGAIN:
            self._tell(f"answered {answer.status_code}: {answer.text[:200]}")
            return _asked_for(answer.headers.get("retry-after", ""))
        if answer.status_code == 413 and self._in_pieces(chosen, raw):
            return None
        self.queue.done(chosen)
        self.trouble = None
        if answer.is_success and answer.headers.get("content-type", "").startswith("text/html"):
            self._refuse(
                "not sent on: the other side answered with a web page; is it an OTLP address?", answer.text, items
            )
        elif answer.is_success:
            self.sent += items
            self._partly(answer.content, answer.headers.get("content-type", ""))
        else:
            self._refuse(f"not sent on: the other side answered {answer.status_code}", answer.text, items)
        return None

    def _in_pieces(self, chosen: list[Waiting], raw: bytes) -> bool:
        """Make of what was too large for the other side something smaller to try; False where it is one span."""
        from collector.receiver.forward.bodies import halves

        if len(chosen) > 1:
            self._most_bytes = len(raw) // 2
            return True
        try:
            pieces = halves(chosen[0].signal, raw)
            if pieces:
                self.queue.split(chosen[0], pieces)
        except (DecodeError, OSError) as e:
            log.warning("what was too large to be sent on could not be divided: %s", e)
            return False
        return bool(pieces)

    def _partly(self, body: bytes, kind: str) -> None:
        """Count what the other side says it left out of a request that it took."""
        from collector.protocols.otlp import rejected_of

        if body:
            try:
                rejected, message = rejected_of(body, kind)
            except DecodeError:
                return  # it took it, and says so in words that are not OTLP's
            if rejected:
                self.sent -= rejected
                self._refuse("not sent on: the other side left it out", message, rejected)

    def _refuse(self, reason: str, sample: str, count: int) -> None:
        self.refusals += count
        self._refused(reason, sample, count)

    def _tell(self, trouble: str) -> None:
        if self.trouble is None:
            log.warning("cannot send on to %s, will try again: %s", self.report()["url"], trouble)
        self.trouble = trouble


def _asked_for(retry_after: str) -> float:
    """Retry-After in seconds, from now where it is a date (RFC 9110, 10.2.3); what is neither counts as none."""
    if retry_after.isdecimal():
        return min(float(retry_after), LONGEST_ASKED_S)
    try:
        until = parsedate_to_datetime(retry_after).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(until - time.time(), 0.0), LONGEST_ASKED_S)
