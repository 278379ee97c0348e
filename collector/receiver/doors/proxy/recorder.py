"""What passed through, on its way into the file: behind the call's back, in one thread, in order.

Nothing here can break or delay a call: the bytes have been passed on when they are read. What cannot be recorded is
said in the log, once for each kind of trouble.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from collector.errors import StoreBusy, TracetuiError
from collector.model import Batch, Rank, SpanPart
from collector.protocols.llm.known import stored_response
from collector.protocols.proxied import Answered, Asked, fetched, finished, joined, started
from collector.receiver import bodies
from collector.receiver.corridor import WriteQueue
from collector.receiver.doors.proxy.conversations import (
    Conversations,
    Found,
    Turn,
    chained,
    messages_of,
    scope_of,
)
from collector.receiver.doors.proxy.links import header_values

MOST_RECORDED = 16_000_000
"""Bytes of one answer that are kept for reading."""
MOST_COST = 1_000_000.0
"""Dollars that anybody believes one call to have cost."""
TRIES, WAIT_S = 5, 1.0
GATHER_S, MOST_AT_ONCE = 0.05, 100
SWITCH_S = 0.0002
"""How long a thread that computes may keep the others from passing bytes on, who need the lock again after each system
call. With 5 ms, as Python has it, the p95 of a call beside 50 others a second was 16 ms, with this 2 to 3.5."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Exchange:
    """One call, as the event loop saw it. `held` bytes of the queue's room are taken for it."""

    asked: Asked
    encoding: str | None
    key: str
    placed: bool
    """Whether the caller said where it belongs."""
    held: int = 0
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    trouble: tuple[str, str] | None = None
    left: bool = False
    unread: str = ""
    ended_ns: int = 0
    turn: Turn | None = None
    chain: list[bytes] = field(default_factory=list)
    begun: bool = False


Work: TypeAlias = "tuple[Callable[[Exchange], list[SpanPart]], Exchange]"


