"""Put together: ports, file, queue, HTTP, gRPC; run; and end so that nothing accepted is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from collector.model import Batch, Refusal, SpanPart
from collector.receiver.corridor import Corridor, WriteQueue
from collector.receiver.decoding import Decoders
from collector.receiver.doors import doors
from collector.receiver.first_bytes import FirstBytes
from collector.receiver.forward import Forwarder
from collector.receiver.frames import Meter
from collector.receiver.guard import Guard
from collector.receiver.house import House
from collector.receiver.http import Application
from collector.receiver.http1 import Http1
from collector.receiver.ports import bind, check_exposure, check_forward
from collector.receiver.status import LEDGER, Status
from collector.settings import Settings
from collector.spilled import read_back
from collector.version import VERSION

if TYPE_CHECKING:
    from collector.receiver.grpc_door import GrpcServer
    from collector.store.reader import Reader

KEEP_ALIVE_S = 75  # longer than exporters wait between batches, so that they need not connect anew each time
OPEN_CONNECTIONS = 500  # half of what a process may usually have open
GRACE_S = 10


class Receiver:
    """One receiver: binds its ports when made, opens its file, and runs in the calling thread.

    `open_ingest` is a seam for tests. PortTaken, SettingsError and StoreError come from the constructor.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        next_free: bool = False,
        open_ingest: Callable[[Settings], Corridor] | None = None,
        decoders: Decoders | None = None,
    ) -> None:
        check_exposure(settings.host, settings.token)
        self.settings = settings
        self._started = time.time()
        self._forward: Forwarder | None = None
        self._sockets: list[socket.socket] = []
        try:
            self._sockets.append(bind(settings.host, settings.http_port, "--http-port", next_free=next_free))
            self._sockets.append(bind(settings.host, settings.grpc_port, "--grpc-port", next_free=next_free))
            self._ports = [s.getsockname()[1] for s in self._sockets]
            check_forward(settings.forward, settings.host, self._ports)
            ingest = (open_ingest or self._open_ingest)(settings)
        except BaseException:
            self._close_sockets()
            raise
        self._queue = WriteQueue(ingest, settings.queue_bytes, partial(read_back, settings))
        if settings.forward:
            self._forward = Forwarder(settings, self._count_unforwarded, self._open_reader)
        self._decoders = decoders or Decoders(settings.max_spans)
        self._preload = decoders is None
        self._guard = Guard(settings.host, settings.token, settings.allowed_hosts, settings.allowed_origins)
        self._grpc: GrpcServer | None = None
        self._grpc_starts = threading.Lock()
        self._server: uvicorn.Server | None = None

    def run(
        self, *, stop_with_stdin: bool = False, on_ready: Callable[[Status], None] | None = None, signals: bool = True
    ) -> None:
        """Serve until `stop`, a signal, or the end of stdin; then drain and close. Call it once."""
        try:
            asyncio.run(self._serve(stop_with_stdin, on_ready, signals))
        finally:
            self._close_sockets()
            self._stop_grpc()
            if self._forward is not None:
                self._forward.close()
            self._queue.close()

    def stop(self) -> None:
        """Ask it to end; from any thread."""
        if self._server is not None:
            self._server.should_exit = True

    def status(self) -> Status:
        """What `GET /v1/status` answers."""
        try:  # asked anew each time: a file that was deleted or replaced is followed with the next write
            found = os.stat(self.settings.db)
        except OSError:
            found = None
        totals = self._queue.counts.totals
        return Status(
            version=VERSION,
            pid=os.getpid(),
            token_required=bool(self.settings.token),
            file=os.path.realpath(self.settings.db),
            device=found.st_dev if found else None,
            inode=found.st_ino if found else None,
            host=self.settings.host,
            http_port=self._ports[0],
            grpc_port=self._ports[1],
            started=datetime.fromtimestamp(self._started, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            uptime_s=round(time.time() - self._started, 3),
            ledger={name: totals[name] for name in LEDGER},
            forward=self._forward.report() if self._forward is not None else None,
        )

    async def _serve(self, stop_with_stdin: bool, on_ready: Callable[[Status], None] | None, signals: bool) -> None:
        house = House(self.settings, self._queue, self._decoders, self.status, self._guard)
        config = uvicorn.Config(
            Application(house, doors()),
            http=partial(FirstBytes, Http1, self._connect_grpc, self._meter, OPEN_CONNECTIONS),  # type: ignore[arg-type]  # any protocol factory will do
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            backlog=1024,
        )
        self._server = server = _Server(config, partial(self._started_up, on_ready), self._stop_grpc)
        with _signals(self.stop) if signals else contextlib.nullcontext():
            if stop_with_stdin:
                threading.Thread(target=_wait_for_stdin, args=(self.stop,), name="stdin", daemon=True).start()
            try:
                await server.serve(self._sockets)
            finally:
                await house.close()

    def _started_up(self, on_ready: Callable[[Status], None] | None) -> None:
        if self._preload:
            self._queue.prepare(self._decoders.load)
        if on_ready is not None:
            on_ready(self.status())

    def _meter(self) -> Meter:
        return Meter(self._queue.room, self.settings.max_body_bytes)

    async def _connect_grpc(
        self, protocol: Callable[[], asyncio.Protocol]
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        loop = asyncio.get_running_loop()
        path = await loop.run_in_executor(None, self._start_grpc)
        transport, made = await loop.create_unix_connection(protocol, path)
        assert isinstance(transport, asyncio.Transport)
        return transport, made

    def _start_grpc(self) -> str:
        with self._grpc_starts:
            if self._grpc is None:
                from collector.receiver.grpc_door import GrpcServer

                self._grpc = GrpcServer(self.settings, self._queue, self._decoders, self._guard)
            return self._grpc.path

    def _open_ingest(self, settings: Settings) -> Corridor:
        from collector.ingest import Ingest

        return Ingest(settings.db, settings, stored=self._send_on if settings.forward else None)

    def _open_reader(self) -> AbstractContextManager[Reader]:
        from collector.store import open_reader

        return open_reader(self.settings.db)

    def _send_on(self, parts: Sequence[SpanPart]) -> None:
        if self._forward is not None:
            self._forward.stored(parts)

    def _count_unforwarded(self, reason: str, sample: str, count: int) -> None:
        self._queue.accept(bytes, lambda _: Batch("forward", refused=(Refusal(reason, sample, count),)))

    def _stop_grpc(self) -> None:
        with self._grpc_starts:
            if self._grpc is not None:
                self._grpc.stop(GRACE_S)

    def _close_sockets(self) -> None:
        for one in self._sockets:
            one.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers (it raises the signal again on the way out: exit code 143)."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None], before_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._before_end = before_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connection; let gRPC answer what runs, while its relays still stand; then the rest."""
        for server in self.servers:
            server.close()
        await asyncio.get_running_loop().run_in_executor(None, self._before_end)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def install_signal_handlers(self) -> None:
        """Of older versions."""


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT end it in order; a second one of them ends it at once, as if nobody listened."""

    def handle(number: int, _: Any) -> None:
        stop()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_stdin(stop: Callable[[], None]) -> None:
    """Until whoever holds the other end of stdin is gone."""
    with contextlib.suppress(OSError, ValueError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    stop()
