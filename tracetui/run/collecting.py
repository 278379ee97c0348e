"""The collector around a command: start or join one, wait for the last span, and leave one file that is everything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from collector.errors import StoreError, TracetuiError
from collector.receiver.status import Status, probe
from collector.settings import Settings
from tracetui.child import News, Receiver

Answer = TypeVar("Answer")
START_S = 30.0
QUIET_S = 0.2
WATCH_S = 0.5
DRAIN_S = 5.0
CLOSE_S = 120.0
"""How long our collector may take to bring the full text of a large run up to date."""


class NoCollector(TracetuiError):  # named as collector.errors names them
    """None could be started."""


@dataclass(slots=True)
class Collecting:
    """A collector that listens. `notice` says who holds the usual port, when somebody does."""

    settings: Settings
    status: Status
    joined: bool
    notice: str
    receiver: Receiver
    _over: threading.Event = field(default_factory=threading.Event)
    _watcher: threading.Thread | None = None

    def watch(self, block: Callable[[], object], unblock: Callable[[], object]) -> None:
        """A collector that we joined may end before the command does: then one of ours takes its ports. The two
        arguments settle which threads hear signals (a child must not inherit that they are blocked)."""
        if self.joined:
            self._watcher = threading.Thread(target=self._watch, args=(block, unblock), name="tracetui-watch")
            self._watcher.daemon = True
            self._watcher.start()

    def _watch(self, block: Callable[[], object], unblock: Callable[[], object]) -> None:
        block()
        missed = 0
        while missed < 2 and not self._over.wait(WATCH_S):
            found = probe(self.status.host, self.status.http_port, token=self.settings.token)
            missed = missed + 1 if found is None else 0
        if self._over.is_set():
            return
        unblock()
        http, grpc = self.status.http_port, self.status.grpc_port
        self.receiver = Receiver(replace(self.settings, http_port=http, grpc_port=grpc))
        self.receiver.start(lambda _: block())
        self.joined = False

    def drain(self, *, bound_s: float = DRAIN_S, quiet_s: float = QUIET_S) -> None:
        """Wait until nothing has come in for `quiet_s`: exporters of a program that was killed may still be read."""
        end = time.monotonic() + bound_s
        seen, since = -1, time.monotonic()
        while time.monotonic() < min(end, since + quiet_s):
            found = probe(self.status.host, self.status.http_port, token=self.settings.token)
            if found is None:
                return
            if found.ledger.get("requests", 0) != seen:
                seen, since = found.ledger.get("requests", 0), time.monotonic()
            time.sleep(quiet_s / 5)

    def finish(self, ask: Callable[[], Answer]) -> Answer:
        """Drain, end our collector (one that we joined goes on), read back what was spilled, and fold the file.
        `ask` is called when all is stored, and before the file is closed: a reader that comes later leaves a
        -wal and a -shm behind."""
        self._over.set()
        if self._watcher is not None:
            self._watcher.join()
        self.drain()
        self.receiver.stop(CLOSE_S)
        return read_back(self.settings, ask)


def start(settings: Settings, on_thread: Callable[[], object] = lambda: None) -> Collecting:
    """Start or join a collector that writes this file; NoCollector says why not. `on_thread` is called in the thread
    that looks after it from then on."""
    heard: list[News] = []
    told = threading.Event()

    def tell(news: News) -> None:
        heard.append(news)
        told.set()
        on_thread()

    receiver = Receiver(settings)
    receiver.start(tell)
    try:
        if not told.wait(START_S):
            raise NoCollector(f"the collector for {settings.db} did not say within {START_S:.0f} s where it listens")
        news = heard[0]
        if news.listening is None:
            raise NoCollector(news.notice)
        host, _, port = news.listening.rpartition(":")
        status = probe(host, int(port), token=settings.token)
        if status is None:
            raise NoCollector(f"the collector on {news.listening} does not answer")
    except BaseException:
        receiver.stop()
        raise
    return Collecting(settings, status, news.joined, news.notice, receiver)


def read_back(settings: Settings, ask: Callable[[], Answer]) -> Answer:
    """Write what the command's SDK had to leave beside the file, catch up with full text, fold."""
    from collector import spilled
    from collector.ingest import Ingest
    from collector.store import upkeep

    with Ingest(settings.db, settings) as ingest:
        spilled.read_back(settings, ingest.write)
        answer = ask()
    wal = settings.db.with_name(f"{settings.db.name}-wal")
    if wal.exists():
        with suppress(StoreError):  # somebody else is at it; the last of them folds
            upkeep.fold(settings.db)
    return answer