class Recorder:
    """One for the receiver. `begin` and `end` return at once."""

    def __init__(self, queue: WriteQueue, limit: int, source: str) -> None:
        self._queue = queue
        self._limit = limit
        self._source = source
        self._conversations = Conversations()
        self._told: set[str] = set()
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="proxy-record", daemon=True)
        self._thread.start()
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_s, SWITCH_S))

    def hold(self, exchange: Exchange, size: int) -> bool:
        """Take room for bytes that are to be recorded; False where there is none, and the call goes on unrecorded."""
        if not self._queue.room.take(size):
            exchange.unread = exchange.unread or "too much was under way to keep all that was said"
            return False
        exchange.held += size
        return True

    def came(self, exchange: Exchange, piece: bytes, at_ns: int) -> None:
        """A piece of the answer passed through."""
        exchange.size += len(piece)
        if exchange.unread:
            return
        if exchange.size > MOST_RECORDED:
            exchange.unread = f"of the answer no more than {MOST_RECORDED:,} bytes were kept"
        elif self.hold(exchange, len(piece)):
            exchange.pieces.append((at_ns, piece))

    def begin(self, exchange: Exchange) -> None:
        """It has been under way for a while: show it."""
        self._waiting.put((self._begin, exchange))

    def end(self, exchange: Exchange) -> None:
        """It is over."""
        self._waiting.put((self._end, exchange))

    def close(self) -> None:
        """Record what is over; for a worker thread."""
        self._waiting.put(None)
        self._thread.join()
        sys.setswitchinterval(self._switch_s)

    # --- in the thread ---

    def _run(self) -> None:
        """Take what is there, a little later, and write it with one commit: calls that follow one another closely
        should not each wait for the record of the one before."""
        work = self._waiting.get()
        while work is not None:
            if self._waiting.empty():
                time.sleep(GATHER_S)
            taken: list[Work] = []
            while work is not None and len(taken) < MOST_AT_ONCE:
                taken.append(work)
                try:
                    work = self._waiting.get_nowait()
                except Empty:
                    break
            else:
                self._record(taken)
                continue
            self._record(taken)
            work = self._waiting.get()

    def _record(self, taken: list[Work]) -> None:
        parts: list[SpanPart] = []
        for make, exchange in taken:
            self._safely(lambda make=make, exchange=exchange: parts.extend(make(exchange)))  # type: ignore[misc]
        self._safely(lambda: self._write(parts))
        for make, exchange in taken:
            if make == self._end:
                self._queue.room.give(exchange.held)
                exchange.held = 0

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as e:  # noqa: BLE001  # one of the four edges: the call is long answered
            if type(e).__name__ not in self._told:
                self._told.add(type(e).__name__)
                log.warning("a call through the proxy could not be recorded: %r", e)

    def _begin(self, exchange: Exchange) -> list[SpanPart]:
        return [*self._place(exchange), started(exchange.asked)]

    def _end(self, exchange: Exchange) -> list[SpanPart]:
        parts = self._place(exchange)
        answered = self._answered(exchange)
        part, said = finished(exchange.asked, answered)
        if exchange.turn is not None:
            exchange.turn.under_way = part.rank is not Rank.FINISHED
            output = said.get("output")
            output = output if isinstance(output, list) else []
            self._conversations.answered(exchange.chain, output, said.get("response_id"), exchange.turn)
        return [*parts, *self._fetched(exchange, answered), part]

    def _fetched(self, exchange: Exchange, answered: Answered) -> list[SpanPart]:
        """The end of an earlier call, where this one asked for what was made of it in the background."""
        asked = exchange.asked
        stored = stored_response(asked.path)
        if asked.endpoint is not None or stored is None:
            return []
        found = self._conversations.after(stored, scope_of(asked.upstream, exchange.key), [])
        if found is None or not found.turn.under_way:
            return []
        part = fetched(asked, answered, found.turn.trace_id, found.turn.span_id)
        found.turn.under_way = part is None
        return [part] if part is not None else []

    def _answered(self, exchange: Exchange) -> Answered:
        headers = header_values(exchange.headers)
        encoding = headers.get("content-encoding", "").strip().lower()
        pieces: Iterable[tuple[int, bytes]] = exchange.pieces
        unread = exchange.unread
        if encoding not in ("", "identity"):
            if encoding in UNPACK:
                pieces = unpacked(exchange.pieces, encoding, self._limit)
            else:
                pieces, unread = (), f"the answer is packed as {encoding[:40]!r}, which is not read here"
        return Answered(
            exchange.ended_ns, exchange.status, headers.get("content-type", "").strip().lower(), pieces,
            exchange.size, exchange.trouble, exchange.left, unread, _cost(headers.get("x-litellm-response-cost")),
            headers.get("request-id") or headers.get("x-request-id"),
        )  # fmt: skip

    def _place(self, exchange: Exchange) -> list[SpanPart]:
        """Read the request and find where it belongs, once. What is to be said of an earlier call because of it."""
        if exchange.begun:
            return []
        exchange.begun = True
        asked = exchange.asked
        try:
            asked.body = bodies.inflate(asked.body, exchange.encoding, self._limit)
        except TracetuiError as e:
            asked.notes += (str(e),)
        document = asked.read()
        if asked.endpoint is None or asked.endpoint.kind != "llm":
            return []
        return self._join(exchange, document)

    def _join(self, exchange: Exchange, document: Any) -> list[SpanPart]:
        asked, messages, told = exchange.asked, messages_of(document), []
        scope = scope_of(asked.upstream, exchange.key)
        exchange.chain = chained(messages, scope)
        if not exchange.placed and (found := self._earlier(exchange, document, messages, scope)) is not None:
            turn = found.turn
            if turn.session is None and asked.session is None:
                turn.session = f"conversation-{turn.trace_id[:12]}"
                told.append(joined(turn.trace_id, turn.span_id, turn.session, asked.began_ns))
            if found.same_trace and asked.session in (None, turn.session):
                asked.trace_id = turn.trace_id
            asked.session = asked.session or turn.session
        exchange.turn = Turn(asked.trace_id, asked.span_id, asked.session)
        self._conversations.remember(exchange.chain, exchange.turn)
        return told

    def _earlier(self, exchange: Exchange, document: Any, messages: list[Any], scope: bytes) -> Found | None:
        before = document.get("previous_response_id") if isinstance(document, dict) else None
        if isinstance(before, str):
            return self._conversations.after(before, scope, messages)
        return self._conversations.find(exchange.chain, messages)

    def _write(self, parts: list[SpanPart]) -> None:
        if not parts:
            return
        batch = Batch(self._source, tuple(parts))
        for attempt in range(TRIES):
            try:
                self._queue.accept(bytes, lambda _: batch).result()
            except StoreBusy:
                if attempt + 1 == TRIES:
                    raise
                time.sleep(WAIT_S)
            else:
                return


def _cost(told: str | None) -> float | None:
    try:
        cost = float(told or "")
    except ValueError:
        return None
    return cost if 0 < cost < MOST_COST else None


def _gzip() -> Any:
    return zlib.decompressobj(bodies.GZIP)


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor()


UNPACK: Mapping[str, Callable[[], Any]] = {
    "gzip": _gzip, "x-gzip": _gzip, "deflate": zlib.decompressobj, "zstd": _zstd,
}  # fmt: skip


def unpacked(pieces: Iterable[tuple[int, bytes]], encoding: str, limit: int) -> Iterator[tuple[int, bytes]]:
    """Each piece without its Content-Encoding, as far as it can be told when it came. Ends early where the body is
    damaged or inflates to more than `limit` bytes."""
    unpack, left = UNPACK[encoding](), limit
    for at, piece in pieces:
        try:
            plain = unpack.decompress(piece, left + 1)
        except Exception:  # noqa: BLE001  # each library has an error of its own
            return
        left -= len(plain)
        if left < 0:
            return
        yield at, plain
